//! One layer of a graph.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::window::{Padding, Window};

/// A layer with its Keras name.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub(super) name: String,
    pub(super) operator: Operator,
    /// Positions of the nodes whose maps enter.
    pub(super) inputs: Vec<usize>,
    pub(super) input_channels: usize,
    pub(super) channels: usize,
    /// Which of the graph's tensors are this node's.
    pub(super) tensors: Range<usize>,
    pub(super) parameters: u64,
}

/// What a layer does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operator {
    /// The images: three channels.
    Input,
    /// A convolution (Keras `Conv2D`); with as many groups as channels, one kernel for each (`DepthwiseConv2D`).
    Convolution {
        /// Kernel, stride and padding.
        window: Window,
        /// Groups of channels that do not see each other.
        groups: usize,
        /// Whether a bias is added.
        bias: bool,
        /// What is applied inside the same layer.
        activation: Activation,
    },
    /// A depthwise convolution, then a 1 × 1 convolution, in one layer without bias (Keras `SeparableConv2D`).
    SeparableConvolution {
        /// Of the depthwise convolution.
        window: Window,
    },
    /// (x − mean) / √(variance + epsilon) · gamma + beta, by channel (Keras `BatchNormalization` in inference).
    Normalisation {
        /// Added to the variance.
        epsilon: f64,
        /// Whether there is a gamma.
        gamma: bool,
    },
    /// An activation as a layer of its own.
    Activation(Activation),
    /// The maximum; padding is ignored.
    MaxPool(Window),
    /// The mean; padding is not counted.
    AveragePool(Window),
    /// Zeros around the map.
    ZeroPadding(Padding),
    /// The sum of maps of one shape.
    Add,
    /// Maps of one height and width, channels one behind the other.
    Concatenate,
}

/// What is applied to each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Nothing.
    None,
    /// max(x, 0)
    Relu,
    /// min(max(x, 0), 6)
    Relu6,
}

impl Node {
    /// Keras' name of the layer.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// Positions of the nodes whose maps enter, all before this one's.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Channels of the map that leaves.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Channels of the first map that enters.
    pub fn input_channels(&self) -> usize {
        self.input_channels
    }

    /// Numbers in this layer's tensors, moving means and variances among them.
    pub fn parameters(&self) -> u64 {
        self.parameters
    }

    /// Positions of this node's tensors in the graph's list.
    pub fn tensors(&self) -> Range<usize> {
        self.tensors.clone()
    }

    /// [height, width, channels] of the map that leaves, from those that enter; zeros where nothing is left.
    pub(super) fn shape(&self, inputs: &[[usize; 3]], image: [usize; 2]) -> [usize; 3] {
        let first = inputs.first().map_or(image, |&[height, width, _]| [height, width]);
        let [height, width] = match &self.operator {
            Operator::Convolution { window, .. }
            | Operator::SeparableConvolution { window }
            | Operator::MaxPool(window)
            | Operator::AveragePool(window) => window.output(first),
            Operator::ZeroPadding(padding) => {
                [first[0] + padding.top + padding.bottom, first[1] + padding.left + padding.right]
            }
            Operator::Input
            | Operator::Normalisation { .. }
            | Operator::Activation(_)
            | Operator::Add
            | Operator::Concatenate => first,
        };
        [height, width, self.channels]
    }
}
