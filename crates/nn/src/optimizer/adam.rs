//! Keras `Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7)`; Kingma and Ba 2015.

use super::arithmetic::{Arithmetic, Formula};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-7;

/// m ← m + (1 - β₁)(g - m);  v ← v + (1 - β₂)(g² - v);  w ← w - η' m / (√v + ε)
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adam {
    /// η' = η √(1 - β₂ᵗ) / (1 - β₁ᵗ): both means start at zero, which this makes up for.
    rate: f64,
}

impl Adam {
    /// The formula of step `step`, from 1.
    pub(crate) fn new(learning_rate: f64, step: i32) -> Self {
        Self { rate: learning_rate * (1.0 - BETA_2.powi(step)).sqrt() / (1.0 - BETA_1.powi(step)) }
    }
}

impl Formula<2> for Adam {
    #[inline(always)]
    fn step<A: Arithmetic>(
        &self,
        arithmetic: &A,
        gradient: &A::Numbers,
        [mean, square]: [A::Numbers; 2],
    ) -> Result<([A::Numbers; 2], A::Numbers), A::Error> {
        let mean = arithmetic.towards(&mean, gradient, 1.0 - BETA_1)?;
        let square = arithmetic.towards(&square, &arithmetic.multiply(gradient, gradient)?, 1.0 - BETA_2)?;
        let root = arithmetic.plus(&arithmetic.square_root(&square)?, EPSILON)?;
        let change = arithmetic.scale(&arithmetic.divide(&mean, &root)?, self.rate)?;
        Ok(([mean, square], change))
    }
}
