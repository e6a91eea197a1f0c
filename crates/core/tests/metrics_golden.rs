//! The metrics against scikit-learn's, on the files of `shared/golden/metrics`; skipped where they are
//! absent.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "clippy takes the helpers below for no tests")]

use std::fs;
use std::path::{Path, PathBuf};

use convbase_core::metrics::{
    ClassificationReport, ConfusionMatrix, average_precision, brier_score, log_loss, predicted_classes,
    roc_auc, roc_auc_ovr_macro, wilson_interval95,
};
use convbase_core::report::{CheckpointReference, Report, ReportInput};
use serde_json::{Value, json};

const TOLERANCE: f64 = 1e-9;

/// The folder of the golden files, or `None` with one line that says what is missing.
fn golden_folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/metrics");
    if !folder.is_dir() {
        println!("skipped: {} is absent", folder.display());
        return None;
    }
    Some(folder)
}

fn read_npy<T: npyz::Deserialize>(path: &Path) -> Vec<T> {
    let bytes = fs::read(path).unwrap();
    npyz::NpyFile::new(bytes.as_slice()).unwrap().into_vec().unwrap()
}

/// The labels, the numbers of the probability file and what scikit-learn says of them.
fn read_case(folder: &Path, case: &str) -> (Vec<usize>, Vec<f64>, Value) {
    let labels: Vec<i64> = read_npy(&folder.join(format!("{case}_label.npy")));
    let labels = labels.into_iter().map(|label| usize::try_from(label).unwrap()).collect();
    let expected = fs::read(folder.join(format!("{case}_expected.json"))).unwrap();
    let expected = serde_json::from_slice(&expected).unwrap();
    (labels, read_npy(&folder.join(format!("{case}_prob.npy"))), expected)
}

/// Numbers within the tolerance, everything else equal.
fn assert_close(found: &Value, expected: &Value, at: &str) {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!((found - expected).abs() <= TOLERANCE, "{at}: expected {expected}, found {found}");
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{at}");
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert_close(found, expected, &format!("{at}[{index}]"));
            }
        }
        (Value::Object(found), Value::Object(expected)) => {
            assert_eq!(found.len(), expected.len(), "{at}: {:?} {:?}", found.keys(), expected.keys());
            for (key, expected) in expected {
                let found = found.get(key).unwrap_or_else(|| panic!("{at}: {key} is missing"));
                assert_close(found, expected, &format!("{at}.{key}"));
            }
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

/// What both cases have in common.
fn common_metrics(labels: &[usize], probabilities: &[f64], classes: &[String]) -> Value {
    let predictions = predicted_classes(probabilities, classes.len()).unwrap();
    let confusion = ConfusionMatrix::new(labels, &predictions, classes.len()).unwrap();
    json!({
        "accuracy": confusion.accuracy(),
        "confusion_matrix": confusion,
        "report": ClassificationReport::new(classes, &confusion).unwrap(),
        "log_loss": log_loss(labels, probabilities, classes.len()).unwrap(),
        "accuracy_wilson95": wilson_interval95(confusion.correct(), confusion.total()).unwrap(),
    })
}

/// The metrics as `metrics.json` has them, under scikit-learn's names.
fn written_metrics(labels: &[usize], probabilities: &[f64], classes: &[String]) -> Value {
    let report = Report::new(ReportInput {
        classes,
        labels,
        probabilities,
        num_rejected: 0,
        feature_id: String::new(),
        checkpoint: CheckpointReference { sha256: String::new(), epoch: 1, val_loss: 0.0 },
    });
    let mut json: Value = serde_json::from_str(&report.unwrap().to_json().unwrap()).unwrap();
    let object = json.as_object_mut().unwrap();
    for (ours, theirs) in [("test_loss", "log_loss"), ("test_accuracy", "accuracy")] {
        let value = object.remove(ours).unwrap();
        object.insert(theirs.to_owned(), value);
    }
    // scikit-learn has no calibration error; `metrics_random.rs` has it.
    for key in
        ["num_samples", "num_rejected", "classes", "expected_calibration_error", "feature_id", "checkpoint"]
    {
        object.remove(key).unwrap();
    }
    json
}

#[test]
fn two_classes_agree_with_scikit_learn() {
    let Some(folder) = golden_folder() else { return };
    let (labels, scores, expected) = read_case(&folder, "binary");
    let probabilities: Vec<f64> = scores.iter().flat_map(|score| [1.0 - score, *score]).collect();
    let classes = ["cats", "dogs"].map(str::to_owned);

    let mut found = common_metrics(&labels, &probabilities, &classes);
    found["roc_auc"] = json!(roc_auc(&labels, &scores).unwrap());
    found["average_precision"] = json!(average_precision(&labels, &scores).unwrap());
    found["brier"] = json!(brier_score(&labels, &scores).unwrap());
    assert_close(&found, &expected, "binary");
    assert_close(&written_metrics(&labels, &probabilities, &classes), &expected, "binary metrics.json");
}

#[test]
fn three_classes_agree_with_scikit_learn() {
    let Some(folder) = golden_folder() else { return };
    let (labels, probabilities, expected) = read_case(&folder, "three");
    let classes = ["a", "b", "c"].map(str::to_owned);

    let mut found = common_metrics(&labels, &probabilities, &classes);
    found["roc_auc_ovr_macro"] = json!(roc_auc_ovr_macro(&labels, &probabilities, 3).unwrap());
    assert_close(&found, &expected, "three");
    assert_close(&written_metrics(&labels, &probabilities, &classes), &expected, "three metrics.json");
}
