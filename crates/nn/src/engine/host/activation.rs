//! What a sum becomes before it is stored.

use convbase_core::Precision;
use pulp::Simd;

/// Adds the bias, takes the positive part (ReLU), and in bf16 rounds to its eight significant bits.
#[inline(always)]
pub(super) fn activate<S: Simd>(simd: S, sum: S::f32s, bias: S::f32s, precision: Precision) -> S::f32s {
    let positive = simd.max_f32s(simd.add_f32s(sum, bias), simd.splat_f32s(0.0));
    match precision {
        Precision::Float32 => positive,
        Precision::BFloat16 => round_to_bf16(simd, positive),
    }
}

/// To the nearest bf16, from the middle to the even one, as processors that multiply bf16 round. For finite values that
/// are not negative.
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

    struct Activate<'a>(&'a mut [f32], Precision);

    impl WithSimd for Activate<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (values, rest) = S::as_mut_simd_f32s(self.0);
            assert!(rest.is_empty());
            for value in values {
                *value = activate(simd, *value, simd.splat_f32s(0.5), self.1);
            }
        }
    }

    #[test]
    fn sums_are_biased_made_positive_and_rounded_to_the_nearest_bf16() {
        let mut sums: Vec<f32> = draw(61, 3).into_iter().map(|value| value * 1000.0).collect();
        // Exactly between two bf16 values above 1, below an even one and above it; the least step over such a middle.
        sums.extend([1.0 + 1.0 / 256.0 - 0.5, 1.0 + 3.0 / 256.0 - 0.5, 1.003_906_4 - 0.5]);
        for arch in arches() {
            for precision in [Precision::Float32, Precision::BFloat16] {
                let mut found = sums.clone();
                arch.dispatch(Activate(&mut found, precision));
                for (sum, found) in sums.iter().zip(found) {
                    let positive = (sum + 0.5).max(0.0);
                    let expected = match precision {
                        Precision::Float32 => positive,
                        Precision::BFloat16 => bf16::from_f32(positive).to_f32(),
                    };
                    assert_eq!(found, expected, "{sum} in {precision}");
                }
            }
        }
    }
}
