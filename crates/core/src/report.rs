//! What the evaluator leaves behind: [`Report`] is `metrics.json`, [`Predictions`] is `predictions.csv`.
//!
//! Both are pure values here. They hold no clock, host name or absolute path, and the same input gives the
//! same bytes.

mod error;
mod predictions;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::metrics::{
    CALIBRATION_BINS, Calibration, ClassificationReport, ConfusionMatrix, RocCurve, average_precision,
    brier_score, calibration, log_loss, predicted_classes, roc_auc_ovr_macro, wilson_interval95,
};

pub use error::ReportError;
pub use predictions::{Prediction, Predictions};

/// Which checkpoint was evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointReference {
    /// The digest of the checkpoint file.
    pub sha256: String,
    /// The epoch after which it was saved, counted from one.
    pub epoch: u32,
    /// The validation loss of that epoch.
    pub val_loss: f64,
}

/// Everything that a [`Report`] is made of.
#[derive(Debug, Clone)]
pub struct ReportInput<'a> {
    /// The class names, `[classes]`; at least two, all distinct.
    pub classes: &'a [String],
    /// The true class of each sample, `[samples]`; at least one.
    pub labels: &'a [usize],
    /// Row-major `[samples, classes]`; rows sum to one, a binary classifier gives `[1 - p, p]`.
    pub probabilities: &'a [f64],
    /// How many listed images could not be decoded, and are no samples.
    pub num_rejected: u64,
    /// The identity of the features that were evaluated.
    pub feature_id: String,
    /// The checkpoint that was evaluated.
    pub checkpoint: CheckpointReference,
}

/// `metrics.json`. Shares lie between 0 and 1; what the samples leave undefined is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    test_loss: f64,
    test_accuracy: f64,
    accuracy_wilson95: [f64; 2],
    num_samples: u64,
    num_rejected: u64,
    classes: Vec<String>,
    confusion_matrix: ConfusionMatrix,
    report: ClassificationReport,
    #[serde(flatten)]
    ranking: RankingMetrics,
    expected_calibration_error: f64,
    feature_id: String,
    checkpoint: CheckpointReference,
    /// Of two classes, where images of both are there. It is drawn, and only its area is written.
    #[serde(skip)]
    roc_curve: Option<RocCurve>,
    /// It is drawn, and only its error is written.
    #[serde(skip)]
    calibration: Calibration,
}

/// The keys that depend on the number of classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
enum RankingMetrics {
    TwoClasses { roc_auc: Option<f64>, average_precision: Option<f64>, brier: Option<f64> },
    MoreClasses { roc_auc_ovr_macro: Option<f64> },
}

impl Report {
    /// Computes every metric. The prediction is the most probable class, the first one on ties; for two
    /// classes that is class 1 where its probability exceeds 0.5, as Keras has it.
    pub fn new(input: ReportInput<'_>) -> Result<Self, ReportError> {
        let ReportInput { classes, labels, probabilities, num_rejected, feature_id, checkpoint } = input;
        if classes.len() < 2 {
            return Err(ReportError::TooFewClasses { found: classes.len() });
        }
        let no_samples = || ReportError::NoSamples { num_rejected };
        let test_loss = log_loss(labels, probabilities, classes.len())?.ok_or_else(no_samples)?;
        let predictions = predicted_classes(probabilities, classes.len())?;
        let confusion_matrix = ConfusionMatrix::new(labels, &predictions, classes.len())?;
        let (correct, num_samples) = (confusion_matrix.correct(), confusion_matrix.total());
        let calibration = calibration(labels, probabilities, classes.len(), CALIBRATION_BINS)?;
        let calibration = calibration.ok_or_else(no_samples)?;
        let mut roc_curve = None;
        let ranking = if classes.len() == 2 {
            let scores: Vec<f64> = probabilities.iter().skip(1).step_by(2).copied().collect();
            roc_curve = RocCurve::new(labels, &scores)?;
            RankingMetrics::TwoClasses {
                roc_auc: roc_curve.as_ref().map(RocCurve::area),
                average_precision: average_precision(labels, &scores)?,
                brier: brier_score(labels, &scores)?,
            }
        } else {
            let roc_auc_ovr_macro = roc_auc_ovr_macro(labels, probabilities, classes.len())?;
            RankingMetrics::MoreClasses { roc_auc_ovr_macro }
        };
        Ok(Self {
            test_loss,
            test_accuracy: confusion_matrix.accuracy().ok_or_else(no_samples)?,
            accuracy_wilson95: wilson_interval95(correct, num_samples)?.ok_or_else(no_samples)?,
            num_samples,
            num_rejected,
            classes: classes.to_vec(),
            report: ClassificationReport::new(classes, &confusion_matrix)?,
            confusion_matrix,
            ranking,
            expected_calibration_error: calibration.expected_error(),
            feature_id,
            checkpoint,
            roc_curve,
            calibration,
        })
    }

    /// The mean cross-entropy.
    pub fn test_loss(&self) -> f64 {
        self.test_loss
    }

    /// The share of correct predictions.
    pub fn test_accuracy(&self) -> f64 {
        self.test_accuracy
    }

    /// Wilson's 95 % interval of the accuracy: low, high.
    pub fn accuracy_wilson95(&self) -> [f64; 2] {
        self.accuracy_wilson95
    }

    /// The number of photographs that were measured.
    pub fn num_samples(&self) -> u64 {
        self.num_samples
    }

    /// The number of listed photographs that could not be read.
    pub fn num_rejected(&self) -> u64 {
        self.num_rejected
    }

    /// The class names, in order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Precision, recall and F1 of each class.
    pub fn classification(&self) -> &ClassificationReport {
        &self.report
    }

    /// Which class was taken for which.
    pub fn confusion_matrix(&self) -> &ConfusionMatrix {
        &self.confusion_matrix
    }

    /// The ROC curve of the second of two classes; `None` of more classes, or where one of the two has no image.
    pub fn roc_curve(&self) -> Option<&RocCurve> {
        self.roc_curve.as_ref()
    }

    /// How far the probabilities can be believed, in [`CALIBRATION_BINS`] bins.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The bytes of `metrics.json`: indented, keys in a fixed order, a newline at the end.
    pub fn to_json(&self) -> Result<String, ReportError> {
        let mut json = serde_json::to_string_pretty(self).map_err(ReportError::Json)?;
        json.push('\n');
        Ok(json)
    }
}

/// The summary for people, without a newline at the end.
impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { test_loss, test_accuracy, accuracy_wilson95: [low, high], num_samples, .. } = self;
        let correct = self.confusion_matrix.correct();
        writeln!(
            formatter,
            "accuracy  {test_accuracy:.4}  ({correct} of {num_samples}; 95 %: {low:.4} to {high:.4})"
        )?;
        writeln!(formatter, "loss      {test_loss:.4}")?;
        write!(formatter, "rejected  {}\n\n{}", self.num_rejected, self.report)
    }
}

#[cfg(test)]
mod tests;
