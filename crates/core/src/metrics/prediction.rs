//! From probabilities to a decision.

use super::MetricsError;
use super::input::{check_class_count, check_probability_rows};

/// The most probable class of each row of `probabilities` `[rows, classes]`, the first one on ties: `[rows]`.
///
/// For rows of `[1 - p, p]` this is class 1 where p > 0.5, as Keras counts binary accuracy.
pub fn predicted_classes(probabilities: &[f64], classes: usize) -> Result<Vec<usize>, MetricsError> {
    check_class_count(classes)?;
    // Rounded up, so that a row cut short is an error and not dropped.
    check_probability_rows(probabilities.len().div_ceil(classes), probabilities, classes)?;
    Ok(probabilities.chunks_exact(classes).map(first_of_highest).collect())
}

/// The class of the greatest probability of a row `[classes]`, the first one on ties.
pub(super) fn first_of_highest(row: &[f64]) -> usize {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_highest_wins() {
        let probabilities = [0.2, 0.4, 0.4, 0.1, 0.2, 0.7];
        assert_eq!(predicted_classes(&probabilities, 3), Ok(vec![1, 2]));
    }

    #[test]
    fn a_probability_of_exactly_one_half_is_class_zero_as_in_keras() {
        let next_up = 0.5_f64.next_up();
        let next_down = 0.5_f64.next_down();
        let rows = [0.5, 0.5, 1.0 - next_up, next_up, 1.0 - next_down, next_down];
        assert_eq!(predicted_classes(&rows, 2), Ok(vec![0, 1, 0]));
    }

    #[test]
    fn a_row_cut_short_is_an_error() {
        assert!(predicted_classes(&[0.5, 0.5, 1.0], 2).is_err());
        assert!(predicted_classes(&[], 0).is_err());
        assert_eq!(predicted_classes(&[], 2), Ok(Vec::new()));
    }
}
