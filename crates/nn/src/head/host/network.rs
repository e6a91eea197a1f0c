//! Forward, backward and step of a head.

use std::borrow::Cow;
use std::convert::Infallible;

use aligned_vec::{AVec, CACHELINE_ALIGN};
use pulp::Arch;
use tch::Device;

use super::{cross_entropy, gradient_of_cross_entropy, input_gradient, is_right, products, update};
use crate::head::back_end::{BackEnd, Step};
use crate::head::dropout::Dropout;
use crate::head::parameters::{Layer, Parameters};
use crate::minibatch::Minibatch;
use crate::optimizer::{Apply, Formula, Optimizer};
use crate::tensor_file::FloatTensor;
use crate::threads::threads;
use crate::training::Totals;
use crate::{Activation, HeadShape, TorchError};

/// A head in the processor's memory.
#[derive(Debug, Clone)]
pub(crate) struct HostHead {
    shape: HeadShape,
    parameters: Parameters<AVec<f32>>,
    arch: Arch,
}

/// What a pass through the head leaves.
struct Forward {
    /// What goes into the output layer, [rows, inputs], where that is not the features as they lie.
    inputs: Option<Vec<f32>>,
    /// How much each of the hidden layer's sums moves its input of the output layer, [rows, hidden].
    slopes: Vec<f32>,
    /// [rows, outputs]
    logits: Vec<f32>,
}

/// The gradient of a parameter [units, inputs]: `outputs`, transposed, times `rows`, not multiplied out.
struct Gradient<'a> {
    /// Each `[inputs]`.
    rows: Vec<&'a [f32]>,
    /// [rows, units]
    outputs: &'a [f32],
}

impl HostHead {
    /// The same in memory that the vectors like.
    pub(crate) fn from_parameters(shape: HeadShape, parameters: Parameters<AVec<f32>>) -> Self {
        Self { shape, parameters, arch: Arch::new() }
    }

    #[cfg(test)]
    pub(crate) fn with_arch(self, arch: Arch) -> Self {
        Self { arch, ..self }
    }

    fn forward(&self, rows: &[&[f32]], dropout: Dropout) -> Forward {
        let (inputs, slopes) = match &self.parameters.hidden {
            Some(layer) => {
                let mut units = products(self.arch, rows, &layer.weight, &layer.bias, threads());
                let mut slopes = dropout.factors(units.len());
                for (unit, slope) in units.iter_mut().zip(&mut slopes) {
                    // Not `max`, which would hide a NaN.
                    if self.shape.activation == Activation::Relu && *unit <= 0.0 {
                        (*unit, *slope) = (0.0, 0.0);
                    }
                    *unit *= *slope;
                }
                (Some(units), slopes)
            }
            None if dropout.is_none() => (None, Vec::new()),
            None => {
                let mut features = rows.concat();
                dropout.apply(&mut features);
                (Some(features), Vec::new())
            }
        };
        let Layer { weight, bias } = &self.parameters.output;
        let logits = products(self.arch, &self.output_rows(&inputs, rows), weight, bias, threads());
        Forward { inputs, slopes, logits }
    }

    /// What goes into the output layer, row by row.
    fn output_rows<'a>(&self, inputs: &'a Option<Vec<f32>>, rows: &[&'a [f32]]) -> Vec<&'a [f32]> {
        match inputs {
            Some(inputs) => inputs.chunks_exact(self.shape.output_inputs().max(1)).collect(),
            None => rows.to_vec(),
        }
    }

    /// The gradient of what the hidden layer's units sum up, [rows, hidden], where there is one.
    fn hidden_gradient(&self, gradients: &[f32], slopes: &[f32]) -> Option<Vec<f32>> {
        self.parameters.hidden.as_ref()?;
        let weights = &self.parameters.output.weight;
        let mut hidden = input_gradient(self.arch, gradients, weights, self.shape.hidden);
        hidden.iter_mut().zip(slopes).for_each(|(gradient, slope)| *gradient *= slope);
        Some(hidden)
    }
}

impl BackEnd for HostHead {
    type Array = AVec<f32>;
    type Sums = Totals;

    fn new(shape: HeadShape, parameters: Parameters<FloatTensor>, _: Device) -> Result<Self, TorchError> {
        Ok(Self::from_parameters(shape, parameters.map(|tensor| aligned(&tensor.numbers))))
    }

    fn shape(&self) -> &HeadShape {
        &self.shape
    }

    fn parameters(&self) -> &Parameters<AVec<f32>> {
        &self.parameters
    }

