//! The precision-recall curve, and the area under it.

use super::MetricsError;
use super::ranking::Ranking;

/// The precision-recall curve, as scikit-learn's `precision_recall_curve`: one point at every distinct score, ascending,
/// and a last one of precision 1 and recall 0 that no threshold has. Ties are one point.
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionRecallCurve {
    precisions: Vec<f64>,
    recalls: Vec<f64>,
    thresholds: Vec<f64>,
}

impl PrecisionRecallCurve {
    /// The curve of `labels` `[rows]`, 0 or 1, ranked by finite `scores` `[rows]`; `None` without a row of class 1, for
    /// then recall is undefined.
    pub fn new(labels: &[usize], scores: &[f64]) -> Result<Option<Self>, MetricsError> {
        let ranking = Ranking::new(labels, scores)?;
        let positives = ranking.positives();
        if positives == 0 {
            return Ok(None);
        }
        let counts = ranking.true_positives.iter().zip(&ranking.false_positives).rev();
        let mut curve = Self {
            precisions: counts
                .map(|(&true_positives, &false_positives)| precision(true_positives, false_positives))
                .collect(),
            recalls: ranking
                .true_positives
                .iter()
                .rev()
                .map(|&count| count as f64 / positives as f64)
                .collect(),
            thresholds: ranking.thresholds.iter().rev().copied().collect(),
        };
        curve.precisions.push(1.0);
        curve.recalls.push(0.0);
        Ok(Some(curve))
    }

    /// The share of class 1 among what is taken for class 1, `[points]`.
    pub fn precisions(&self) -> &[f64] {
        &self.precisions
    }

    /// The share of class 1 that is recognised, `[points]`, descending from 1 to 0.
    pub fn recalls(&self) -> &[f64] {
        &self.recalls
    }

    /// Ascending, `[points - 1]`: a score at or above the threshold counts as class 1.
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }
}

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
        sum += (true_positives - before) as f64 * precision(true_positives, false_positives);
        before = true_positives;
    }
    Ok(Some(sum / positives as f64))
}

/// At a threshold, which some row reaches.
fn precision(true_positives: u64, false_positives: u64) -> f64 {
    true_positives as f64 / (true_positives + false_positives) as f64
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

    #[test]
    fn the_curve_of_the_scikit_learn_manual_comes_out() {
        let curve = PrecisionRecallCurve::new(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8]).unwrap().unwrap();
        assert_eq!(curve.precisions(), [0.5, 2.0 / 3.0, 0.5, 1.0, 1.0]);
        assert_eq!(curve.recalls(), [1.0, 1.0, 0.5, 0.5, 0.0]);
        assert_eq!(curve.thresholds(), [0.1, 0.35, 0.4, 0.8]);
    }

    #[test]
    fn a_curve_without_positives_is_undefined_and_odd_input_an_error() {
        assert_eq!(PrecisionRecallCurve::new(&[0, 0], &[0.1, 0.9]), Ok(None));
        assert_eq!(PrecisionRecallCurve::new(&[], &[]), Ok(None));
        assert!(PrecisionRecallCurve::new(&[0, 1], &[0.1]).is_err());
        assert!(PrecisionRecallCurve::new(&[0, 1], &[0.1, f64::NAN]).is_err());
    }

    proptest! {
        #[test]
        fn the_average_is_the_area_of_the_curves_steps(
            rows in prop::collection::vec((0_usize..2, 0_i32..10), 1..50),
        ) {
            let (labels, scores): (Vec<_>, Vec<_>) =
                rows.iter().map(|row| (row.0, f64::from(row.1))).unzip();
            let Some(curve) = PrecisionRecallCurve::new(&labels, &scores).unwrap() else { return Ok(()) };
            let gained = curve.recalls().windows(2).map(|recalls| recalls[0] - recalls[1]);
            let area: f64 = gained.zip(curve.precisions()).map(|(width, height)| width * height).sum();
            prop_assert!((area - average_precision(&labels, &scores).unwrap().unwrap()).abs() < 1e-12);
        }

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
