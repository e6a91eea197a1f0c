//! The sizes of a head, and what follows from them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::input::Input;
use super::parameters::{Layer, Parameters};
use super::tail::Tail;

/// What stands between the hidden layer and the dropout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// Nothing: the published tutorial's code left the activation out in one edition.
    None,
}

/// The sizes of a head, and what stands before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadShape {
    /// Numbers that the first dense layer takes.
    pub features: usize,
    /// Units of the hidden layer; 0 means there is none and the head is linear.
    pub hidden: usize,
    /// The hidden layer's activation.
    pub activation: Activation,
    /// Classes, at least two.
    pub classes: usize,
    /// What makes those numbers of stored features.
    #[serde(default, skip_serializing_if = "Input::is_empty")]
    pub input: Input,
}

/// A tensor of a head as files name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedShape {
    pub(crate) name: String,
    pub(crate) size: Vec<usize>,
}

impl HeadShape {
    /// A head on features as they are stored.
    pub fn new(features: usize, hidden: usize, activation: Activation, classes: usize) -> Self {
        Self { features, hidden, activation, classes, input: Input::default() }
    }

    /// Numbers of a stored row.
    pub fn stored(&self) -> usize {
        self.input.stored(self.features)
    }

    /// Units of the last layer: one sigmoid for two classes, else a softmax over all classes.
    pub fn outputs(&self) -> usize {
        if self.classes == 2 { 1 } else { self.classes }
    }

    /// Numbers that go into the last layer: the hidden units, or the features of a linear head.
    pub(crate) fn output_inputs(&self) -> usize {
        if self.hidden == 0 { self.features } else { self.hidden }
    }

    /// Bytes that training takes at least: the parameters and a copy of them that is saved, and the hidden units of a
    /// minibatch of so many rows.
    pub fn training_bytes(&self, rows: usize) -> u128 {
        let (hidden, outputs) = (self.hidden as u128, self.outputs() as u128);
        let parameters = hidden * (self.features as u128 + 1) + outputs * (self.output_inputs() as u128 + 1);
        size_of::<f32>() as u128 * (2 * parameters + hidden * rows as u128)
    }

    /// Name and size of every tensor.
    pub(crate) fn tensors(&self) -> Parameters<NamedShape> {
        let layer = |name: &str, units: usize, inputs: usize| Layer {
            weight: NamedShape { name: format!("{name}.weight"), size: vec![units, inputs] },
            bias: NamedShape { name: format!("{name}.bias"), size: vec![units] },
        };
        let hidden = layer("dense", self.hidden, self.features);
        Parameters {
            tail: self.input.tail.as_ref().map(Tail::tensors).unwrap_or_default(),
            hidden: (self.hidden > 0).then_some(hidden),
            output: layer("output", self.outputs(), self.output_inputs()),
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Relu => "relu",
            Self::None => "none",
        })
    }
}

/// A name that is no activation's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("activation: expected one of relu, none, found `{0}`")]
pub struct UnknownActivation(String);

impl FromStr for Activation {
    type Err = UnknownActivation;

    fn from_str(text: &str) -> Result<Self, UnknownActivation> {
        match text {
            "relu" => Ok(Self::Relu),
            "none" => Ok(Self::None),
            _ => Err(UnknownActivation(text.to_owned())),
        }
    }
}
