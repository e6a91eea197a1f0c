//! How good a classifier is: one file per family of metrics, plain slices in, `f64` out, no I/O.
//!
//! Shapes: `labels` and `predictions` are class indices of shape `[rows]`; `probabilities` are row-major
//! `[rows, classes]` with rows that sum to one; `scores` are `[rows]`, the higher the more likely class 1.
//!
//! Two kinds of trouble stay apart. Input that contradicts itself (lengths, labels out of range, numbers that
//! are no probabilities) is a [`MetricsError`]. A quantity that sound input leaves undefined, such as the
//! area under a ROC curve when one class is absent, is `None`.
//!
//! The definitions are scikit-learn's where it has one, and `tests/metrics_golden.rs` and `tests/metrics_random.rs` hold them
//! to its numbers, to SciPy's and to those of statsmodels. Everything is counted with integers and divided once at the end.
//!
//! ```
//! use convbase_core::metrics::{ConfusionMatrix, RocCurve, predicted_classes};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Four images of two classes, with the probabilities of both.
//! let (labels, probabilities) = ([0, 0, 1, 1], [0.9, 0.1, 0.6, 0.4, 0.65, 0.35, 0.2, 0.8]);
//! let confusion = ConfusionMatrix::new(&labels, &predicted_classes(&probabilities, 2)?, 2)?;
//! assert_eq!(confusion.rows().collect::<Vec<_>>(), [[2, 0], [1, 1]]);
//! assert_eq!(confusion.accuracy(), Some(0.75));
//!
//! let scores: Vec<f64> = probabilities.iter().skip(1).step_by(2).copied().collect();
//! assert_eq!(RocCurve::new(&labels, &scores)?.map(|curve| curve.area()), Some(0.75));
//! # Ok(())
//! # }
//! ```

mod brier;
mod calibration;
mod classification;
mod confusion;
mod error;
mod input;
mod log_loss;
mod mcnemar;
mod paired_difference;
mod precision_recall;
mod prediction;
mod ranking;
mod roc;
mod wilson;

pub use brier::brier_score;
pub use calibration::{CALIBRATION_BINS, Calibration, ReliabilityBin, calibration};
pub use classification::{ClassScores, ClassificationReport};
pub use confusion::ConfusionMatrix;
pub use error::MetricsError;
pub use input::MAX_CLASSES;
pub(crate) use input::{check_distinct_names, check_labelled_probabilities};
pub use log_loss::log_loss;
pub use mcnemar::mcnemar_exact;
pub use paired_difference::paired_difference_interval95;
pub use precision_recall::{PrecisionRecallCurve, average_precision};
pub use prediction::predicted_classes;
pub use roc::{RocCurve, roc_auc, roc_auc_ovr_macro};
pub use wilson::wilson_interval95;
