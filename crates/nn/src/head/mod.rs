//! The classifier that is trained on features: Flatten → Dense → Dropout → Dense.
//!
//! Two back ends compute it from end to end: `host` on the processor, `torch` on a GPU. The device chooses; seeds
//! decide the start and the dropout, whichever computes.

mod back_end;
mod dropout;
mod host;
mod parameters;
mod probabilities;
mod shape;
mod start;
mod torch;

#[cfg(test)]
mod tests;

use tch::Device;

pub(crate) use back_end::{BackEnd, Step};
pub(crate) use dropout::Dropout;
pub(crate) use host::{HostHead, aligned};
pub(crate) use parameters::Parameters;
pub(crate) use shape::NamedShape;
pub use shape::{Activation, HeadShape, UnknownActivation};
pub(crate) use start::start;
pub(crate) use torch::TorchHead;

use crate::TorchError;
use crate::tensor_file::FloatTensor;
use probabilities::probabilities;

/// A head that classifies.
#[derive(Debug)]
pub struct Head {
    pub(crate) computed: Computed<HostHead, TorchHead>,
}

/// Something of one back end or the other.
#[derive(Debug)]
pub(crate) enum Computed<H, T> {
    /// On the processor.
    Host(H),
    /// On a GPU.
    Torch(T),
}

impl Head {
    /// A head at its start: Glorot-uniform weights (Glorot and Bengio 2010; Keras `GlorotUniform`: the limit is
    /// √(6 / (inputs + outputs))) and zero biases, which do not depend on the device.
    pub fn new(shape: HeadShape, seed: u64, device: Device) -> Result<Self, TorchError> {
        Self::from_parameters(shape, start(shape, seed), device)
    }

    /// A head of these numbers, which have the sizes of [`HeadShape::tensors`].
    pub(crate) fn from_parameters(
        shape: HeadShape,
        parameters: Parameters<FloatTensor>,
        device: Device,
    ) -> Result<Self, TorchError> {
        let computed = if device.is_cuda() {
            Computed::Torch(TorchHead::new(shape, parameters, device)?)
        } else {
            Computed::Host(HostHead::new(shape, parameters, device)?)
        };
        Ok(Self { computed })
    }

    /// The sizes.
    pub fn shape(&self) -> HeadShape {
        match &self.computed {
            Computed::Host(head) => head.shape(),
            Computed::Torch(head) => head.shape(),
        }
    }

    /// Probabilities of all classes, row-major [rows, classes], for row-major features [rows, features]: sigmoid or
    /// softmax, in float64.
    ///
    /// # Panics
    /// When the numbers are no whole rows.
    pub fn probabilities_of(&self, features: &[f32]) -> Result<Vec<f64>, TorchError> {
        let length = self.shape().features.max(1);
        assert!(features.len().is_multiple_of(length), "{} numbers in rows of {length}", features.len());
        self.probabilities(&features.chunks_exact(length).collect::<Vec<_>>())
    }

    /// The same for rows that lie apart, each `[features]`.
    pub(crate) fn probabilities(&self, rows: &[&[f32]]) -> Result<Vec<f64>, TorchError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let logits = match &self.computed {
            Computed::Host(head) => head.logits(rows)?,
            Computed::Torch(head) => head.logits(rows)?,
        };
        Ok(probabilities(&logits, self.shape().outputs()))
    }
}
