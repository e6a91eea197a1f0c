//! The checks that every metric makes of its input before it counts anything.

use std::collections::BTreeSet;

use super::MetricsError;

/// The most classes that a metric accepts: a confusion matrix of this size fills 2 GiB.
pub const MAX_CLASSES: usize = 1 << 14;

/// How far the sum of a row may lie from one: wide enough for probabilities that were computed in half
/// precision, narrow enough to tell logits and independent scores from probabilities.
const SUM_TOLERANCE: f64 = 1e-2;

pub(super) fn check_class_count(classes: usize) -> Result<(), MetricsError> {
    if (1..=MAX_CLASSES).contains(&classes) {
        Ok(())
    } else {
        Err(MetricsError::ClassCount { found: classes })
    }
}

pub(super) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), MetricsError> {
    if expected == found { Ok(()) } else { Err(MetricsError::Length { what, expected, found }) }
}

pub(super) fn check_class_indices(
    what: &'static str,
    indices: &[usize],
    classes: usize,
) -> Result<(), MetricsError> {
    match indices.iter().position(|&index| index >= classes) {
        None => Ok(()),
        Some(row) => Err(MetricsError::ClassIndex { what, row, classes, found: indices[row] }),
    }
}

/// Labels 0 and 1 with one finite score each.
pub(super) fn check_binary_scores(labels: &[usize], scores: &[f64]) -> Result<(), MetricsError> {
    check_length("scores", labels.len(), scores.len())?;
    check_class_indices("label", labels, 2)?;
    match scores.iter().position(|score| !score.is_finite()) {
        None => Ok(()),
        Some(row) => Err(MetricsError::Score { row, found: scores[row] }),
    }
}

/// Row-major `[rows, classes]` in which every row is a distribution.
pub(super) fn check_probability_rows(
    rows: usize,
    probabilities: &[f64],
    classes: usize,
) -> Result<(), MetricsError> {
    check_class_count(classes)?;
    // `usize::MAX` stands for a product that does not fit: no slice of `f64` is that long.
    check_length("probabilities", rows.saturating_mul(classes), probabilities.len())?;
    for (row, values) in probabilities.chunks_exact(classes).enumerate() {
        if let Some(class) = values.iter().position(|value| !(0.0..=1.0).contains(value)) {
            return Err(MetricsError::Probability { row, class, found: values[class] });
        }
        let sum: f64 = values.iter().sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(MetricsError::ProbabilitySum { row, found: sum });
        }
    }
    Ok(())
}

/// [`check_probability_rows`] with one valid label per row.
pub(crate) fn check_labelled_probabilities(
    labels: &[usize],
    probabilities: &[f64],
    classes: usize,
) -> Result<(), MetricsError> {
    check_probability_rows(labels.len(), probabilities, classes)?;
    check_class_indices("label", labels, classes)
}

/// No name twice.
pub(crate) fn check_distinct_names(names: &[String]) -> Result<(), MetricsError> {
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        None => Ok(()),
        Some(name) => Err(MetricsError::DuplicateName { name: name.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_names_where_it_is_with_expected_and_found() {
        let message = |result: Result<(), MetricsError>| result.unwrap_err().to_string();
        assert_eq!(message(check_class_count(0)), "number of classes: expected 1 to 16384, found 0");
        assert_eq!(
            message(check_class_indices("label", &[0, 7], 2)),
            "label of row 1: expected a class below 2, found 7"
        );
        assert_eq!(
            message(check_binary_scores(&[0, 1], &[0.0, f64::NAN])),
            "score of row 1: expected a finite number, found NaN"
        );
        assert_eq!(
            message(check_probability_rows(1, &[0.5, 1.5], 2)),
            "probability of class 1 in row 0: expected 0 to 1, found 1.5"
        );
        assert_eq!(
            message(check_probability_rows(1, &[0.5, 0.75], 2)),
            "probabilities of row 0: expected a sum of 1, found 1.25"
        );
    }

    #[test]
    fn sizes_whose_product_does_not_fit_are_refused() {
        let result = check_probability_rows(usize::MAX, &[], 2);
        assert_eq!(
            result,
            Err(MetricsError::Length { what: "probabilities", expected: usize::MAX, found: 0 })
        );
        assert!(check_probability_rows(0, &[], usize::MAX).is_err());
    }

    #[test]
    fn probabilities_that_are_not_numbers_are_refused() {
        for value in [f64::NAN, f64::INFINITY, -f64::INFINITY, -0.1] {
            assert!(check_probability_rows(1, &[value, 1.0], 2).is_err(), "{value}");
        }
    }
}
