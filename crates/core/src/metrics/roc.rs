//! The receiver operating characteristic.

use super::MetricsError;
use super::input::check_labelled_probabilities;
use super::ranking::Ranking;

/// The ROC curve, as scikit-learn's `roc_curve(drop_intermediate=False)`: it begins at (0, 0) with an
/// infinite threshold and has one more point at every distinct score, descending. Ties are one point.
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    thresholds: Vec<f64>,
    false_positives: Vec<u64>,
    true_positives: Vec<u64>,
    negatives: u64,
    positives: u64,
}

impl RocCurve {
    /// The curve of `labels` `[rows]`, 0 or 1, ranked by finite `scores` `[rows]`; `None` where a class is
    /// absent, for then one of the rates is undefined.
    pub fn new(labels: &[usize], scores: &[f64]) -> Result<Option<Self>, MetricsError> {
        let ranking = Ranking::new(labels, scores)?;
        let (negatives, positives) = (ranking.negatives(), ranking.positives());
        if negatives == 0 || positives == 0 {
            return Ok(None);
        }
        let mut curve = Self {
            thresholds: vec![f64::INFINITY],
            false_positives: vec![0],
            true_positives: vec![0],
            negatives,
            positives,
        };
        curve.thresholds.extend(ranking.thresholds);
        curve.false_positives.extend(ranking.false_positives);
        curve.true_positives.extend(ranking.true_positives);
        Ok(Some(curve))
    }

    /// Descending, `[points]`: a score at or above the threshold counts as class 1.
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// The share of class 0 that is taken for class 1, `[points]`, ascending from 0 to 1.
    pub fn false_positive_rates(&self) -> Vec<f64> {
        self.false_positives.iter().map(|&count| count as f64 / self.negatives as f64).collect()
    }

    /// The share of class 1 that is recognised, `[points]`, ascending from 0 to 1.
    pub fn true_positive_rates(&self) -> Vec<f64> {
        self.true_positives.iter().map(|&count| count as f64 / self.positives as f64).collect()
    }

    /// The area under the curve by the trapezoidal rule, summed exactly in integers.
    pub fn area(&self) -> f64 {
        let steps = self.false_positives.windows(2).zip(self.true_positives.windows(2));
        let twice: u128 = steps
            .map(|(false_positives, true_positives)| {
                let width = u128::from(false_positives[1] - false_positives[0]);
                width * (u128::from(true_positives[0]) + u128::from(true_positives[1]))
            })
            .sum();
        twice as f64 / (2 * u128::from(self.negatives) * u128::from(self.positives)) as f64
    }
}

/// The area under the ROC curve of `labels` `[rows]`, 0 or 1, ranked by `scores` `[rows]`: the chance that a
/// sample of class 1 scores above one of class 0, ties counting half. scikit-learn's `roc_auc_score`; `None`
/// where a class is absent.
pub fn roc_auc(labels: &[usize], scores: &[f64]) -> Result<Option<f64>, MetricsError> {
    Ok(RocCurve::new(labels, scores)?.map(|curve| curve.area()))
}

/// The mean over the classes of [`roc_auc`] of that class against the rest, for `labels` `[rows]` and
/// `probabilities` `[rows, classes]`: scikit-learn's `roc_auc_score(multi_class="ovr", average="macro")`.
/// `None` where a class is absent, or holds every row.
pub fn roc_auc_ovr_macro(
    labels: &[usize],
    probabilities: &[f64],
    classes: usize,
) -> Result<Option<f64>, MetricsError> {
    check_labelled_probabilities(labels, probabilities, classes)?;
    let mut sum = 0.0;
    for class in 0..classes {
        let one_against_rest: Vec<usize> = labels.iter().map(|&label| usize::from(label == class)).collect();
        let scores: Vec<f64> = probabilities.iter().skip(class).step_by(classes).copied().collect();
        match roc_auc(&one_against_rest, &scores)? {
            Some(area) => sum += area,
            None => return Ok(None),
        }
    }
    Ok(Some(sum / classes as f64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_curve_of_the_scikit_learn_manual_comes_out() {
        let curve = RocCurve::new(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8]).unwrap().unwrap();
        assert_eq!(curve.thresholds(), [f64::INFINITY, 0.8, 0.4, 0.35, 0.1]);
        assert_eq!(curve.false_positive_rates(), [0.0, 0.0, 0.5, 0.5, 1.0]);
        assert_eq!(curve.true_positive_rates(), [0.0, 0.5, 0.5, 1.0, 1.0]);
        assert_eq!(curve.area(), 0.75);
    }

    #[test]
    fn ties_count_half() {
        assert_eq!(roc_auc(&[0, 1], &[0.5, 0.5]), Ok(Some(0.5)));
        assert_eq!(roc_auc(&[0, 1, 1], &[0.5, 0.5, 0.9]), Ok(Some(0.75)));
        let curve = RocCurve::new(&[0, 1, 1], &[0.5, 0.5, 0.9]).unwrap().unwrap();
        assert_eq!(curve.thresholds(), [f64::INFINITY, 0.9, 0.5]);
    }

    #[test]
    fn the_area_is_undefined_where_a_class_is_absent() {
        assert_eq!(roc_auc(&[1, 1], &[0.1, 0.2]), Ok(None));
        assert_eq!(roc_auc(&[0], &[0.1]), Ok(None));
        assert_eq!(roc_auc(&[], &[]), Ok(None));
        assert_eq!(roc_auc_ovr_macro(&[0, 1], &[0.5, 0.3, 0.2, 0.1, 0.8, 0.1], 3), Ok(None));
        assert_eq!(roc_auc_ovr_macro(&[], &[], 3), Ok(None));
        assert_eq!(roc_auc_ovr_macro(&[0], &[1.0], 1), Ok(None));
    }

    #[test]
    fn a_perfect_ranking_of_three_classes_has_area_one() {
        let probabilities = [0.8, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 0.8];
        assert_eq!(roc_auc_ovr_macro(&[0, 1, 2], &probabilities, 3), Ok(Some(1.0)));
    }

    #[test]
    fn labels_beyond_one_and_scores_that_are_not_numbers_are_errors() {
        assert!(roc_auc(&[0, 2], &[0.1, 0.2]).is_err());
        assert!(roc_auc(&[0, 1], &[0.1, f64::NAN]).is_err());
        assert!(roc_auc(&[0, 1], &[0.1]).is_err());
        assert!(roc_auc_ovr_macro(&[0], &[0.5, 0.5, 0.5], 3).is_err());
    }

    proptest! {
        // Few distinct scores, so that ties are common; every map is exact on them.
        #[test]
        fn the_area_depends_on_the_order_of_the_scores_alone(
            rows in prop::collection::vec((0_usize..2, -20_i32..20), 0..100),
            shift in -5_i32..5,
        ) {
            let labels: Vec<usize> = rows.iter().map(|row| row.0).collect();
            let area = |map: &dyn Fn(f64) -> f64| {
                let scores: Vec<f64> = rows.iter().map(|row| map(f64::from(row.1))).collect();
                roc_auc(&labels, &scores).unwrap()
            };
            let expected = area(&|score| score);
            prop_assert_eq!(area(&|score| 3.0 * score + f64::from(shift)), expected);
            prop_assert_eq!(area(&|score| score.powi(3)), expected);
            prop_assert_eq!(area(&f64::exp), expected);
            if let Some(area_reversed) = area(&|score| -score) {
                prop_assert!((area_reversed + expected.unwrap() - 1.0).abs() < 1e-12);
            }
        }
    }
}
