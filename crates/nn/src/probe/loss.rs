//! Cross-entropy of logits, in float64.

/// Outputs of a classifier: one sigmoid for two classes, else a softmax over all.
pub fn outputs_of(classes: usize) -> usize {
    if classes == 2 { 1 } else { classes }
}

/// The cross-entropy of a row's logits `[outputs]`, which become its gradient: probability minus truth.
pub(super) fn cross_entropy(logits: &mut [f64], label: usize, classes: usize) -> f64 {
    if let (2, [logit]) = (classes, &mut *logits) {
        // ln(1 + e^-z) for what speaks for the label, without overflow.
        let truth = if label == 1 { 1.0 } else { 0.0 };
        let towards = if label == 1 { *logit } else { -*logit };
        let loss = (-towards.abs()).exp().ln_1p() + (-towards).max(0.0);
        *logit = 1.0 / (1.0 + (-*logit).exp()) - truth;
        return loss;
    }
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let own = logits[label];
    let sum: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
    for (output, logit) in logits.iter_mut().enumerate() {
        *logit = (*logit - most).exp() / sum - f64::from(u8::from(output == label));
    }
    sum.ln() + most - own
}

/// The probabilities of all classes for a row's logits `[outputs]`.
pub fn probabilities(logits: &[f64]) -> Vec<f64> {
    if let [logit] = logits {
        return vec![1.0 / (1.0 + logit.exp()), 1.0 / (1.0 + (-logit).exp())];
    }
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
    logits.iter().map(|logit| (logit - most).exp() / sum).collect()
}

/// Whether the label has the greatest probability (Keras: 0.5 is not yet the second class).
pub fn is_right(logits: &[f64], label: usize) -> bool {
    match logits {
        [logit] => (*logit > 0.0) == (label == 1),
        _ => {
            // The first of equals, as NumPy's argmax.
            let first =
                |best: usize, output: usize| if logits[output] > logits[best] { output } else { best };
            (0..logits.len()).fold(0, first) == label
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_the_logarithms_of_probabilities_and_gradients_their_distance_from_the_truth() {
        for (logit, label) in [(0.3, 1), (-2.0, 1), (40.0, 0), (-800.0, 1)] {
            let mut logits = [logit];
            let loss = cross_entropy(&mut logits, label, 2);
            let mut both = [0.0, logit];
            assert!((loss - cross_entropy(&mut both, label, 3)).abs() < 1e-9, "{logit}");
            assert!((logits[0] - both[1]).abs() < 1e-12);
        }
        let mut logits = [1.0, 3.0, 2.0];
        let loss = cross_entropy(&mut logits, 1, 3);
        let sum: f64 = [1.0_f64, 3.0, 2.0].iter().map(|logit| logit.exp()).sum();
        assert!((loss - (sum.ln() - 3.0)).abs() < 1e-12);
        assert!((logits.iter().sum::<f64>()).abs() < 1e-12);
    }

    #[test]
    fn the_first_of_equal_classes_is_predicted() {
        assert!(is_right(&[0.0], 0) && !is_right(&[0.0], 1));
        assert!(is_right(&[2.0, 2.0, 1.0], 0));
    }
}
