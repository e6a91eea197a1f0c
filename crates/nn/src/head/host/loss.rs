//! Cross-entropy from logits.

use crate::head::probabilities::{greatest, sigmoid, softmax};

/// The cross-entropy of one sample's logits `[outputs]`, from the logits as Keras computes it for a sigmoid or softmax
/// output, in float64.
pub(crate) fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    match *logits {
        [logit] => {
            // -ln σ(x) or -ln σ(-x), neither of which overflows like this.
            let x = f64::from(logit);
            x.max(0.0) - x * target(label) + (-x.abs()).exp().ln_1p()
        }
        _ => {
            let greatest = greatest(logits);
            let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - greatest).exp()).sum();
            greatest + sum.ln() - f64::from(logits[label])
        }
    }
}

/// The gradient `[outputs]` of the cross-entropy, times `weight`: the probabilities less the right answer.
pub(crate) fn gradient_of_cross_entropy(logits: &[f32], label: usize, weight: f64, gradient: &mut [f32]) {
    match (logits, gradient) {
        ([logit], [gradient]) => {
            *gradient = (weight * (sigmoid(f64::from(*logit)) - target(label))) as f32;
        }
        (logits, gradient) => {
            for ((output, probability), gradient) in softmax(logits).enumerate().zip(gradient) {
                let target = if output == label { 1.0 } else { 0.0 };
                *gradient = (weight * (probability - target)) as f32;
            }
        }
    }
}

/// Whether the logits put the right label first.
pub(crate) fn is_right(logits: &[f32], label: usize) -> bool {
    match *logits {
        [logit] => usize::from(logit > 0.0) == label,
        // Of equal ones the first.
        _ => {
            let mut best = 0;
            for (output, logit) in logits.iter().enumerate() {
                if *logit > logits[best] {
                    best = output;
                }
            }
            best == label
        }
    }
}

/// What the one output should be of this label's samples.
fn target(label: usize) -> f64 {
    if label == 1 { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cross_entropy_of_one_output_is_the_logarithm_of_the_right_probability() {
        for (logit, label) in [(0.3_f32, 0), (-2.0, 1), (5.0, 1), (-30.0, 0)] {
            let probability = sigmoid(if label == 1 { f64::from(logit) } else { -f64::from(logit) });
            assert!((cross_entropy(&[logit], label) + probability.ln()).abs() < 1e-12, "{logit} {label}");
            assert_eq!(is_right(&[logit], label), probability > 0.5);
        }
        assert_eq!(cross_entropy(&[-1e30], 1), f64::from(1e30_f32), "no overflow");
    }

    #[test]
    fn the_cross_entropy_of_more_outputs_is_the_logarithm_of_the_right_probability() {
        let logits = [1.0_f32, -2.0, 3.5];
        for (label, probability) in softmax(&logits).enumerate() {
            assert!((cross_entropy(&logits, label) + probability.ln()).abs() < 1e-12, "{label}");
            assert_eq!(is_right(&logits, label), label == 2);
        }
        assert_eq!(cross_entropy(&[1e30, 0.0], 1), f64::from(1e30_f32), "no overflow");
    }

    #[test]
    fn the_gradient_is_the_slope() {
        for (logits, label) in [(&[0.4_f32][..], 0), (&[-1.5], 1), (&[0.5, -0.25, 2.0], 1)] {
            let mut gradient = vec![0.0; logits.len()];
            gradient_of_cross_entropy(logits, label, 3.0, &mut gradient);
            for output in 0..logits.len() {
                let moved = |by: f32| {
                    let mut moved = logits.to_vec();
                    moved[output] += by;
                    3.0 * cross_entropy(&moved, label)
                };
                let slope = (moved(1.0 / 128.0) - moved(-1.0 / 128.0)) * 64.0;
                assert!((f64::from(gradient[output]) - slope).abs() < 1e-4, "{logits:?} {output}");
            }
        }
    }
}
