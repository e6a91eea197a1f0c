//! The gradient that a layer hands to the one before it.

use pulp::{Arch, Simd, WithSimd};

/// The gradient [rows, inputs] of what went into a layer with `weights` [units, inputs], from the gradient of what came
/// out, `gradients` [rows, units]: their product. Each number is one fixed sequence, unit after unit.
pub(crate) fn input_gradient(arch: Arch, gradients: &[f32], weights: &[f32], inputs: usize) -> Vec<f32> {
    let units = weights.len() / inputs.max(1);
    let mut sums = vec![0.0; gradients.len() / units.max(1) * inputs];
    arch.dispatch(InputGradient { gradients, weights, sums: &mut sums, units, inputs });
    sums
}

struct InputGradient<'a> {
    gradients: &'a [f32],
    weights: &'a [f32],
    sums: &'a mut [f32],
    units: usize,
    inputs: usize,
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.gradients.chunks_exact(self.units.max(1));
        for (gradients, sums) in rows.zip(self.sums.chunks_exact_mut(self.inputs.max(1))) {
            for (gradient, weights) in gradients.iter().zip(self.weights.chunks_exact(self.inputs.max(1))) {
                let factor = simd.splat_f32s(*gradient);
                let (sum_vectors, sum_rest) = S::as_mut_simd_f32s(sums);
                let (weight_vectors, weight_rest) = S::as_simd_f32s(weights);
                for (sum, weight) in sum_vectors.iter_mut().zip(weight_vectors) {
                    *sum = simd.mul_add_e_f32s(factor, *weight, *sum);
                }
                let weight = simd.partial_load_f32s(weight_rest);
                let sum = simd.mul_add_e_f32s(factor, weight, simd.partial_load_f32s(sum_rest));
                simd.partial_store_f32s(sum_rest, sum);
            }
        }
    }
}
