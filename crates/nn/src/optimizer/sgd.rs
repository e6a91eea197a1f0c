//! Keras `SGD(momentum=0)`.

use super::arithmetic::{Arithmetic, Formula};

/// w ← w - η g
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sgd {
    pub(crate) rate: f64,
}

impl Formula<0> for Sgd {
    #[inline(always)]
    fn step<A: Arithmetic>(
        &self,
        arithmetic: &A,
        gradient: &A::Numbers,
        []: [A::Numbers; 0],
    ) -> Result<([A::Numbers; 0], A::Numbers), A::Error> {
        Ok(([], arithmetic.scale(gradient, self.rate)?))
    }
}
