//! Optimizers with Keras' formulas and defaults, written out on tensors.
//!
//! libtorch's own differ (RMSprop: alpha 0.99, epsilon outside the root; Adam: epsilon 1e-8), and their state cannot
//! be reached from here.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::TorchError;
use crate::dense::{Formula, update};
use crate::floats::{floats, floats_mut};
use crate::threads::threads;
use crate::vectors::vector_instructions;

/// Which formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Keras `RMSprop(rho=0.9, momentum=0, epsilon=1e-7, centered=False)`.
    RmsProp,
    /// Keras `Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7)`; Kingma and Ba 2015.
    Adam,
    /// Keras `SGD(momentum=0)`.
    Sgd,
}

/// A name that is no optimizer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("optimizer: expected one of rmsprop, adam, sgd, found `{0}`")]
pub struct UnknownOptimizer(String);

/// An optimizer with its moments.
#[derive(Debug)]
pub struct Optimizer {
    kind: OptimizerKind,
    learning_rate: f64,
    /// Per parameter: RMSprop holds the mean square, Adam mean and mean square, SGD nothing.
    moments: Vec<Vec<Tensor>>,
    steps: i32,
}

/// A parameter's gradient.
#[derive(Debug)]
pub(crate) enum Gradient<'a> {
    /// Shaped like the parameter.
    Whole(Tensor),
    /// That of a wide layer's weights [units, features] on a processor with wide vectors: `outputs`, transposed, times
    /// `rows`, not multiplied out.
    Product {
        /// Each `[features]`.
        rows: &'a [Cow<'a, [f32]>],
        /// The gradient of what the units sum up, [rows, units].
        outputs: Tensor,
    },
}

const EPSILON: f64 = 1e-7;
const RHO: f64 = 0.9;
const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;

impl Optimizer {
    /// An optimizer for parameters of these shapes, all moments zero.
    pub fn new(kind: OptimizerKind, learning_rate: f64, parameters: &[Tensor]) -> Result<Self, TorchError> {
        let zeros =
            |parameter: &Tensor| (0..kind.slots()).map(|_| parameter.f_detach()?.f_zeros_like()).collect();
        let moments = parameters.iter().map(zeros).collect::<Result<_, tch::TchError>>()?;
        Ok(Self { kind, learning_rate, moments, steps: 0 })
    }

    /// An optimizer as it was after some steps: per parameter its moments, in the order of [`moments`](Self::moments).
    pub fn from_moments(
        kind: OptimizerKind,
        learning_rate: f64,
        moments: Vec<Vec<Tensor>>,
        steps: i32,
    ) -> Self {
        Self { kind, learning_rate, moments, steps }
    }

    /// The same optimizer with other moments.
    pub(crate) fn with_moments(&self, moments: Vec<Vec<Tensor>>) -> Self {
        Self { moments, ..*self }
    }

    /// Per parameter its moments: RMSprop the mean square, Adam mean and mean square, SGD none.
    pub fn moments(&self) -> &[Vec<Tensor>] {
        &self.moments
    }

    /// The formula.
    pub fn kind(&self) -> OptimizerKind {
        self.kind
    }

    /// How many steps were taken.
    pub fn steps(&self) -> i32 {
        self.steps
    }

    /// Takes one step along `gradients`, which stand in the order of `parameters`.
    pub fn step(&mut self, parameters: &mut [Tensor], gradients: &[Tensor]) -> Result<(), TorchError> {
        let whole: Vec<Gradient> = gradients.iter().map(|one| Gradient::Whole(one.shallow_clone())).collect();
        self.step_along(parameters, &whole)
    }

    /// The same along gradients that may not be multiplied out.
    pub(crate) fn step_along(
        &mut self,
        parameters: &mut [Tensor],
        gradients: &[Gradient],
    ) -> Result<(), TorchError> {
        let _guard = tch::no_grad_guard();
        self.steps = self.steps.saturating_add(1);
        let formula = self.formula();
        for ((parameter, gradient), moments) in parameters.iter_mut().zip(gradients).zip(&mut self.moments) {
            match gradient {
                Gradient::Whole(gradient) => step_on_tensors(formula, parameter, moments, gradient)?,
                Gradient::Product { rows, outputs } => {
                    let rows: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
                    let outputs = outputs.f_contiguous()?;
                    let slices = moments.iter_mut().map(floats_mut).collect::<Option<Vec<_>>>();
                    match (vector_instructions(), floats(&outputs), floats_mut(parameter), slices) {
                        (Some(arch), Some(outputs), Some(weights), Some(moments)) => {
                            update(arch, &rows, outputs, weights, moments, formula, threads());
                        }
                        _ => unreachable!("a product is only made where it can be used"),
                    }
                }
            }
        }
        Ok(())
    }

