//! The back end of GPUs and of heads with layers of a base: a whole head on libtorch's tensors and gradients. Without
//! such layers it runs on the processor in tests alone, which compare it with the other one.

mod arithmetic;
mod prepared;
mod tail;

use std::borrow::Cow;

use tch::{Device, Kind, Reduction, TchError, Tensor};

use super::back_end::{BackEnd, Step};
use super::dropout::Dropout;
use super::parameters::{Layer, Parameters};
use crate::minibatch::Minibatch;
use crate::optimizer::{Apply, Formula, Optimizer};
use crate::tensor_file::FloatTensor;
use crate::threads::threads;
use crate::training::Totals;
use crate::{Activation, HeadShape, Input, Tail, TorchError};
use arithmetic::Tensors;

/// A head's tensors on one device, all float32.
#[derive(Debug)]
pub(crate) struct TorchHead {
    shape: HeadShape,
    parameters: Parameters<Tensor>,
    device: Device,
}

/// Totals that stay on the device until the end of a pass.
#[derive(Debug)]
pub(crate) struct TorchSums {
    /// float64 scalar
    loss: Tensor,
    /// int64 scalar
    correct: Tensor,
    samples: u64,
}

impl TorchHead {
    /// Logits [rows, outputs] of stored features [rows, stored].
    fn logits_of(&self, features: &Tensor, dropout: Dropout) -> Result<Tensor, TorchError> {
        let Input { tail, preparation } = &self.shape.input;
        let mut inputs = features.shallow_clone();
        if let Some(tail) = tail {
            inputs = tail::forward(tail, &self.parameters.tail, &inputs)?; // [rows, height · width · channels]
        }
        if let Some(preparation) = preparation {
            inputs = prepared::prepare(preparation, &inputs)?; // [rows, features]
        }
        if let Some(Layer { weight, bias }) = &self.parameters.hidden {
            inputs = inputs.f_linear(weight, Some(bias))?; // [rows, hidden]
            if self.shape.activation == Activation::Relu {
                inputs = inputs.f_relu()?;
            }
        }
        if !dropout.is_none() {
            let factors = Tensor::f_from_slice(&dropout.factors(inputs.numel()))?;
            inputs = inputs.f_mul(&factors.f_view_as(&inputs)?.f_to_device(self.device)?)?;
        }
        let Layer { weight, bias } = &self.parameters.output;
        Ok(inputs.f_linear(weight, Some(bias))?) // [rows, outputs]
    }

    /// The rows in one tensor on the device, [rows, stored].
    fn features(&self, rows: &[&[f32]]) -> Result<Tensor, TchError> {
        if !self.device.is_cuda() {
            // Counts for this thread. Bytes are the same for one number of threads.
            tch::set_num_threads(threads() as i32);
        }
        let size = [rows.len() as i64, self.shape.stored() as i64];
        Tensor::f_from_slice(&rows.concat())?.f_view(size)?.f_to_device(self.device)
    }

    /// The labels on the device, `[rows]` int64.
    fn labels(&self, labels: &[usize]) -> Result<Tensor, TchError> {
        let labels: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
        Tensor::f_from_slice(&labels)?.f_to_device(self.device)
    }

    /// Each sample's cross-entropy `[rows]`, from the logits as Keras computes it for a sigmoid or softmax output.
    fn losses(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor, TchError> {
        let none = None::<Tensor>;
        if self.shape.outputs() == 1 {
            let targets = labels.f_to_kind(Kind::Float)?.f_unsqueeze(1)?; // [rows, 1]
            let (weight, positive, each) = (none.as_ref(), none.as_ref(), Reduction::None);
            let losses = logits.f_binary_cross_entropy_with_logits(&targets, weight, positive, each)?;
            return losses.f_squeeze_dim(1); // [rows]
        }
        logits.f_cross_entropy_loss(labels, none, Reduction::None, -100, 0.0) // [rows]
    }

    fn add(
        &self,
        sums: &mut TorchSums,
        logits: &Tensor,
        losses: &Tensor,
        labels: &Tensor,
    ) -> Result<(), TchError> {
        let predicted = if self.shape.outputs() == 1 {
            logits.f_gt(0.0)?.f_to_kind(Kind::Int64)?.f_squeeze_dim(1)? // [rows]
        } else {
            logits.f_argmax(1, false)? // [rows]
        };
        let _ = sums.loss.f_add_(&losses.f_detach()?.f_sum(Kind::Double)?)?;
        let _ = sums.correct.f_add_(&predicted.f_eq_tensor(labels)?.f_sum(Kind::Int64)?)?;
        sums.samples += labels.numel() as u64;
        Ok(())
    }

    fn try_step(
        &mut self,
        optimizer: &mut Optimizer<Tensor>,
        minibatch: &Minibatch,
        how: &Step,
        sums: &mut TorchSums,
    ) -> Result<(), TorchError> {
        let labels = self.labels(&minibatch.labels)?;
        let logits = self.logits_of(&self.features(&minibatch.rows())?, how.dropout)?;
        let mut losses = self.losses(&logits, &labels)?;
        if how.class_weights.is_some() {
            let weights: Vec<f32> = minibatch.labels.iter().map(|&label| how.weight(label) as f32).collect();
            losses = losses.f_mul(&Tensor::f_from_slice(&weights)?.f_to_device(self.device)?)?;
        }
        // Keras divides by the number of samples, not by the sum of their weights.
        let loss = losses.f_sum(Kind::Float)?.f_div_scalar(minibatch.labels.len() as f64)?;
        let is_trained = |parameter: &&Tensor| parameter.requires_grad();
        let parameters: Vec<&Tensor> = self.parameters.as_ref().in_order().filter(is_trained).collect();
        let gradients = Tensor::f_run_backward(&[loss], &parameters, false, false)?;
        self.add(sums, &logits, &losses, &labels)?;
        Ok(optimizer.step(Descent { parameters: &mut self.parameters, gradients })?)
    }
}

impl BackEnd for TorchHead {
    type Array = Tensor;
    type Sums = TorchSums;

