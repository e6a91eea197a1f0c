//! A normalisation as scale and shift, and how a convolution takes it in.

use super::step::Convolution;

/// x · scale + shift by channel, in float64.
pub(super) struct Affine {
    pub(super) scale: Vec<f64>,
    pub(super) shift: Vec<f64>,
}

impl Affine {
    /// gamma · (x − mean) / √(variance + epsilon) + beta (Ioffe and Szegedy 2015, algorithm 2). Without gamma it is 1.
    pub(super) fn normalisation(
        gamma: Option<&[f32]>,
        beta: &[f32],
        mean: &[f32],
        variance: &[f32],
        epsilon: f64,
    ) -> Self {
        let gamma = |channel| gamma.map_or(1.0, |gamma: &[f32]| f64::from(gamma[channel]));
        let scale: Vec<f64> = variance
            .iter()
            .enumerate()
            .map(|(channel, &variance)| gamma(channel) / (f64::from(variance) + epsilon).sqrt())
            .collect();
        let shift = scale
            .iter()
            .zip(beta.iter().zip(mean))
            .map(|(scale, (&beta, &mean))| f64::from(beta) - f64::from(mean) * scale)
            .collect();
        Self { scale, shift }
    }

    /// Makes the convolution give what this makes of its sums. Each number is computed in float64 and rounded once.
    pub(super) fn fold_into(&self, convolution: &mut Convolution) {
        let row = convolution.weight.len() / self.scale.len();
        let weights = convolution.weight.chunks_exact_mut(row).zip(&mut convolution.bias);
        for ((weights, bias), (&scale, &shift)) in weights.zip(self.scale.iter().zip(&self.shift)) {
            for weight in weights {
                *weight = (f64::from(*weight) * scale) as f32;
            }
            *bias = (f64::from(*bias) * scale + shift) as f32;
        }
    }
}
