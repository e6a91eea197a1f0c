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
    let json = report(&["a", "b", "c"], &[0, 1], &[0.5, 0.3, 0.2, 0.1, 0.8, 0.1]).unwrap().to_json().unwrap();
    assert!(json.contains("\"roc_auc_ovr_macro\": null,\n  \"expected_calibration_error\": 0.35,"), "{json}");
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
    assert_eq!(message(&["a", "b"], &[2], &[1.0, 0.0]), "label of row 0: expected a class below 2, found 2");
    assert_eq!(
        message(&["a", "a"], &[0], &[1.0, 0.0]),
        r#"class names: expected each name once, found "a" twice"#
    );
}
