//! What a report holds, against plain arithmetic.

use std::path::Path;

use convbase_core::{DataType, Digest};
use safetensors::SafeTensors;
use serde_json::{Value, json};

use super::features::{LENGTH, Store, spec};
use super::support::*;

const COMMON_KEYS: [&str; 12] = [
    "test_loss",
    "test_accuracy",
    "accuracy_wilson95",
    "num_samples",
    "num_rejected",
    "classes",
    "confusion_matrix",
    "report",
    "expected_calibration_error",
    "feature_id",
    "checkpoint",
    "roc_auc",
];

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn sorted<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut keys: Vec<&str> = keys.into_iter().collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_report_of_two_classes_is_what_the_predictions_give() {
    let made = Store::of(&[("cats", 7), ("dogs", 6)]);
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let report = out.path().join("report");
    let said = evaluate(0, features.path(), &head, &report);
    let metrics = metrics(&report);
    assert_eq!(keys(&metrics), sorted(COMMON_KEYS.into_iter().chain(["average_precision", "brier"])));
    assert_eq!(keys(&metrics["report"]), ["accuracy", "cats", "dogs", "macro avg", "weighted avg"]);
    assert_eq!(keys(&metrics["report"]["cats"]), ["f1-score", "precision", "recall", "support"]);

    let predictions = predictions(&report);
    let rows: Vec<(usize, f64)> =
        predictions.rows().map(|row| (usize::from(row.label == "dogs"), row.probabilities[1])).collect();
    assert_eq!(rows.len(), 13);
    let correct = rows.iter().filter(|(label, score)| (*score > 0.5) == (*label == 1)).count();
    assert!(correct > 0 && correct < 13, "the head is neither all right nor all wrong");
    assert_eq!(metrics["test_accuracy"], json!(correct as f64 / 13.0));
    assert_eq!(predictions.rows().filter(|row| row.correct).count(), correct);
    let calibration_error = metrics["expected_calibration_error"].as_f64().unwrap();
    assert!(calibration_error > 0.0 && calibration_error < 1.0, "{calibration_error}");
    let mean = |of: &dyn Fn(usize, f64) -> f64| {
        rows.iter().map(|&(label, score)| of(label, score)).sum::<f64>() / 13.0
    };
    let loss = mean(&|label, score| -(if label == 1 { score } else { 1.0 - score }).ln());
    assert_near(metrics["test_loss"].as_f64().unwrap(), loss, 1e-12);
    assert_near(
        metrics["brier"].as_f64().unwrap(),
        mean(&|label, score| (score - label as f64).powi(2)),
        1e-12,
    );
    let scores =
        |wanted: usize| rows.iter().filter(move |(label, _)| *label == wanted).map(|(_, score)| *score);
    let won = scores(1).flat_map(|high| {
        scores(0).map(move |low| {
            if high > low {
                1.0
            } else if high == low {
                0.5
            } else {
                0.0
            }
        })
    });
    assert_near(metrics["roc_auc"].as_f64().unwrap(), won.sum::<f64>() / 42.0, 1e-12);

    let count = |label: usize, taken: bool| {
        rows.iter().filter(|row| row.0 == label && (row.1 > 0.5) == taken).count()
    };
    assert_eq!(
        metrics["confusion_matrix"],
        json!([[count(0, false), count(0, true)], [count(1, false), count(1, true)]])
    );
    assert_eq!((&metrics["num_samples"], &metrics["num_rejected"]), (&json!(13), &json!(0)));
    assert_eq!(metrics["classes"], json!(["cats", "dogs"]));
    assert_eq!(metrics["feature_id"], json!(spec().id()));
    let sha256 = Digest::of(&std::fs::read(&head).unwrap()).hex();
    assert_eq!(metrics["checkpoint"], json!({"sha256": sha256, "epoch": 7, "val_loss": 0.375}));
    assert_eq!(said.stdout, "");
    assert!(said.stderr.contains(&format!("({correct} of 13; 95 %: ")), "{}", said.stderr);
}

