//! Optimizers with Keras' formulas and defaults, written out on tensors.
//!
//! libtorch's own differ (RMSprop: alpha 0.99, epsilon outside the root; Adam: epsilon 1e-8), and their state cannot
//! be reached from here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::TorchError;

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

/// Numbers that are worth a thread of their own.
const LEAST_PART: usize = 1 << 16;
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
        let _guard = tch::no_grad_guard();
        self.steps = self.steps.saturating_add(1);
        for ((parameter, gradient), moments) in parameters.iter_mut().zip(gradients).zip(&mut self.moments) {
            if self.kind == OptimizerKind::RmsProp
                && let [square] = &mut moments[..]
                && let (Some(weights), Some(squares), Some(gradients)) =
                    (floats_mut(parameter), floats_mut(square), floats(gradient))
            {
                step_rms_prop(weights, squares, gradients, self.learning_rate as f32);
                continue;
            }
            match (self.kind, &mut moments[..]) {
                (OptimizerKind::RmsProp, [square]) => {
                    // v ← v + (1 - ρ)(g² - v);  w ← w - η g / √(v + ε): Keras puts ε inside the root.
                    let _ = square.f_lerp_(&gradient.f_square()?, 1.0 - RHO)?;
                    let mut step = square.f_add_scalar(EPSILON)?.f_rsqrt_()?.f_mul_(gradient)?;
                    let _ = parameter.f_sub_(&step.f_mul_scalar_(self.learning_rate)?)?;
                }
                (OptimizerKind::Adam, [mean, square]) => {
                    // m ← m + (1 - β₁)(g - m);  v ← v + (1 - β₂)(g² - v);
                    // w ← w - η √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + ε)
                    let rate = self.learning_rate * (1.0 - BETA_2.powi(self.steps)).sqrt()
                        / (1.0 - BETA_1.powi(self.steps));
                    let _ = mean.f_lerp_(gradient, 1.0 - BETA_1)?;
                    let _ = square.f_lerp_(&gradient.f_square()?, 1.0 - BETA_2)?;
                    let mut step = mean.f_div(&square.f_sqrt()?.f_add_scalar_(EPSILON)?)?;
                    let _ = parameter.f_sub_(&step.f_mul_scalar_(rate)?)?;
                }
                _ => {
                    let _ = parameter.f_sub_(&gradient.f_mul_scalar(self.learning_rate)?)?;
                }
            }
        }
        Ok(())
    }
}

/// RMSprop's step in one pass over memory, which is what it waits for: libtorch's operators would take seven passes,
/// four of them over tensors of their own.
fn step_rms_prop(weights: &mut [f32], squares: &mut [f32], gradients: &[f32], rate: f32) {
    let step = |((weight, square), gradient): ((&mut f32, &mut f32), &f32)| {
        *square += (1.0 - RHO) as f32 * (gradient * gradient - *square);
        *weight -= rate * gradient / (*square + EPSILON as f32).sqrt();
    };
    let threads = usize::try_from(tch::get_num_threads()).unwrap_or(1).max(1);
    let part = weights.len().div_ceil(threads).max(LEAST_PART);
    let parts = weights.chunks_mut(part).zip(squares.chunks_mut(part)).zip(gradients.chunks(part));
    std::thread::scope(|scope| {
        let mut parts = parts.into_iter();
        let own = parts.next();
        for ((weights, squares), gradients) in parts {
            scope.spawn(move || weights.iter_mut().zip(squares).zip(gradients).for_each(step));
        }
        if let Some(((weights, squares), gradients)) = own {
            weights.iter_mut().zip(squares).zip(gradients).for_each(step);
        }
    });
}

/// The numbers of a tensor that lies in one piece in the processor's memory.
fn floats(tensor: &Tensor) -> Option<&[f32]> {
    let pointer = plain(tensor)?;
    // SAFETY: the tensor owns so many floats, which nobody changes while it is borrowed: libtorch is not called.
    #[expect(unsafe_code, reason = "the numbers are read where they lie")]
    Some(unsafe { std::slice::from_raw_parts(pointer, tensor.numel()) })
}

/// The same, to be changed.
fn floats_mut(tensor: &mut Tensor) -> Option<&mut [f32]> {
    let pointer = plain(tensor)?;
    // SAFETY: as above; parameters and moments are no views of one another.
    #[expect(unsafe_code, reason = "the numbers are changed where they lie")]
    Some(unsafe { std::slice::from_raw_parts_mut(pointer, tensor.numel()) })
}

fn plain(tensor: &Tensor) -> Option<*mut f32> {
    let is_plain = tensor.device() == Device::Cpu && tensor.kind() == Kind::Float && tensor.is_contiguous();
    (is_plain && tensor.numel() > 0).then(|| tensor.data_ptr().cast())
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
