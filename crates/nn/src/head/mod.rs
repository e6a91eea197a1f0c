//! The classifier that is trained on features: Flatten → Dense → Dropout → Dense, or a linear one on prepared rows, with
//! or without the last layers of the base.
//!
//! Two back ends compute it from end to end: `host` on the processor, `torch` on a GPU and where layers of a base belong
//! to it. The device chooses; seeds
//! decide the start and the dropout, whichever computes.

mod back_end;
mod dropout;
mod host;
mod input;
mod parameters;
mod preparation;
mod probabilities;
mod shape;
mod start;
mod tail;
mod torch;

#[cfg(test)]
mod tests;

use convbase_bases::Behind;
use convbase_core::Pooling;
use tch::Device;

pub(crate) use back_end::{BackEnd, Step};
pub(crate) use dropout::Dropout;
pub(crate) use host::{HostHead, aligned};
pub use input::Input;
pub(crate) use parameters::{Layer, Parameters};
pub use preparation::{MapPooling, Preparation, UnknownMapPooling};
pub(crate) use shape::NamedShape;
pub use shape::{Activation, HeadShape, UnknownActivation};
pub(crate) use start::start;
pub use tail::{Tail, TailError};
pub(crate) use torch::TorchHead;

use crate::TorchError;
use crate::tensor_file::FloatTensor;
use probabilities::probabilities;

/// Layers of a base are computed by libtorch, wherever.
pub(crate) fn needs_torch(shape: &HeadShape, device: Device) -> bool {
    device.is_cuda() || shape.input.tail.is_some()
}

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
        let parameters = start(&shape, seed);
        Self::from_parameters(shape, parameters, device)
    }

    /// A linear head of these weights [outputs, features] and biases `[outputs]`.
    ///
    /// # Panics
    /// When the shape has a hidden layer or a tail, or the numbers are not as many as it says.
    pub fn linear(
        shape: HeadShape,
        weight: Vec<f32>,
        bias: Vec<f32>,
        device: Device,
    ) -> Result<Self, TorchError> {
        let sizes = shape.tensors();
        assert!(sizes.tail.is_empty() && sizes.hidden.is_none(), "a linear head");
        let tensor = |named: NamedShape, numbers: Vec<f32>| {
            assert_eq!(numbers.len(), named.size.iter().product::<usize>(), "{}", named.name);
            FloatTensor { size: named.size, numbers }
        };
        let output =
            Layer { weight: tensor(sizes.output.weight, weight), bias: tensor(sizes.output.bias, bias) };
        Self::from_parameters(shape, Parameters { tail: Vec::new(), hidden: None, output }, device)
    }

    /// The same head on the maps that enter `behind`: it computes those layers first, and from the layer `from` on they
    /// are trained with it. `pooling` is what the stored features that the head knows went through. On the processor
    /// or the GPU where this head is.
    pub fn with_tail(
        &self,
        behind: Behind,
        from: Option<&str>,
        pooling: Pooling,
        device: Device,
    ) -> Result<Self, TailError> {
        let (tail, layers) = Tail::new(behind, from)?;
        let mut shape = self.shape().clone();
        let map = tail.output().map_or([0; 3], |(_, map)| map);
        if shape.input.tail.is_some() {
            return Err(TailError::Twice);
        }
        if pooling != Pooling::None || shape.input.preparation.is_some() {
            let own = shape.input.preparation;
            let pooling = match (pooling, own) {
                (Pooling::Average, _) => MapPooling::Average,
                (Pooling::Maximum, _) => MapPooling::Maximum,
                (Pooling::None, own) => own.map_or(MapPooling::None, |own| own.pooling),
            };
            shape.input.preparation = Some(Preparation {
                pooling,
                unit_length: own.is_some_and(|own| own.unit_length),
                positions: map[0].saturating_mul(map[1]),
                channels: map[2],
            });
        }
        shape.input.tail = Some(tail);
        let problems = shape.input.problems(shape.features);
        if !problems.is_empty() {
            return Err(TailError::Shapes(problems.join("; ")));
        }
        let parameters = Parameters { tail: layers, ..self.plain()? };
        Ok(Self::from_parameters(shape, parameters, device)?)
    }

    /// The numbers as files hold them.
    pub(crate) fn plain(&self) -> Result<Parameters<FloatTensor>, TorchError> {
        fn plain<B: BackEnd>(head: &B) -> Result<Parameters<FloatTensor>, TorchError> {
            let mut sizes = head.shape().tensors().in_order();
            head.parameters().as_ref().try_map(|array| {
                let size = sizes.next().map(|tensor| tensor.size).unwrap_or_default();
                Ok(FloatTensor { size, numbers: B::numbers(array)?.into_owned() })
            })
        }
        match &self.computed {
            Computed::Host(head) => plain(head),
            Computed::Torch(head) => plain(head),
        }
    }

    /// A head of these numbers, which have the sizes of [`HeadShape::tensors`].
    pub(crate) fn from_parameters(
        shape: HeadShape,
        parameters: Parameters<FloatTensor>,
        device: Device,
    ) -> Result<Self, TorchError> {
        let computed = if needs_torch(&shape, device) {
            Computed::Torch(TorchHead::new(shape, parameters, device)?)
        } else {
            Computed::Host(HostHead::new(shape, parameters, device)?)
        };
        Ok(Self { computed })
    }

    /// The sizes.
    pub fn shape(&self) -> &HeadShape {
        match &self.computed {
            Computed::Host(head) => head.shape(),
            Computed::Torch(head) => head.shape(),
        }
    }

    /// Probabilities of all classes, row-major [rows, classes], for row-major features [rows, stored]: sigmoid or
    /// softmax, in float64.
    ///
    /// # Panics
    /// When the numbers are no whole rows.
    pub fn probabilities_of(&self, features: &[f32]) -> Result<Vec<f64>, TorchError> {
        let length = self.shape().stored().max(1);
        assert!(features.len().is_multiple_of(length), "{} numbers in rows of {length}", features.len());
        self.probabilities(&features.chunks_exact(length).collect::<Vec<_>>())
    }

    /// The same for rows that lie apart, each `[stored]`.
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
