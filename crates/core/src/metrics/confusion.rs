//! Which class was taken for which.

use serde::{Serialize, Serializer};

use super::MetricsError;
use super::input::{check_class_count, check_class_indices, check_length};

/// Counts of shape `[classes, classes]`: row = true class, column = predicted class, as scikit-learn's
/// `confusion_matrix(labels=range(classes))`. Serialises as nested arrays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// Counts `labels` `[rows]` against `predictions` `[rows]`; both hold indices below `classes`.
    pub fn new(labels: &[usize], predictions: &[usize], classes: usize) -> Result<Self, MetricsError> {
        check_class_count(classes)?;
        check_length("predictions", labels.len(), predictions.len())?;
        check_class_indices("label", labels, classes)?;
        check_class_indices("prediction", predictions, classes)?;
        let mut counts = vec![0; classes * classes];
        for (&label, &prediction) in labels.iter().zip(predictions) {
            counts[label * classes + prediction] += 1;
        }
        Ok(Self { classes, counts })
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many samples of class `label` were predicted as `prediction`; `None` where there is no such class.
    pub fn count(&self, label: usize, prediction: usize) -> Option<u64> {
        self.rows().nth(label)?.get(prediction).copied()
    }

    /// The rows in class order, each of shape `[classes]`.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.classes)
    }

    /// The number of samples.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The number of samples whose prediction is their label: the trace.
    pub fn correct(&self) -> u64 {
        self.true_positives().sum()
    }

    /// The share of correct samples, `accuracy_score` of scikit-learn; `None` without samples.
    pub fn accuracy(&self) -> Option<f64> {
        let total = self.total();
        (total > 0).then(|| self.correct() as f64 / total as f64)
    }

    /// Per class, the samples that were recognised: the diagonal.
    pub fn true_positives(&self) -> impl Iterator<Item = u64> {
        self.counts.iter().step_by(self.classes + 1).copied()
    }

    /// Per class, the samples that have it as their label: the sums of the rows.
    pub fn support(&self) -> Vec<u64> {
        self.rows().map(|row| row.iter().sum()).collect()
    }

    /// Per class, the samples that were predicted as it: the sums of the columns.
    pub fn predicted(&self) -> Vec<u64> {
        let mut sums = vec![0; self.classes];
        for row in self.rows() {
            for (sum, count) in sums.iter_mut().zip(row) {
                *sum += count;
            }
        }
        sums
    }
}

impl Serialize for ConfusionMatrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_true_classes_and_columns_are_predicted_ones() {
        let matrix = ConfusionMatrix::new(&[0, 0, 0, 1, 2], &[0, 1, 1, 1, 0], 3).unwrap();
        assert_eq!(serde_json::to_string(&matrix).unwrap(), "[[1,2,0],[0,1,0],[1,0,0]]");
        assert_eq!((matrix.correct(), matrix.total()), (2, 5));
        assert_eq!(matrix.accuracy(), Some(0.4));
        assert_eq!(matrix.support(), [3, 1, 1]);
        assert_eq!(matrix.predicted(), [2, 3, 0]);
        assert_eq!((matrix.count(0, 1), matrix.count(0, 3), matrix.count(3, 0)), (Some(2), None, None));
    }

    #[test]
    fn no_samples_leave_the_accuracy_undefined() {
        let matrix = ConfusionMatrix::new(&[], &[], 2).unwrap();
        assert_eq!((matrix.total(), matrix.accuracy()), (0, None));
    }

    #[test]
    fn bad_sizes_and_labels_are_errors() {
        assert!(ConfusionMatrix::new(&[], &[], 0).is_err());
        assert!(ConfusionMatrix::new(&[], &[], usize::MAX).is_err());
        assert!(ConfusionMatrix::new(&[0], &[], 2).is_err());
        assert!(ConfusionMatrix::new(&[2], &[0], 2).is_err());
        assert!(ConfusionMatrix::new(&[0], &[2], 2).is_err());
    }

    proptest! {
        #[test]
        fn the_counts_sum_to_the_number_of_samples(
            pairs in prop::collection::vec((0_usize..4, 0_usize..4), 0..200),
        ) {
            let (labels, predictions): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let matrix = ConfusionMatrix::new(&labels, &predictions, 4).unwrap();
            prop_assert_eq!(matrix.total(), labels.len() as u64);
            prop_assert_eq!(matrix.support().iter().sum::<u64>(), matrix.total());
            prop_assert_eq!(matrix.predicted().iter().sum::<u64>(), matrix.total());
            prop_assert!(matrix.correct() <= matrix.total());
        }
    }
}