    fn new(
        shape: HeadShape,
        parameters: Parameters<FloatTensor>,
        device: Device,
    ) -> Result<Self, TorchError> {
        // Weight and bias of each layer in front.
        let frozen = 2 * shape.input.tail.as_ref().map_or(0, Tail::frozen);
        let mut position = 0;
        let parameters = parameters.try_map(|tensor| {
            let is_trained = position >= frozen;
            position += 1;
            on_device(&tensor, device)?.f_set_requires_grad(is_trained)
        })?;
        Ok(Self { shape, parameters, device })
    }

    fn shape(&self) -> &HeadShape {
        &self.shape
    }

    fn parameters(&self) -> &Parameters<Tensor> {
        &self.parameters
    }

    fn array(&self, tensor: FloatTensor) -> Result<Tensor, TorchError> {
        Ok(on_device(&tensor, self.device)?)
    }

    fn numbers(array: &Tensor) -> Result<Cow<'_, [f32]>, TorchError> {
        Ok(Cow::Owned(numbers(array)?))
    }

    fn logits(&self, rows: &[&[f32]]) -> Result<Vec<f32>, TorchError> {
        let _guard = tch::no_grad_guard();
        Ok(numbers(&self.logits_of(&self.features(rows)?, Dropout::NONE)?)?)
    }

    fn sums(&self, totals: Totals) -> Result<TorchSums, TorchError> {
        let (scalar, Totals { loss, correct, samples }) = ([0_i64; 0], totals);
        let loss = Tensor::f_full(scalar, loss, (Kind::Double, self.device))?;
        let correct = Tensor::f_full(scalar, correct as i64, (Kind::Int64, self.device))?;
        Ok(TorchSums { loss, correct, samples })
    }

    fn totals(sums: &TorchSums) -> Result<Totals, TorchError> {
        let (loss, correct) = (sums.loss.f_double_value(&[])?, sums.correct.f_int64_value(&[])?);
        Ok(Totals { loss, correct: correct as u64, samples: sums.samples })
    }

    fn measure(&self, minibatch: &Minibatch, sums: &mut TorchSums) -> Result<(), TorchError> {
        let _guard = tch::no_grad_guard();
        let labels = self.labels(&minibatch.labels)?;
        let logits = self.logits_of(&self.features(&minibatch.rows())?, Dropout::NONE)?;
        Ok(self.add(sums, &logits, &self.losses(&logits, &labels)?, &labels)?)
    }

    fn step(
        &mut self,
        optimizer: &mut Optimizer<Tensor>,
        minibatch: &Minibatch,
        how: &Step,
        sums: &mut TorchSums,
    ) -> Result<(), TorchError> {
        self.try_step(optimizer, minibatch, how, sums)
    }
}

/// One step of all parameters along their gradients.
struct Descent<'a> {
    parameters: &'a mut Parameters<Tensor>,
    /// Of those that are trained, in their order.
    gradients: Vec<Tensor>,
}

impl Apply<Tensor> for Descent<'_> {
    type Error = TchError;

    fn apply<const SLOTS: usize>(
        self,
        formula: impl Formula<SLOTS>,
        moments: &mut Parameters<[Tensor; SLOTS]>,
    ) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        let parameters = self.parameters.as_mut().in_order().zip(moments.as_mut().in_order());
        let trained = parameters.filter(|(parameter, _)| parameter.requires_grad());
        for ((parameter, moments), gradient) in trained.zip(&self.gradients) {
            let before = moments.each_ref().map(Tensor::shallow_clone);
            let (after, change) = formula.step(&Tensors, gradient, before)?;
            *moments = after;
            let _ = parameter.f_sub_(&change)?;
        }
        Ok(())
    }
}

fn on_device(tensor: &FloatTensor, device: Device) -> Result<Tensor, TchError> {
    let size: Vec<i64> = tensor.size.iter().map(|&side| side as i64).collect();
    Tensor::f_from_slice(&tensor.numbers)?.f_view(&size[..])?.f_to_device(device)
}

/// The numbers of a float32 tensor on any device, in C order.
fn numbers(tensor: &Tensor) -> Result<Vec<f32>, TchError> {
    let host = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?;
    let mut numbers = vec![0.0; host.numel()];
    let count = numbers.len();
    host.f_copy_data(&mut numbers, count)?;
    Ok(numbers)
}
