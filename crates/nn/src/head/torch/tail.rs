//! The last layers of a base, with gradients.

use convbase_bases::{Operation, Step};
use tch::Tensor;

use crate::engine::{activate, average_pool, convolve, max_pool, missing, pad, window};
use crate::head::Layer;
use crate::{Tail, TorchError};

/// The last map [rows, height · width · channels] of stored maps [rows, height · width · channels], channels last.
pub(super) fn forward(tail: &Tail, layers: &[Layer<Tensor>], stored: &Tensor) -> Result<Tensor, TorchError> {
    let [height, width, channels] = tail.map().map(|side| side as i64);
    let map = stored.f_view([-1, height, width, channels])?.f_permute([0, 3, 1, 2])?; // [rows, channels, height, width]
    let mut values = vec![map];
    let mut layers = layers.iter();
    for step in tail.steps() {
        let value = compute(step, &values, &mut layers)?; // [rows, channels, height, width]
        values.push(value);
    }
    let last = values.pop().ok_or_else(missing)?;
    Ok(last.f_permute([0, 2, 3, 1])?.f_flatten(1, -1)?) // [rows, height · width · channels]
}

fn compute<'a>(
    step: &Step,
    values: &[Tensor],
    layers: &mut impl Iterator<Item = &'a Layer<Tensor>>,
) -> Result<Tensor, TorchError> {
    let inputs: Vec<&Tensor> = step.inputs.iter().filter_map(|&input| values.get(input)).collect();
    let first = inputs.first().copied().ok_or_else(missing)?;
    Ok(match &step.operation {
        Operation::Convolution(convolution) => {
            let Layer { weight, bias } = layers.next().ok_or_else(missing)?;
            let (window, before) = window(convolution);
            let padded = before.map(|padding| pad(first, &padding, 0.0)).transpose()?;
            let sums = convolve(padded.as_ref().unwrap_or(first), weight, bias, window)?;
            activate(sums, convolution.activation)?
        }
        Operation::MaxPool(pool) => max_pool(first, pool)?,
        Operation::AveragePool(pool) => average_pool(first, pool)?,
        Operation::Pad { padding } => pad(first, padding, 0.0)?,
        Operation::Add { activation } => {
            let mut sum = first.shallow_clone();
            for other in &inputs[1..] {
                sum = sum.f_add(other)?;
            }
            activate(sum, *activation)?
        }
        Operation::Concatenate => Tensor::f_cat(&inputs, 1)?,
        Operation::Activation(activation) => activate(first.shallow_clone(), *activation)?,
        Operation::Affine { .. } => {
            let Layer { weight: scale, bias: shift } = layers.next().ok_or_else(missing)?;
            let channels = |tensor: &Tensor| tensor.f_view([1, -1, 1, 1]);
            first.f_mul(&channels(scale)?)?.f_add(&channels(shift)?)?
        }
    })
}
