//! How classes of different sizes are weighed.

/// rows / (classes × rows of the class), over the classes that have rows (scikit-learn
/// `compute_class_weight("balanced")`); 0 for a class without.
///
/// # Panics
/// When a label is not below `classes`.
pub fn balanced_class_weights(labels: &[usize], classes: usize) -> Vec<f64> {
    let mut counts = vec![0_usize; classes];
    labels.iter().for_each(|&label| counts[label] += 1);
    let present = counts.iter().filter(|&&count| count > 0).count();
    let weight =
        |&count: &usize| if count == 0 { 0.0 } else { labels.len() as f64 / (present * count) as f64 };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_are_scikit_learn_s() {
        // compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1]) is [0.667, 2.0].
        let weights = balanced_class_weights(&[0, 0, 0, 1], 2);
        assert!((weights[0] - 2.0 / 3.0).abs() < 1e-12 && (weights[1] - 2.0).abs() < 1e-12);
        assert_eq!(balanced_class_weights(&[0, 2], 3), [1.0, 0.0, 1.0]);
    }
}
