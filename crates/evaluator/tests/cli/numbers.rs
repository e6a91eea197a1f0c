//! Numbers from which nothing follows, or hardly: a report whose figures are defined, or one line with a hint.

use std::path::Path;

use convbase_core::write_artifact;
use safetensors::SafeTensors;
use serde_json::{Value, json};

use super::features::{LENGTH, Store, spec};
use super::support::*;

/// Asserts that every figure of a report is a number, but for these, which its photographs leave undefined.
#[track_caller]
fn assert_defined(report: &Path, undefined: &[&str]) {
    let text = std::fs::read_to_string(report.join("metrics.json")).unwrap();
    assert!(!["NaN", "nan", "Infinity", "inf"].iter().any(|word| text.contains(word)), "{text}");
    let metrics = metrics(report);
    let nulls: Vec<&String> = metrics
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, value)| value.is_null())
        .map(|(key, _)| key)
        .collect();
    assert_eq!(nulls, undefined);
    let inner = [&metrics["report"], &metrics["confusion_matrix"], &metrics["accuracy_wilson95"]];
    assert!(inner.iter().all(|value| !value.to_string().contains("null")), "{text}");
}

/// A report on made-up features with a head of two classes.
fn report_on(made: &Store, code: i32) -> (tempfile::TempDir, Said, Value) {
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let report = out.path().join("report");
    let said = evaluate(code, features.path(), &head, &report);
    assert_eq!(report.exists(), code == 0);
    let metrics = if code == 0 { metrics(&report) } else { Value::Null };
    (
        out,
        Said { stderr: said.stderr.replace(&features.path().display().to_string(), "STORE"), ..said },
        metrics,
    )
}

#[test]
fn features_that_are_not_finite_are_refused_with_their_row() {
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut made = Store::of(&[("cats", 7), ("dogs", 6)]);
        made.images[3].1 = None;
        made.images[9].1.as_mut().unwrap()[5] = number;
        let (_out, said, _) = report_on(&made, 1);
        let expected = format!("`STORE`: row 8: expected finite features, found {number}");
        assert_eq!(error_of(&said), expected);
        assert!(said.stderr.contains("\nhint: `extractor verify` finds all of them"), "{}", said.stderr);
    }
}

#[test]
fn features_of_zeros_have_a_report_in_which_all_photographs_are_alike() {
    let mut made = Store::of(&[("cats", 7), ("dogs", 6)]);
    made.images.iter_mut().for_each(|image| image.1.as_mut().unwrap().fill(0.0));
    let (out, _, metrics) = report_on(&made, 0);
    assert_defined(&out.path().join("report"), &[]);
    assert_eq!(metrics["roc_auc"], json!(0.5));
    assert_near(metrics["average_precision"].as_f64().unwrap(), 6.0 / 13.0, 1e-12);
}

#[test]
fn one_photograph_has_a_report_without_what_needs_both_classes() {
    // Precision needs one of the class that is looked for, and no other.
    for (class, undefined) in [("cats", &["average_precision", "roc_auc"][..]), ("dogs", &["roc_auc"])] {
        let (out, said, metrics) = report_on(&Store::of(&[(class, 1)]), 0);
        assert_defined(&out.path().join("report"), undefined);
        assert_eq!(metrics["num_samples"], json!(1));
        assert!(said.stderr.contains("no ROC curve"), "{}", said.stderr);
    }
}

#[test]
fn a_class_with_one_photograph_has_a_whole_report() {
    let (out, _, metrics) = report_on(&Store::of(&[("cats", 7), ("dogs", 1)]), 0);
    assert_defined(&out.path().join("report"), &[]);
    assert_eq!(metrics["report"]["dogs"]["support"], json!(1.0));
}

#[test]
fn a_thousand_classes_of_which_few_have_photographs_have_a_report() {
    let names: Vec<&'static str> = (0..1000).map(|n| &*format!("class{n:04}").leak()).collect();
    let counts: Vec<(&'static str, usize)> =
        names.iter().enumerate().map(|(n, name)| (*name, usize::from(n % 100 == 0) * 2)).collect();
    let made = Store { shard_size: 7, ..Store::of(&counts) };
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let head = checkpoint(out.path(), &spec(), &names, 8);
    let report = out.path().join("report");
    evaluate(0, features.path(), &head, &report);
    assert_defined(&report, &["roc_auc_ovr_macro"]);
    assert_eq!(metrics(&report)["num_samples"], json!(20));
    assert_eq!(predictions(&report).classes().len(), 1000);
}

/// The checkpoint's bytes, the first number of a tensor another one.
fn forged(path: &Path, tensor: &str, number: f32) -> Vec<u8> {
    let mut bytes = std::fs::read(path).unwrap();
    let start = {
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let data = file.tensor(tensor).unwrap().data();
        data.as_ptr() as usize - bytes.as_ptr() as usize
    };
    bytes[start..start + 4].copy_from_slice(&number.to_le_bytes());
    bytes
}

#[test]
fn a_head_whose_numbers_are_none_is_refused_with_the_tensor() {
    let out = tempfile::tempdir().unwrap();
    let features = Store::of(&[("cats", 3), ("dogs", 3)]).in_folder();
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    for (tensor, number) in [("dense.weight", f32::NAN), ("output.bias", f32::NEG_INFINITY)] {
        let whole = std::fs::read(&head).unwrap();
        write_artifact(&head, &forged(&head, tensor, number)).unwrap();
        let said = evaluate(1, features.path(), &head, &out.path().join("report"));
        let expected =
            format!("checkpoint `{}`: {tensor}: expected finite numbers, found {number}", head.display());
        assert_eq!(error_of(&said), expected);
        write_artifact(&head, &whole).unwrap();
    }
}

#[test]
fn a_head_whose_sums_overflow_is_refused_with_a_hint() {
    let mut made = Store::of(&[("birds", 3), ("cats", 3), ("dogs", 3)]);
    made.images.iter_mut().for_each(|image| image.1 = Some(vec![f32::MAX; LENGTH]));
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let head = checkpoint(out.path(), &spec(), &["birds", "cats", "dogs"], 8);
    let report = out.path().join("report");
    let said = evaluate(1, features.path(), &head, &report);
    assert_eq!(error_of(&said), format!("`{}`: expected probabilities, found NaN", head.display()));
    assert!(said.stderr.ends_with("train it again with a lower `--learning-rate`\n"), "{}", said.stderr);
    assert!(!report.exists());
}
