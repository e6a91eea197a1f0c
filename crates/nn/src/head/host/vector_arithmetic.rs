//! Optimizers' formulas on vector registers.

use std::convert::Infallible;

use pulp::Simd;

use crate::optimizer::Arithmetic;

/// Arithmetic on one vector of float32, with equal bits on every processor that has wide vectors.
pub(crate) struct Vectors<S>(pub(crate) S);

impl<S: Simd> Arithmetic for Vectors<S> {
    type Numbers = S::f32s;
    type Error = Infallible;

    #[inline(always)]
    fn multiply(&self, a: &S::f32s, b: &S::f32s) -> Result<S::f32s, Infallible> {
        Ok(self.0.mul_f32s(*a, *b))
    }

    #[inline(always)]
    fn divide(&self, a: &S::f32s, b: &S::f32s) -> Result<S::f32s, Infallible> {
        Ok(self.0.div_f32s(*a, *b))
    }

    #[inline(always)]
    fn square_root(&self, x: &S::f32s) -> Result<S::f32s, Infallible> {
        Ok(self.0.sqrt_f32s(*x))
    }

    /// Of x from 1e-30 to 1e30, to within three units in the last place: from a first guess by halving the exponent,
    /// three times Newton's iteration, each of which squares the error. Root and division of the processor would take
    /// four times as long, which is most of a step.
    #[inline(always)]
    fn inverse_root(&self, x: &S::f32s) -> Result<S::f32s, Infallible> {
        let simd = self.0;
        let halved = simd.wrapping_dyn_shr_u32s(simd.transmute_u32s_f32s(*x), simd.splat_u32s(1));
        let mut y = simd.transmute_f32s_u32s(simd.sub_u32s(simd.splat_u32s(0x5f37_5a86), halved));
        let minus_half = simd.mul_f32s(*x, simd.splat_f32s(-0.5));
        for _ in 0..2 {
            let correction = simd.mul_add_e_f32s(minus_half, simd.mul_f32s(y, y), simd.splat_f32s(1.5));
            y = simd.mul_f32s(y, correction);
        }
        // The last one as a small sum, which rounds less: y + y (1 - x y²) / 2.
        let rest = simd.mul_add_e_f32s(simd.mul_f32s(minus_half, y), y, simd.splat_f32s(0.5));
        Ok(simd.mul_add_e_f32s(y, rest, y))
    }

    #[inline(always)]
    fn plus(&self, x: &S::f32s, number: f64) -> Result<S::f32s, Infallible> {
        Ok(self.0.add_f32s(*x, self.0.splat_f32s(number as f32)))
    }

    #[inline(always)]
    fn scale(&self, x: &S::f32s, factor: f64) -> Result<S::f32s, Infallible> {
        Ok(self.0.mul_f32s(self.0.splat_f32s(factor as f32), *x))
    }

    #[inline(always)]
    fn towards(&self, from: &S::f32s, to: &S::f32s, share: f64) -> Result<S::f32s, Infallible> {
        let simd = self.0;
        Ok(simd.mul_add_e_f32s(simd.splat_f32s(share as f32), simd.sub_f32s(*to, *from), *from))
    }
}