    fn array(&self, tensor: FloatTensor) -> Result<AVec<f32>, TorchError> {
        Ok(aligned(&tensor.numbers))
    }

    fn numbers(array: &AVec<f32>) -> Result<Cow<'_, [f32]>, TorchError> {
        Ok(Cow::Borrowed(array))
    }

    fn logits(&self, rows: &[&[f32]]) -> Result<Vec<f32>, TorchError> {
        let prepared = self.shape.input.prepared(rows);
        Ok(self.forward(&references(&prepared), Dropout::NONE).logits)
    }

    fn sums(&self, totals: Totals) -> Result<Totals, TorchError> {
        Ok(totals)
    }

    fn totals(sums: &Totals) -> Result<Totals, TorchError> {
        Ok(*sums)
    }

    fn measure(&self, minibatch: &Minibatch, sums: &mut Totals) -> Result<(), TorchError> {
        let logits = self.logits(&minibatch.rows())?;
        for (logits, &label) in logits.chunks_exact(self.shape.outputs()).zip(&minibatch.labels) {
            sums.add(cross_entropy(logits, label), is_right(logits, label));
        }
        Ok(())
    }

    fn step(
        &mut self,
        optimizer: &mut Optimizer<AVec<f32>>,
        minibatch: &Minibatch,
        how: &Step,
        sums: &mut Totals,
    ) -> Result<(), TorchError> {
        let prepared = self.shape.input.prepared(&minibatch.rows());
        let rows = references(&prepared);
        let Forward { inputs, slopes, logits } = self.forward(&rows, how.dropout);
        let outputs = self.shape.outputs();
        let mut gradients = vec![0.0; logits.len()]; // [rows, outputs]
        let samples = logits.chunks_exact(outputs).zip(gradients.chunks_exact_mut(outputs));
        for ((logits, gradient), &label) in samples.zip(&minibatch.labels) {
            let weight = how.weight(label);
            sums.add(weight * cross_entropy(logits, label), is_right(logits, label));
            // Keras divides by the number of samples, not by the sum of their weights.
            gradient_of_cross_entropy(logits, label, weight / rows.len() as f64, gradient);
        }
        let hidden = self.hidden_gradient(&gradients, &slopes);
        let output_rows = self.output_rows(&inputs, &rows);
        let ones = vec![1.0; rows.len()];
        let gradients = Parameters {
            tail: Vec::new(), // Heads with a tail are computed by the other back end.
            hidden: hidden.as_ref().map(|hidden| layer_gradients(rows, hidden, &ones)),
            output: layer_gradients(output_rows, &gradients, &ones),
        };
        let Ok(()) = optimizer.step(Descent { head: self, gradients });
        Ok(())
    }
}

/// The gradients of a layer whose `inputs` are each `[inputs]` and whose sums' gradient is `outputs` [rows, units].
fn layer_gradients<'a>(inputs: Vec<&'a [f32]>, outputs: &'a [f32], ones: &'a [f32]) -> Layer<Gradient<'a>> {
    // The bias is a unit whose inputs are the sums' gradients, each as it is.
    let units = outputs.len() / inputs.len().max(1);
    let bias = Gradient { rows: outputs.chunks_exact(units.max(1)).collect(), outputs: ones };
    Layer { weight: Gradient { rows: inputs, outputs }, bias }
}

/// One step of all parameters along their gradients.
struct Descent<'a> {
    head: &'a mut HostHead,
    gradients: Parameters<Gradient<'a>>,
}

impl Apply<AVec<f32>> for Descent<'_> {
    type Error = Infallible;

    fn apply<const SLOTS: usize>(
        self,
        formula: impl Formula<SLOTS>,
        moments: &mut Parameters<[AVec<f32>; SLOTS]>,
    ) -> Result<(), Infallible> {
        let parameters = self.head.parameters.as_mut().in_order().zip(moments.as_mut().in_order());
        for ((parameter, moments), gradient) in parameters.zip(self.gradients.in_order()) {
            let moments = moments.each_mut().map(|moment| &mut moment[..]);
            let Gradient { rows, outputs } = gradient;
            update(self.head.arch, &rows, outputs, parameter, moments, formula, threads());
        }
        Ok(())
    }
}

fn references<'a>(rows: &'a [Cow<'_, [f32]>]) -> Vec<&'a [f32]> {
    rows.iter().map(|row| &row[..]).collect()
}

/// A copy in memory that begins where a cache line does: no load of a vector then crosses two.
pub(crate) fn aligned(numbers: &[f32]) -> AVec<f32> {
    AVec::from_slice(CACHELINE_ALIGN, numbers)
}
