//! The precision-recall curve, in one number.

use super::MetricsError;
use super::ranking::Ranking;

/// The mean of the precision at every threshold, weighted by the recall gained there, for `labels` `[rows]`,
/// 0 or 1, ranked by finite `scores` `[rows]`: the step sum of scikit-learn's `average_precision_score`,
/// without interpolation. `None` without a row of class 1.
pub fn average_precision(labels: &[usize], scores: &[f64]) -> Result<Option<f64>, MetricsError> {
    let ranking = Ranking::new(labels, scores)?;
    let positives = ranking.positives();
    if positives == 0 {
        return Ok(None);
    }
    let mut sum = 0.0;
    let mut before = 0;
    for (&true_positives, &false_positives) in ranking.true_positives.iter().zip(&ranking.false_positives) {
        let precision = true_positives as f64 / (true_positives + false_positives) as f64;
        sum += (true_positives - before) as f64 * precision;
        before = true_positives;
    }
    Ok(Some(sum / positives as f64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_scikit_learn_manual_comes_out() {
        let average = average_precision(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8]).unwrap().unwrap();
        assert!((average - 5.0 / 6.0).abs() < 1e-15);
    }

    #[test]
    fn scores_that_are_all_tied_give_the_share_of_positives() {
        assert_eq!(average_precision(&[1, 0, 0, 0], &[0.5; 4]), Ok(Some(0.25)));
    }

    #[test]
    fn only_positives_give_one_and_no_positives_give_nothing() {
        assert_eq!(average_precision(&[1, 1], &[0.1, 0.9]), Ok(Some(1.0)));
        assert_eq!(average_precision(&[0, 0], &[0.1, 0.9]), Ok(None));
        assert_eq!(average_precision(&[], &[]), Ok(None));
        assert!(average_precision(&[3], &[0.1]).is_err());
    }

    proptest! {
        #[test]
        fn the_order_of_the_rows_does_not_matter(
            mut rows in prop::collection::vec((0_usize..2, 0_i32..10), 1..50),
        ) {
            let average = |rows: &[(usize, i32)]| {
                let (labels, scores): (Vec<_>, Vec<_>) =
                    rows.iter().map(|row| (row.0, f64::from(row.1))).unzip();
                average_precision(&labels, &scores).unwrap()
            };
            let expected = average(&rows);
            prop_assert!(expected.is_none_or(|value| 0.0 < value && value <= 1.0 + 1e-12));
            rows.reverse();
            prop_assert_eq!(average(&rows), expected);
        }
    }
}
