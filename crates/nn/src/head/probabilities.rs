//! From logits to probabilities.

/// Probabilities of all classes, row-major [rows, classes], of logits [rows, outputs]: a sigmoid where there is one
/// output, else a softmax; in float64.
pub(crate) fn probabilities(logits: &[f32], outputs: usize) -> Vec<f64> {
    let mut probabilities = Vec::with_capacity(logits.len().max(logits.len() * 2 / outputs.max(1)));
    for logits in logits.chunks_exact(outputs.max(1)) {
        match *logits {
            // 1 - σ(x) = σ(-x), which keeps the small one of the two exact.
            [logit] => probabilities.extend([-f64::from(logit), f64::from(logit)].map(sigmoid)),
            _ => probabilities.extend(softmax(logits)),
        }
    }
    probabilities
}

/// 1 / (1 + e⁻ˣ)
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// eˣ / Σ eˣ, each x reduced by the greatest so that nothing overflows.
pub(crate) fn softmax(logits: &[f32]) -> impl Iterator<Item = f64> {
    let greatest = greatest(logits);
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - greatest).exp()).sum();
    logits.iter().map(move |&logit| (f64::from(logit) - greatest).exp() / sum)
}

pub(crate) fn greatest(logits: &[f32]) -> f64 {
    f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_of_every_row_sum_to_one() {
        let logits = [0.3, -2.0, 5.0, 90.0, -120.0, 0.0];
        for (outputs, classes) in [(1, 2), (2, 2), (3, 3), (6, 6)] {
            let probabilities = probabilities(&logits, outputs);
            assert_eq!(probabilities.len(), logits.len() / outputs * classes);
            for row in probabilities.chunks(classes) {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn small_probabilities_are_exact() {
        assert_eq!(probabilities(&[40.0], 1)[0], sigmoid(-40.0));
        assert!((sigmoid(-40.0) / (-40.0_f64).exp() - 1.0).abs() < 1e-12);
    }
}
