//! The classifier that is trained on features: Flatten → Dense → Dropout → Dense.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Reduction, Tensor};

use crate::TorchError;
use crate::dense::products;
use crate::floats::floats;
use crate::minibatch::Features;
use crate::randomness::seeded;
use crate::threads::threads;
use crate::vectors::vector_instructions;

/// What stands between the hidden layer and the dropout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// Nothing: the published tutorial's code left the activation out in one edition.
    None,
}

/// The sizes of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadShape {
    /// Numbers of one image's features.
    pub features: usize,
    /// Units of the hidden layer; 0 means there is none and the head is linear.
    pub hidden: usize,
    /// The hidden layer's activation.
    pub activation: Activation,
    /// Classes, at least two.
    pub classes: usize,
}

/// A head's tensors on one device, all float32.
#[derive(Debug)]
pub struct Head {
    shape: HeadShape,
    /// `dense.weight` [hidden, features] and `dense.bias` `[hidden]` unless linear, then `output.weight`
    /// [outputs, hidden] and `output.bias` `[outputs]`.
    parameters: Vec<Tensor>,
}

impl HeadShape {
    /// Units of the last layer: one sigmoid for two classes, else a softmax over all classes.
    pub fn outputs(&self) -> usize {
        if self.classes == 2 { 1 } else { self.classes }
    }

    /// Name and shape of every tensor, in order.
    pub fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        let outputs = self.outputs();
        if self.hidden == 0 {
            return vec![("output.weight", vec![outputs, self.features]), ("output.bias", vec![outputs])];
        }
        vec![
            ("dense.weight", vec![self.hidden, self.features]),
            ("dense.bias", vec![self.hidden]),
            ("output.weight", vec![outputs, self.hidden]),
            ("output.bias", vec![outputs]),
        ]
    }
}

impl Head {
    /// A head at its start: Glorot-uniform weights (Glorot and Bengio 2010; Keras `GlorotUniform`: the limit is
    /// √(6 / (inputs + outputs))) and zero biases, drawn on the processor so that they do not depend on the device.
    pub fn new(shape: HeadShape, seed: u64, device: Device) -> Result<Self, TorchError> {
        let start = |sizes: &[usize]| {
            let size: Vec<i64> = sizes.iter().map(|&side| side as i64).collect();
            let mut tensor = Tensor::f_zeros(&size, (Kind::Float, Device::Cpu))?;
            if let [outputs, inputs] = sizes[..] {
                let limit = (6.0 / (inputs + outputs) as f64).sqrt();
                tensor = tensor.f_uniform_(-limit, limit)?;
            }
            Ok::<_, TorchError>(tensor)
        };
        let draw = || shape.tensors().iter().map(|(_, sizes)| start(sizes)).collect::<Result<_, _>>();
        Self::from_tensors(shape, seeded(seed, draw)?, device)
    }

    /// A head from its tensors, in the order and shapes of [`HeadShape::tensors`].
    pub fn from_tensors(shape: HeadShape, tensors: Vec<Tensor>, device: Device) -> Result<Self, TorchError> {
        let parameters = tensors
            .into_iter()
            .map(|tensor| tensor.f_to_device(device)?.f_set_requires_grad(true))
            .collect::<Result<_, _>>()?;
        Ok(Self { shape, parameters })
    }

    /// The sizes.
    pub fn shape(&self) -> HeadShape {
        self.shape
    }

    /// The tensors, in the order of [`HeadShape::tensors`].
    pub fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    /// The tensors, to be changed by an optimizer.
    pub fn parameters_mut(&mut self) -> &mut [Tensor] {
        &mut self.parameters
    }

    /// Logits [batch, outputs] of features [batch, features]. `dropout` is the share of hidden units (of features in
    /// a linear head) that is left out, the rest being scaled up; 0 outside training.
    pub fn logits(&self, features: &Tensor, dropout: f64) -> Result<Tensor, TorchError> {
        match &self.parameters[..] {
            [weight, bias, ..] if self.shape.hidden > 0 => {
                self.logits_of_sums(&features.f_linear(weight, Some(bias))?, dropout)
            }
            _ => self.logits_of_sums(features, dropout),
        }
    }

    /// The same of features as a minibatch holds them.
    pub(crate) fn logits_of(&self, features: &Features, dropout: f64) -> Result<Tensor, TorchError> {
        match self.sums(features)? {
            Some(sums) => self.logits_of_sums(&sums, dropout),
            None => self.logits(&features.tensor()?, dropout),
        }
    }

    /// What the hidden layer's units sum up, [batch, hidden], computed here, and so without a gradient of the layer's
    /// parameters. `None` without a hidden layer, on a GPU, and on processors without wide vectors.
    pub(crate) fn sums(&self, features: &Features) -> Result<Option<Tensor>, TorchError> {
        let ([weight, bias, _, _], Features::Rows(rows)) = (&self.parameters[..], features) else {
            return Ok(None);
        };
        let (Some(arch), Some(weight), Some(bias)) = (vector_instructions(), floats(weight), floats(bias))
        else {
            return Ok(None);
        };
        let rows: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
        let sums = products(arch, &rows, weight, bias, threads());
        Ok(Some(Tensor::f_from_slice(&sums)?.f_view([rows.len() as i64, bias.len() as i64])?))
    }

