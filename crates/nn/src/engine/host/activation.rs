//! What a sum becomes before it is stored.

use convbase_bases::Activation;
use convbase_core::Precision;
use pulp::Simd;

/// An activation, and the precision of what is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finish {
    pub(super) activation: Activation,
    pub(super) precision: Precision,
}

/// The limits of an activation in registers.
#[derive(Clone, Copy)]
pub(super) struct Limits<S: Simd> {
    least: S::f32s,
    most: S::f32s,
    rounds: bool,
}

impl Finish {
    #[inline(always)]
    pub(super) fn limits<S: Simd>(self, simd: S) -> Limits<S> {
        let (least, most) = match self.activation {
            Activation::None => (f32::NEG_INFINITY, f32::INFINITY),
            Activation::Relu => (0.0, f32::INFINITY),
            Activation::Relu6 => (0.0, 6.0),
        };
        Limits {
            least: simd.splat_f32s(least),
            most: simd.splat_f32s(most),
            rounds: self.precision == Precision::BFloat16,
        }
    }
}

impl<S: Simd> Limits<S> {
    /// The limits of the activation, and rounding to bf16's eight significant bits where that is asked for.
    #[inline(always)]
    pub(super) fn apply(&self, simd: S, sum: S::f32s) -> S::f32s {
        self.round(simd, simd.min_f32s(simd.max_f32s(sum, self.least), self.most))
    }

    /// Rounds where what is stored is bf16.
    #[inline(always)]
    pub(super) fn round(&self, simd: S, value: S::f32s) -> S::f32s {
        if self.rounds { round_to_bf16(simd, value) } else { value }
    }

    /// Rounds all sums where what is stored is bf16.
    #[inline(always)]
    pub(super) fn round_all<const N: usize, const M: usize>(&self, simd: S, sums: &mut [[S::f32s; N]; M]) {
        if self.rounds {
            for sum in sums.as_flattened_mut() {
                *sum = round_to_bf16(simd, *sum);
            }
        }
    }

    /// [`Limits::apply`] to all sums, one thing after the other, so that they stay in registers.
    #[inline(always)]
    pub(super) fn apply_all<const N: usize, const M: usize>(&self, simd: S, sums: &mut [[S::f32s; N]; M]) {
        for sum in sums.as_flattened_mut() {
            *sum = simd.min_f32s(simd.max_f32s(*sum, self.least), self.most);
        }
        self.round_all(simd, sums);
    }
}

/// Adds the bias to the sums of each pixel.
#[inline(always)]
pub(super) fn add_bias<S: Simd, const N: usize, const M: usize>(
    simd: S,
    sums: &mut [[S::f32s; N]; M],
    bias: &[S::f32s; N],
) {
    for sums in sums {
        for (sum, bias) in sums.iter_mut().zip(bias) {
            *sum = simd.add_f32s(*sum, *bias);
        }
    }
}

/// To the nearest bf16, from the middle to the even one, as processors that multiply bf16 round. For finite values.
#[inline(always)]
fn round_to_bf16<S: Simd>(simd: S, value: S::f32s) -> S::f32s {
    let bits = simd.transmute_u32s_f32s(value);
    let dropped = simd.splat_u32s(16);
    let odd = simd.and_u32s(simd.wrapping_dyn_shr_u32s(bits, dropped), simd.splat_u32s(1));
    let raised = simd.add_u32s(bits, simd.add_u32s(odd, simd.splat_u32s(0x7fff)));
    simd.transmute_f32s_u32s(simd.and_u32s(raised, simd.splat_u32s(0xffff_0000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::trials::{arches, draw};
    use half::bf16;
    use pulp::WithSimd;

    struct Apply<'a>(&'a mut [f32], Finish);

    impl WithSimd for Apply<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (values, rest) = S::as_mut_simd_f32s(self.0);
            assert!(rest.is_empty());
            for value in values {
                *value = self.1.limits(simd).apply(simd, *value);
            }
        }
    }

    #[test]
    fn sums_are_kept_within_the_activations_limits_and_rounded_to_the_nearest_bf16() {
        let mut sums: Vec<f32> = draw(61, 3).into_iter().map(|value| value * 1000.0).collect();
        // Exactly between two bf16 values above 1, below an even one and above it; the least step over such a middle.
        sums.extend([1.0 + 1.0 / 256.0, -1.0 - 3.0 / 256.0, 1.003_906_4]);
        for arch in arches() {
            for precision in [Precision::Float32, Precision::BFloat16] {
                for (activation, least, most) in [
                    (Activation::None, f32::MIN, f32::MAX),
                    (Activation::Relu, 0.0, f32::MAX),
                    (Activation::Relu6, 0.0, 6.0),
                ] {
                    let mut found = sums.clone();
                    arch.dispatch(Apply(&mut found, Finish { activation, precision }));
                    for (sum, found) in sums.iter().zip(found) {
                        let within = sum.clamp(least, most);
                        let expected = match precision {
                            Precision::Float32 | Precision::Int8 => within,
                            Precision::BFloat16 => bf16::from_f32(within).to_f32(),
                        };
                        assert_eq!(found, expected, "{sum} in {precision}, {activation:?}");
                    }
                }
            }
        }
    }
}
