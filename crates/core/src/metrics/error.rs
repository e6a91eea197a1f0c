//! What can be wrong with the input of a metric.

use super::input::MAX_CLASSES;

/// Input that contradicts itself. Rows and classes are counted from zero.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricsError {
    /// No class at all, or more than [`MAX_CLASSES`].
    #[error("number of classes: expected 1 to {max}, found {found}", max = MAX_CLASSES)]
    ClassCount {
        /// The number given.
        found: usize,
    },
    /// No bin at all, or more than are of any use.
    #[error("number of bins: expected 1 to {max}, found {found}")]
    BinCount {
        /// The most that are accepted.
        max: usize,
        /// The number given.
        found: usize,
    },
    /// A slice is not as long as the others demand.
    #[error("number of {what}: expected {expected}, found {found}")]
    Length {
        /// The slice, in the plural.
        what: &'static str,
        /// The length that the other arguments demand.
        expected: usize,
        /// The length given.
        found: usize,
    },
    /// A label or prediction names no class.
    #[error("{what} of row {row}: expected a class below {classes}, found {found}")]
    ClassIndex {
        /// `label` or `prediction`.
        what: &'static str,
        /// The row.
        row: usize,
        /// The number of classes.
        classes: usize,
        /// The index given.
        found: usize,
    },
    /// A score that cannot be ranked.
    #[error("score of row {row}: expected a finite number, found {found}")]
    Score {
        /// The row.
        row: usize,
        /// The score given.
        found: f64,
    },
    /// A number that is no probability.
    #[error("probability of class {class} in row {row}: expected 0 to 1, found {found}")]
    Probability {
        /// The row.
        row: usize,
        /// The column.
        class: usize,
        /// The number given.
        found: f64,
    },
    /// A row of numbers that is no distribution over the classes.
    #[error("probabilities of row {row}: expected a sum of 1, found {found}")]
    ProbabilitySum {
        /// The row.
        row: usize,
        /// The sum of the row.
        found: f64,
    },
    /// Two classes of one name.
    #[error("class names: expected each name once, found {name:?} twice")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A class whose name is a key of the classification report itself.
    #[error("class name: expected one that is no summary row of the report, found {name:?}")]
    ReservedName {
        /// The name.
        name: String,
    },
    /// Two classifiers that differ on more samples than there are.
    #[error("number of samples on which two classifiers differ: expected at most {total}, found {different}")]
    DifferentCount {
        /// The number of samples.
        total: u64,
        /// The number of samples that one alone has right.
        different: u128,
    },
    /// More successes than trials.
    #[error("number of correct samples: expected at most {total}, found {correct}")]
    CorrectCount {
        /// The number of samples.
        total: u64,
        /// The number of correct samples given.
        correct: u64,
    },
}