    /// Logits [batch, outputs] of what the hidden layer's units sum up, [batch, hidden]; of features in a linear head.
    pub(crate) fn logits_of_sums(&self, sums: &Tensor, dropout: f64) -> Result<Tensor, TorchError> {
        let [.., weight, bias] = &self.parameters[..] else {
            unreachable!("a head has at least the output layer")
        };
        let mut hidden = sums.shallow_clone();
        if self.shape.hidden > 0 && self.shape.activation == Activation::Relu {
            hidden = hidden.f_relu()?;
        }
        if dropout > 0.0 {
            hidden = hidden.f_dropout(dropout, true)?;
        }
        Ok(hidden.f_linear(weight, Some(bias))?) // [batch, outputs]
    }

    /// Each sample's cross-entropy `[batch]` of logits [batch, outputs] and labels `[batch]` int64, from the logits as
    /// Keras computes it for a sigmoid or softmax output.
    pub fn losses(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor, TorchError> {
        if self.shape.outputs() == 1 {
            let targets = labels.f_to_kind(Kind::Float)?.f_unsqueeze(1)?; // [batch, 1]
            let none = None::<Tensor>;
            let losses = logits.f_binary_cross_entropy_with_logits(
                &targets,
                none.as_ref(),
                none.as_ref(),
                Reduction::None,
            )?;
            return Ok(losses.f_squeeze_dim(1)?); // [batch]
        }
        Ok(logits.f_cross_entropy_loss::<Tensor>(labels, None, Reduction::None, -100, 0.0)?) // [batch]
    }

    /// How many logits [batch, outputs] put the right label first, as a tensor on the device.
    pub fn correct(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor, TorchError> {
        let predicted = if self.shape.outputs() == 1 {
            logits.f_gt(0.0)?.f_to_kind(Kind::Int64)?.f_squeeze_dim(1)? // [batch]
        } else {
            logits.f_argmax(1, false)? // [batch]
        };
        Ok(predicted.f_eq_tensor(labels)?.f_sum(Kind::Int64)?)
    }

    /// Probabilities of all classes, row-major [batch, classes], of logits [batch, outputs]: sigmoid or softmax, in
    /// double precision on the host.
    pub fn probabilities(&self, logits: &Tensor) -> Result<Vec<f64>, TorchError> {
        let logits = logits.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?;
        let probabilities = if self.shape.outputs() == 1 {
            // 1 - σ(x) = σ(-x), which keeps the small one of the two exact.
            Tensor::f_cat(&[logits.f_neg()?, logits], 1)?.f_sigmoid()? // [batch, 2]
        } else {
            logits.f_softmax(1, Kind::Double)? // [batch, classes]
        };
        let mut numbers = vec![0.0; probabilities.numel()];
        let count = numbers.len();
        probabilities.f_contiguous()?.f_copy_data(&mut numbers, count)?;
        Ok(numbers)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(hidden: usize, classes: usize) -> HeadShape {
        HeadShape { features: 6, hidden, activation: Activation::Relu, classes }
    }

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        let mut numbers = vec![0.0; tensor.numel()];
        let count = numbers.len();
        tensor.detach().contiguous().copy_data(&mut numbers, count);
        numbers
    }

    #[test]
    fn weights_start_within_glorots_limit_and_biases_at_zero() {
        let head = Head::new(shape(8, 2), 1, Device::Cpu).unwrap();
        let limit = (6.0_f32 / (6.0 + 8.0)).sqrt();
        let weights = numbers(&head.parameters()[0]);
        assert!(weights.iter().all(|weight| weight.abs() <= limit));
        assert!(weights.iter().any(|weight| weight.abs() > limit / 2.0));
        assert!(numbers(&head.parameters()[1]).iter().all(|&bias| bias == 0.0));
    }

    #[test]
    fn equal_seeds_give_equal_heads_and_others_do_not() {
        let start = |seed| numbers(&Head::new(shape(8, 3), seed, Device::Cpu).unwrap().parameters()[0]);
        assert_eq!(start(1), start(1));
        assert_ne!(start(1), start(2));
    }

    #[test]
    fn probabilities_of_every_row_sum_to_one() {
        let features = seeded(1, || Tensor::rand([5, 6], (Kind::Float, Device::Cpu)));
        for (hidden, classes) in [(8, 2), (0, 2), (8, 3), (0, 4)] {
            let head = Head::new(shape(hidden, classes), 7, Device::Cpu).unwrap();
            let probabilities = head.probabilities(&head.logits(&features, 0.0).unwrap()).unwrap();
            assert_eq!(probabilities.len(), 5 * classes);
            for row in probabilities.chunks(classes) {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn two_classes_and_a_softmax_over_two_agree_on_the_loss() {
        let head = Head::new(shape(0, 2), 7, Device::Cpu).unwrap();
        let logits = Tensor::from_slice(&[0.3_f32, -2.0, 5.0]).view([3, 1]);
        let labels = Tensor::from_slice(&[0_i64, 1, 1]);
        let losses = numbers(&head.losses(&logits, &labels).unwrap());
        for (loss, (logit, label)) in losses.iter().zip([(0.3_f64, 0), (-2.0, 1), (5.0, 1)]) {
            let probability = 1.0 / (1.0 + (-logit).exp());
            let expected = -(if label == 1 { probability } else { 1.0 - probability }).ln();
            assert!((f64::from(*loss) - expected).abs() < 1e-6);
        }
        assert_eq!(head.correct(&logits, &labels).unwrap().int64_value(&[]), 1);
    }
}
