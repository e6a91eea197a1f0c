//! Keras `RMSprop(rho=0.9, momentum=0, epsilon=1e-7, centered=False)`.

use super::arithmetic::{Arithmetic, Formula};

const RHO: f64 = 0.9;
const EPSILON: f64 = 1e-7;

/// v ← v + (1 - ρ)(g² - v);  w ← w - η g / √(v + ε): Keras puts ε inside the root, libtorch outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RmsProp {
    pub(crate) rate: f64,
}

impl Formula<1> for RmsProp {
    #[inline(always)]
    fn step<A: Arithmetic>(
        &self,
        arithmetic: &A,
        gradient: &A::Numbers,
        [square]: [A::Numbers; 1],
    ) -> Result<([A::Numbers; 1], A::Numbers), A::Error> {
        let square = arithmetic.towards(&square, &arithmetic.multiply(gradient, gradient)?, 1.0 - RHO)?;
        let root = arithmetic.inverse_root(&arithmetic.plus(&square, EPSILON)?)?;
        let change = arithmetic.scale(&arithmetic.multiply(gradient, &root)?, self.rate)?;
        Ok(([square], change))
    }
}