#[test]
fn the_report_of_three_classes_has_its_own_ranking_key() {
    let names = ["birds", "cats", "dogs"];
    let made = Store::of(&[("birds", 5), ("cats", 4), ("dogs", 6)]);
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let head = checkpoint(out.path(), &spec(), &names, 8);
    let report = out.path().join("report");
    evaluate(0, features.path(), &head, &report);
    let metrics = metrics(&report);
    let common = COMMON_KEYS.into_iter().filter(|key| *key != "roc_auc");
    assert_eq!(keys(&metrics), sorted(common.chain(["roc_auc_ovr_macro"])));
    let predictions = predictions(&report);
    assert_eq!(predictions.classes(), names);
    let loss: f64 = predictions
        .rows()
        .map(|row| -row.probabilities[names.iter().position(|name| *name == row.label).unwrap()].ln())
        .sum();
    assert_near(metrics["test_loss"].as_f64().unwrap(), loss / 15.0, 1e-12);
    let supports = names.map(|name| metrics["report"][name]["support"].as_f64().unwrap());
    assert_eq!(supports, [5.0, 4.0, 6.0]);
    let names: Vec<String> = files(&report).into_keys().collect();
    let expected = [
        "confusion_matrix.png",
        "confusion_matrix.svg",
        "metrics.json",
        "predictions.csv",
        "report.html",
        "report.json",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_image_has_a_row_with_its_path_and_a_rejected_one_has_none() {
    let mut made = Store::of(&[("cats", 6), ("dogs", 4)]);
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let [whole, less] = ["whole", "less"].map(|name| out.path().join(name));
    evaluate(0, features.path(), &head, &whole);
    for number in [2, 6, 7] {
        made.images[number].1 = None;
    }
    let features = made.in_folder();
    evaluate(0, features.path(), &head, &less);
    let rows = |report: &Path| -> Vec<(String, String, Vec<f64>)> {
        let row = |row: convbase_core::report::Prediction| {
            (row.path.to_owned(), row.label.to_owned(), row.probabilities.to_vec())
        };
        predictions(report).rows().map(row).collect()
    };
    let (whole, found) = (rows(&whole), rows(&less));
    let paths: Vec<String> =
        (0..10).map(|number| Store::path(number, if number < 6 { "cats" } else { "dogs" })).collect();
    assert_eq!(whole.iter().map(|row| row.0.clone()).collect::<Vec<_>>(), paths);
    assert!(whole.iter().all(|row| row.0.starts_with(&row.1)), "labels are those of the paths");
    let expected: Vec<_> =
        (0..10).filter(|number| ![2, 6, 7].contains(number)).map(|number| &whole[number]).collect();
    assert_eq!(found.len(), 7);
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((&found.0, &found.1), (&expected.0, &expected.1));
        assert_near(found.2[1], expected.2[1], 1e-6);
    }
    let metrics = metrics(&less);
    assert_eq!((&metrics["num_samples"], &metrics["num_rejected"]), (&json!(7), &json!(3)));
}

/// Probabilities of every row, in double precision, from the checkpoint's bytes and the features.
fn by_hand(checkpoint: &Path, rows: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let bytes = std::fs::read(checkpoint).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |name: &str| -> Option<Vec<f64>> {
        let tensor = file.tensor(name).ok()?;
        let numbers = tensor.data().as_chunks::<4>().0.iter();
        Some(numbers.map(|number| f64::from(f32::from_le_bytes(*number))).collect())
    };
    let layer = |inputs: &[f64], name: &str| -> Option<Vec<f64>> {
        let (weight, bias) = (numbers(&format!("{name}.weight"))?, numbers(&format!("{name}.bias"))?);
        let sums =
            weight.chunks(inputs.len()).map(|row| row.iter().zip(inputs).map(|(a, b)| a * b).sum::<f64>());
        Some(sums.zip(bias).map(|(sum, bias)| sum + bias).collect())
    };
    let probabilities = |row: &Vec<f32>| {
        let mut hidden: Vec<f64> = row.iter().map(|number| f64::from(*number)).collect();
        if let Some(dense) = layer(&hidden, "dense") {
            hidden = dense.into_iter().map(|number| number.max(0.0)).collect();
        }
        let logits = layer(&hidden, "output").unwrap();
        if let [logit] = logits[..] {
            let positive = 1.0 / (1.0 + (-logit).exp());
            return vec![1.0 - positive, positive];
        }
        let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
        logits.iter().map(|logit| logit.exp() / sum).collect()
    };
    rows.iter().map(probabilities).collect()
}

#[test]
fn probabilities_are_those_of_plain_arithmetic_on_the_two_files() {
    let names = ["birds", "cats", "dogs"];
    for (count, hidden, dtype) in [
        (2, 8, DataType::Float32),
        (2, 0, DataType::Float32),
        (3, 8, DataType::Float32),
        (3, 0, DataType::Float32),
        (2, 8, DataType::Float16),
    ] {
        let names = &names[..count];
        let counts: Vec<(&'static str, usize)> = names.iter().map(|name| (*name, 6)).collect();
        let made = Store { dtype, ..Store::of(&counts) };
        let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
        let head = checkpoint(out.path(), &spec(), names, hidden);
        let report = out.path().join("report");
        evaluate(0, features.path(), &head, &report);

        let mut rows: Vec<Vec<f32>> = made.images.iter().map(|image| image.1.clone().unwrap()).collect();
        if dtype == DataType::Float32 {
            rows = read_features(features.path());
        }
        let expected = by_hand(&head, &rows);
        let predictions = predictions(&report);
        assert_eq!((predictions.rows().len(), expected.len()), (6 * count, 6 * count));
        for (row, expected) in predictions.rows().zip(&expected) {
            assert_eq!(row.probabilities.len(), count);
            for (found, expected) in row.probabilities.iter().zip(expected) {
                assert_near(*found, *expected, 1e-5);
            }
            let sum: f64 = row.probabilities.iter().sum();
            assert_near(sum, 1.0, 1e-12);
        }
        let distinct: std::collections::BTreeSet<u64> =
            predictions.rows().map(|row| row.probabilities[0].to_bits()).collect();
        assert_eq!(distinct.len(), 6 * count, "every image has its own probability");
    }
}

/// The rows of all shards as another program reads them.
fn read_features(store: &Path) -> Vec<Vec<f32>> {
    let arrays = files(store).into_iter().filter(|(name, _)| name.starts_with("features-"));
    let numbers: Vec<f32> = arrays
        .flat_map(|(_, bytes)| npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<f32>().unwrap())
        .collect();
    numbers.chunks(LENGTH).map(<[f32]>::to_vec).collect()
}

#[test]
fn a_second_run_writes_equal_bytes_and_the_figures_are_images() {
    let features = Store::of(&[("cats", 5), ("dogs", 5)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let [first, second] = ["a", "b"].map(|name| out.path().join(name));
    evaluate(0, features.path(), &head, &first);
    evaluate(0, features.path(), &head, &second);
    let found = files(&first);
    assert!(found == files(&second), "two reports differ");
    evaluate(0, features.path(), &head, &first);
    assert!(found == files(&first), "a repeated report differs");
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "confusion_matrix.png",
            "confusion_matrix.svg",
            "metrics.json",
            "predictions.csv",
            "report.html",
            "report.json",
            "roc_curve.png",
            "roc_curve.svg"
        ]
    );
    for (name, bytes) in &found {
        if name.ends_with(".png") {
            let image = image::load_from_memory_with_format(bytes, image::ImageFormat::Png).unwrap();
            assert!(image.width() >= 300 && image.height() >= 300, "{name}");
        } else if name.ends_with(".svg") {
            assert!(bytes.starts_with(b"<svg") && bytes.trim_ascii_end().ends_with(b"</svg>"), "{name}");
        }
    }
}
