//! Cross-entropy.

use super::MetricsError;
use super::input::check_labelled_probabilities;

/// The mean cross-entropy of `labels` `[rows]` under `probabilities` `[rows, classes]`, in nats:
/// scikit-learn's `log_loss`. `None` without rows.
///
/// A binary classifier gives rows of `[1 - p, p]`. Probabilities are clipped to `[epsilon, 1 - epsilon]` with
/// the machine epsilon of `f64`, so that one certain mistake costs 36 and not infinity.
pub fn log_loss(
    labels: &[usize],
    probabilities: &[f64],
    classes: usize,
) -> Result<Option<f64>, MetricsError> {
    check_labelled_probabilities(labels, probabilities, classes)?;
    if labels.is_empty() {
        return Ok(None);
    }
    let rows = labels.iter().zip(probabilities.chunks_exact(classes));
    let sum: f64 = rows.map(|(&label, row)| -row[label].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()).sum();
    Ok(Some(sum / labels.len() as f64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_loss_is_the_mean_of_the_negative_logarithms() {
        let loss = log_loss(&[0, 1], &[0.75, 0.25, 0.5, 0.5], 2).unwrap().unwrap();
        assert!((loss - (-(0.75_f64.ln()) - 0.5_f64.ln()) / 2.0).abs() < 1e-15);
    }

    #[test]
    fn a_certain_mistake_costs_the_logarithm_of_epsilon() {
        let loss = log_loss(&[1], &[1.0, 0.0], 2).unwrap().unwrap();
        assert_eq!(loss, -f64::EPSILON.ln());
    }

    #[test]
    fn no_rows_have_no_loss() {
        assert_eq!(log_loss(&[], &[], 2), Ok(None));
    }

    #[test]
    fn bad_shapes_labels_and_rows_are_errors() {
        assert!(log_loss(&[0], &[0.5], 2).is_err());
        assert!(log_loss(&[2], &[0.5, 0.5], 2).is_err());
        assert!(log_loss(&[0], &[], 0).is_err());
        assert!(log_loss(&[0], &[0.9, 0.9], 2).is_err());
    }

    proptest! {
        #[test]
        fn the_loss_is_never_negative(rows in prop::collection::vec((0_usize..2, 0.0..=1.0_f64), 1..100)) {
            let labels: Vec<usize> = rows.iter().map(|row| row.0).collect();
            let probabilities: Vec<f64> = rows.iter().flat_map(|row| [1.0 - row.1, row.1]).collect();
            prop_assert!(log_loss(&labels, &probabilities, 2).unwrap().unwrap() >= 0.0);
        }
    }
}