    /// The formula of the step that was begun.
    fn formula(&self) -> Formula {
        let rate = self.learning_rate;
        match self.kind {
            OptimizerKind::RmsProp => Formula::RmsProp { rate, rho: RHO, epsilon: EPSILON },
            OptimizerKind::Adam => {
                // Both means start at zero, which this makes up for.
                let rate = rate * (1.0 - BETA_2.powi(self.steps)).sqrt() / (1.0 - BETA_1.powi(self.steps));
                Formula::Adam { rate, beta_1: BETA_1, beta_2: BETA_2, epsilon: EPSILON }
            }
            OptimizerKind::Sgd => Formula::Sgd { rate },
        }
    }
}

/// The step on any device.
fn step_on_tensors(
    formula: Formula,
    parameter: &mut Tensor,
    moments: &mut [Tensor],
    gradient: &Tensor,
) -> Result<(), TorchError> {
    match (formula, moments) {
        (Formula::RmsProp { rate, rho, epsilon }, [square]) => {
            let _ = square.f_lerp_(&gradient.f_square()?, 1.0 - rho)?;
            let mut step = square.f_add_scalar(epsilon)?.f_rsqrt_()?.f_mul_(gradient)?;
            let _ = parameter.f_sub_(&step.f_mul_scalar_(rate)?)?;
        }
        (Formula::Adam { rate, beta_1, beta_2, epsilon }, [mean, square]) => {
            let _ = mean.f_lerp_(gradient, 1.0 - beta_1)?;
            let _ = square.f_lerp_(&gradient.f_square()?, 1.0 - beta_2)?;
            let mut step = mean.f_div(&square.f_sqrt()?.f_add_scalar_(epsilon)?)?;
            let _ = parameter.f_sub_(&step.f_mul_scalar_(rate)?)?;
        }
        (Formula::Sgd { rate }, _) => {
            let _ = parameter.f_sub_(&gradient.f_mul_scalar(rate)?)?;
        }
        (formula, moments) => unreachable!("{formula:?} with {} moments", moments.len()),
    }
    Ok(())
}

impl OptimizerKind {
    /// Moments per parameter.
    pub fn slots(self) -> usize {
        match self {
            Self::RmsProp => 1,
            Self::Adam => 2,
            Self::Sgd => 0,
        }
    }
}

impl fmt::Display for OptimizerKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::RmsProp => "rmsprop",
            Self::Adam => "adam",
            Self::Sgd => "sgd",
        })
    }
}

impl FromStr for OptimizerKind {
    type Err = UnknownOptimizer;

    fn from_str(text: &str) -> Result<Self, UnknownOptimizer> {
        match text {
            "rmsprop" => Ok(Self::RmsProp),
            "adam" => Ok(Self::Adam),
            "sgd" => Ok(Self::Sgd),
            _ => Err(UnknownOptimizer(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One parameter of one number, and the same formula in double precision.
    fn walk(kind: OptimizerKind, mut formula: impl FnMut(f64, f64) -> f64) {
        let mut parameters = [Tensor::from_slice(&[1.0_f32])];
        let mut optimizer = Optimizer::new(kind, 0.01, &parameters).unwrap();
        let mut expected = 1.0;
        for gradient in [0.5, -0.25, 2.0, 1e-6, 0.0] {
            optimizer.step(&mut parameters, &[Tensor::from_slice(&[gradient as f32])]).unwrap();
            expected = formula(expected, gradient);
            let found = parameters[0].double_value(&[0]);
            assert!((found - expected).abs() < 1e-6, "{kind}: expected {expected}, found {found}");
        }
    }

    #[test]
    fn rmsprop_follows_kerass_formula() {
        let mut square = 0.0;
        walk(OptimizerKind::RmsProp, |weight, gradient| {
            square = 0.9 * square + 0.1 * gradient * gradient;
            weight - 0.01 * gradient / (square + 1e-7).sqrt()
        });
    }

    #[test]
    fn adam_follows_kerass_formula() {
        let (mut mean, mut square, mut step) = (0.0, 0.0, 0);
        walk(OptimizerKind::Adam, |weight, gradient| {
            step += 1;
            mean = 0.9 * mean + 0.1 * gradient;
            square = 0.999 * square + 0.001 * gradient * gradient;
            let rate = 0.01 * (1.0 - 0.999_f64.powi(step)).sqrt() / (1.0 - 0.9_f64.powi(step));
            weight - rate * mean / (square.sqrt() + 1e-7)
        });
    }

    #[test]
    fn sgd_follows_the_gradient() {
        walk(OptimizerKind::Sgd, |weight, gradient| weight - 0.01 * gradient);
    }
}
