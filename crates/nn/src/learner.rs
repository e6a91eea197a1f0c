//! A head with its optimizer, in one back end.

use crate::head::{BackEnd, HostHead, Parameters, aligned, start};
use crate::optimizer::{Moments, Optimizer};
use crate::tensor_file::FloatTensor;
use crate::{HeadShape, OptimizerKind, TorchError};
use tch::Device;

/// A head that is being trained.
#[derive(Debug)]
pub(crate) struct Learner<B: BackEnd> {
    pub(crate) head: B,
    pub(crate) optimizer: Optimizer<B::Array>,
}

/// A learner as files hold it.
#[derive(Debug)]
pub(crate) struct PlainLearner {
    pub(crate) shape: HeadShape,
    pub(crate) parameters: Parameters<FloatTensor>,
    pub(crate) optimizer: Optimizer<FloatTensor>,
}

impl PlainLearner {
    /// At its start, all moments zero.
    pub(crate) fn begin(shape: &HeadShape, kind: OptimizerKind, learning_rate: f64, seed: u64) -> Self {
        Self::of(shape, start(shape, seed), kind, learning_rate)
    }

    /// With these parameters, all moments zero.
    pub(crate) fn of(
        shape: &HeadShape,
        parameters: Parameters<FloatTensor>,
        kind: OptimizerKind,
        learning_rate: f64,
    ) -> Self {
        let moments = Moments::new(kind, shape, |tensor, _| FloatTensor::zeros(tensor.size.clone()));
        let optimizer = Optimizer { learning_rate, steps: 0, moments };
        Self { shape: shape.clone(), parameters, optimizer }
    }

    /// Puts it into a back end.
    pub(crate) fn load<B: BackEnd>(self, device: Device) -> Result<Learner<B>, TorchError> {
        let Optimizer { learning_rate, steps, moments } = self.optimizer;
        let head = B::new(self.shape, self.parameters, device)?;
        let moments = moments.try_map(|moment| head.array(moment))?;
        Ok(Learner { head, optimizer: Optimizer { learning_rate, steps, moments } })
    }
}

impl<B: BackEnd> Learner<B> {
    /// A copy in the processor's memory.
    pub(crate) fn copy(&self) -> Result<Learner<HostHead>, TorchError> {
        let copy = |array| Ok::<_, TorchError>(aligned(&B::numbers(array)?));
        let parameters = self.head.parameters().as_ref().try_map(copy)?;
        let Optimizer { learning_rate, steps, ref moments } = self.optimizer;
        let optimizer = Optimizer { learning_rate, steps, moments: moments.as_ref().try_map(copy)? };
        Ok(Learner { head: HostHead::from_parameters(self.head.shape().clone(), parameters), optimizer })
    }
}
