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
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn report(classes: &[&str], labels: &[usize], probabilities: &[f64]) -> Result<Report, ReportError> {
        Report::new(ReportInput {
            classes: &names(classes),
            labels,
            probabilities,
            num_rejected: 1,
            feature_id: "sha256:f".to_owned(),
            checkpoint: CheckpointReference { sha256: "c".to_owned(), epoch: 7, val_loss: 0.25 },
        })
    }

    #[test]
    fn two_classes_give_the_keys_of_the_contract_in_order() {
        let report =
            report(&["dogs", "cats"], &[0, 0, 1, 1], &[1.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.75]).unwrap();
        insta::assert_snapshot!(report.to_json().unwrap(), @r#"
        {
          "test_loss": 0.4184941083929179,
          "test_accuracy": 0.75,
          "accuracy_wilson95": [
            0.30064184258240184,
            0.9544127391902995
          ],
          "num_samples": 4,
          "num_rejected": 1,
          "classes": [
            "dogs",
            "cats"
          ],
          "confusion_matrix": [
            [
              2,
              0
            ],
            [
              1,
              1
            ]
          ],
          "report": {
            "dogs": {
              "precision": 0.6666666666666666,
              "recall": 1.0,
              "f1-score": 0.8,
              "support": 2.0
            },
            "cats": {
              "precision": 1.0,
              "recall": 0.5,
              "f1-score": 0.6666666666666666,
              "support": 2.0
            },
            "accuracy": 0.75,
            "macro avg": {
              "precision": 0.8333333333333333,
              "recall": 0.75,
              "f1-score": 0.7333333333333334,
              "support": 4.0
            },
            "weighted avg": {
              "precision": 0.8333333333333333,
              "recall": 0.75,
              "f1-score": 0.7333333333333334,
              "support": 4.0
            }
          },
          "roc_auc": 0.875,
          "average_precision": 0.8333333333333333,
          "brier": 0.140625,
          "expected_calibration_error": 0.0625,
          "feature_id": "sha256:f",
          "checkpoint": {
            "sha256": "c",
            "epoch": 7,
            "val_loss": 0.25
          }
        }
        "#);
    }

    #[test]
    fn the_summary_for_people_has_the_interval_and_the_table() {
        let report =
            report(&["dogs", "cats"], &[0, 0, 1, 1], &[1.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.75]).unwrap();
        insta::assert_snapshot!(report.to_string(), @r#"
        accuracy  0.7500  (3 of 4; 95 %: 0.3006 to 0.9544)
        loss      0.4185
        rejected  1

                      precision    recall  f1-score   support

                dogs       0.67      1.00      0.80         2
                cats       1.00      0.50      0.67         2

            accuracy                           0.75         4
           macro avg       0.83      0.75      0.73         4
        weighted avg       0.83      0.75      0.73         4
        "#);
    }

    #[test]
    fn more_classes_have_one_area_and_what_is_undefined_is_null() {
        let json =
            report(&["a", "b", "c"], &[0, 1], &[0.5, 0.3, 0.2, 0.1, 0.8, 0.1]).unwrap().to_json().unwrap();
        assert!(
            json.contains("\"roc_auc_ovr_macro\": null,\n  \"expected_calibration_error\": 0.35,"),
            "{json}"
        );
        assert!(!json.contains("brier") && !json.contains("\"roc_auc\""), "{json}");
        let json = report(&["a", "b"], &[0], &[0.5, 0.5]).unwrap().to_json().unwrap();
        assert!(
            json.contains("\"roc_auc\": null,\n  \"average_precision\": null,\n  \"brier\": 0.25,"),
            "{json}"
        );
    }

    #[test]
    fn what_is_drawn_is_what_was_computed() {
        let two = report(&["a", "b"], &[0, 1], &[0.75, 0.25, 0.25, 0.75]).unwrap();
        assert_eq!(two.confusion_matrix().rows().collect::<Vec<_>>(), [[1, 0], [0, 1]]);
        assert_eq!(two.roc_curve().map(RocCurve::area), Some(1.0));
        assert!(report(&["a", "b"], &[0], &[0.5, 0.5]).unwrap().roc_curve().is_none());
        let three = report(&["a", "b", "c"], &[0, 1], &[0.5, 0.3, 0.2, 0.1, 0.8, 0.1]).unwrap();
        assert!(three.roc_curve().is_none());
    }

    #[test]
    fn a_report_on_nothing_or_on_contradictions_is_refused() {
        let message = |classes: &[&str], labels: &[usize], probabilities: &[f64]| {
            report(classes, labels, probabilities).unwrap_err().to_string()
        };
        assert_eq!(message(&["a"], &[0], &[1.0]), "classes to evaluate: expected at least 2, found 1");
        assert_eq!(
            message(&["a", "b"], &[], &[]),
            "samples to evaluate: expected at least 1, found none beside 1 rejected"
        );
        assert_eq!(message(&["a", "b"], &[0], &[1.0]), "number of probabilities: expected 2, found 1");
        assert_eq!(
            message(&["a", "b"], &[2], &[1.0, 0.0]),
            "label of row 0: expected a class below 2, found 2"
        );
        assert_eq!(
            message(&["a", "a"], &[0], &[1.0, 0.0]),
            r#"class names: expected each name once, found "a" twice"#
        );
    }
}
