//! What the ROC curve and the precision-recall curve have in common.

use super::MetricsError;
use super::input::check_binary_scores;

/// At every distinct score, highest first: how many negatives and positives score at least that high.
/// scikit-learn's `_binary_clf_curve`.
pub(super) struct Ranking {
    /// Distinct scores, descending.
    pub(super) thresholds: Vec<f64>,
    /// Negatives at or above each threshold, `[thresholds]`.
    pub(super) false_positives: Vec<u64>,
    /// Positives at or above each threshold, `[thresholds]`.
    pub(super) true_positives: Vec<u64>,
}

impl Ranking {
    /// Ranks `labels` `[rows]`, 0 or 1, by finite `scores` `[rows]`.
    pub(super) fn new(labels: &[usize], scores: &[f64]) -> Result<Self, MetricsError> {
        check_binary_scores(labels, scores)?;
        let mut ranked: Vec<(f64, usize)> = scores.iter().copied().zip(labels.iter().copied()).collect();
        ranked.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));

        let mut ranking =
            Self { thresholds: Vec::new(), false_positives: Vec::new(), true_positives: Vec::new() };
        let mut counts = [0, 0];
        // Ties share one threshold: their order among themselves must not matter.
        for tied in ranked.chunk_by(|left, right| left.0 == right.0) {
            for &(_, label) in tied {
                counts[label] += 1;
            }
            ranking.thresholds.push(tied[0].0);
            ranking.false_positives.push(counts[0]);
            ranking.true_positives.push(counts[1]);
        }
        Ok(ranking)
    }

    /// The number of rows with label 0.
    pub(super) fn negatives(&self) -> u64 {
        self.false_positives.last().copied().unwrap_or(0)
    }

    /// The number of rows with label 1.
    pub(super) fn positives(&self) -> u64 {
        self.true_positives.last().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_a_threshold_even_across_the_two_zeros() {
        let ranking = Ranking::new(&[1, 0, 1, 0], &[0.0, -0.0, 2.0, -1.0]).unwrap();
        assert_eq!(ranking.thresholds, [2.0, 0.0, -1.0]);
        assert_eq!(ranking.false_positives, [0, 1, 2]);
        assert_eq!(ranking.true_positives, [1, 2, 2]);
    }

    #[test]
    fn no_rows_give_no_thresholds() {
        let ranking = Ranking::new(&[], &[]).unwrap();
        assert_eq!((ranking.thresholds.len(), ranking.negatives(), ranking.positives()), (0, 0, 0));
    }
}
