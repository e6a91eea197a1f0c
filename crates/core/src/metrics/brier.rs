//! The Brier score.

use super::MetricsError;
use super::input::{check_binary_scores, check_length};

/// The mean squared distance between `labels` `[rows]`, 0 or 1, and the probability of class 1,
/// `probabilities` `[rows]` (G. W. Brier, "Verification of Forecasts Expressed in Terms of Probability",
/// 1950, halved as in scikit-learn's `brier_score_loss`). 0 is perfect, 0.25 is a coin; `None` without rows.
pub fn brier_score(labels: &[usize], probabilities: &[f64]) -> Result<Option<f64>, MetricsError> {
    check_length("probabilities", labels.len(), probabilities.len())?;
    check_binary_scores(labels, probabilities)?;
    if let Some(row) = probabilities.iter().position(|value| !(0.0..=1.0).contains(value)) {
        return Err(MetricsError::Probability { row, class: 1, found: probabilities[row] });
    }
    if labels.is_empty() {
        return Ok(None);
    }
    let rows = labels.iter().zip(probabilities);
    let sum: f64 = rows.map(|(&label, probability)| (probability - label as f64).powi(2)).sum();
    Ok(Some(sum / labels.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_mean_squared_distance() {
        assert_eq!(brier_score(&[0, 1, 1], &[0.5, 1.0, 0.5]), Ok(Some(0.5 / 3.0)));
        assert_eq!(brier_score(&[1, 1], &[0.5, 0.5]), Ok(Some(0.25)));
    }

    #[test]
    fn no_rows_have_no_score() {
        assert_eq!(brier_score(&[], &[]), Ok(None));
    }

    #[test]
    fn numbers_that_are_no_probabilities_are_refused() {
        assert!(brier_score(&[0], &[1.5]).is_err());
        assert!(brier_score(&[0], &[f64::NAN]).is_err());
        assert!(brier_score(&[2], &[0.5]).is_err());
        assert!(brier_score(&[0, 1], &[0.5]).is_err());
    }
}
