//! What a head is computed with.

use std::borrow::Cow;
use std::fmt::Debug;

use tch::Device;

use super::HeadShape;
use super::dropout::Dropout;
use super::parameters::Parameters;
use crate::TorchError;
use crate::minibatch::Minibatch;
use crate::optimizer::Optimizer;
use crate::tensor_file::FloatTensor;
use crate::training::Totals;

/// A whole head, from features to the step of its parameters.
pub(crate) trait BackEnd: Debug + Sized {
    /// The numbers of a parameter or moment.
    type Array: Debug;
    /// Totals over samples, which stay on the device while an epoch lasts.
    type Sums;

    /// A head of these numbers, which have the sizes of [`HeadShape::tensors`].
    fn new(shape: HeadShape, parameters: Parameters<FloatTensor>, device: Device)
    -> Result<Self, TorchError>;

    fn shape(&self) -> &HeadShape;

    fn parameters(&self) -> &Parameters<Self::Array>;

    /// A moment beside the parameters.
    fn array(&self, tensor: FloatTensor) -> Result<Self::Array, TorchError>;

    /// The numbers of a parameter or moment, in C order.
    fn numbers(array: &Self::Array) -> Result<Cow<'_, [f32]>, TorchError>;

    /// Logits [rows, outputs], without dropout.
    fn logits(&self, rows: &[&[f32]]) -> Result<Vec<f32>, TorchError>;

    fn sums(&self, totals: Totals) -> Result<Self::Sums, TorchError>;

    fn totals(sums: &Self::Sums) -> Result<Totals, TorchError>;

    /// Adds what the head makes of a minibatch, without dropout and class weights.
    fn measure(&self, minibatch: &Minibatch, sums: &mut Self::Sums) -> Result<(), TorchError>;

    /// Takes one step along the gradient of the minibatch's mean loss, and adds what the head made of it before.
    fn step(
        &mut self,
        optimizer: &mut Optimizer<Self::Array>,
        minibatch: &Minibatch,
        how: &Step,
        sums: &mut Self::Sums,
    ) -> Result<(), TorchError>;
}

/// How a step is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) dropout: Dropout,
    /// The weight of each class's loss, `[classes]`.
    pub(crate) class_weights: Option<&'a [f64]>,
}

impl Step<'_> {
    /// The weight of a sample of this class.
    pub(crate) fn weight(&self, label: usize) -> f64 {
        self.class_weights.map_or(1.0, |weights| weights[label])
    }
}
