//! Numbers that learn nothing, or hardly: each leads to figures that are defined or to one line with a hint.

use std::ffi::OsString;
use std::path::Path;

use convbase_nn::{Checkpoint, Device};

use super::support::*;

/// Numbers that every photograph of a store has.
fn flat(classes: &[(&'static str, usize)], number: f32) -> Store {
    let mut rows = rows(classes, 0);
    rows.iter_mut().for_each(|row| row.1.fill(number));
    Store { rows, ..Store::default() }
}

fn few(classes: &[(&'static str, usize)], seed: u64) -> Store {
    Store { rows: rows(classes, seed), ..Store::default() }
}

fn probe(code: i32, features: &Path, out: &Path, more: &[&str]) -> Said {
    let mut arguments: Vec<OsString> = ["probe", "--features"].map(OsString::from).to_vec();
    arguments.extend([features.into(), "--out".into(), out.into()]);
    arguments.extend(more.iter().map(OsString::from));
    trainer(code, &arguments)
}

/// The checkpoint's figures, which are numbers.
fn figures(run: &Path) -> (f64, f64) {
    let checkpoint = Checkpoint::load(&run.join("best.safetensors"), Device::Cpu).unwrap();
    let (loss, accuracy) = (checkpoint.metadata().val_loss, checkpoint.metadata().val_accuracy);
    assert!(loss.is_finite() && (0.0..=1.0).contains(&accuracy), "{loss} {accuracy}");
    (loss, accuracy)
}

/// Error and hint, in which the folder of the store is called STORE.
fn error_and_hint(said: &Said, features: &Path) -> String {
    said.stderr.replace(&features.display().to_string(), "STORE")
}

const HINT: &str = "hint: `extractor inspect` counts the rows of each class and those that were rejected; where there are \
                    neither, the class's folder holds no files with a known suffix\n";

#[test]
fn infinite_features_end_the_first_epoch_whether_they_train_or_validate() {
    for (row, number) in [(15, f32::INFINITY), (15, f32::NEG_INFINITY), (0, f32::INFINITY), (0, f32::NAN)] {
        let mut made = Store::default();
        made.rows[row].1.fill(number);
        let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
        let said = fit(1, features.path(), out.path(), []);
        assert!(said.stderr.contains("epoch 1: expected finite losses, found loss "), "{}", said.stderr);
        assert!(said.stderr.contains("hint: lower `--learning-rate`; `extractor verify` finds"), "{number}");
        assert!(!out.path().join("best.safetensors").exists());
    }
}

#[test]
fn a_probe_names_the_row_whose_features_are_not_finite() {
    for number in [f32::NAN, f32::INFINITY] {
        let mut made = Store::default();
        made.rows[15].1[3] = number;
        let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
        let said = probe(1, features.path(), out.path(), &[]);
        let expected = format!(
            "trainer: `STORE`: row 15: expected finite features, found {number}\nhint: `extractor verify` finds all of them\n"
        );
        assert_eq!(error_and_hint(&said, features.path()), expected);
        assert!(!out.path().join("best.safetensors").exists());
    }
}

#[test]
fn features_of_zeros_or_without_differences_teach_the_shares_of_the_classes() {
    let ln2 = 2_f64.ln();
    for number in [0.0, 7.0, f32::MIN_POSITIVE / 2.0] {
        let (features, out) =
            (flat(&[("cats", 20), ("dogs", 20)], number).in_folder(), tempfile::tempdir().unwrap());
        let [fitted, probed] = ["fit", "probe"].map(|name| out.path().join(name));
        fit(0, features.path(), &fitted, ["--epochs", "40", "--dropout", "0", "--patience", "5"]);
        assert!((figures(&fitted).0 - ln2).abs() < 0.2, "{number}: {:?}", figures(&fitted));
        probe(0, features.path(), &probed, &[]);
        assert!((figures(&probed).0 - ln2).abs() < 0.01, "{number}: {:?}", figures(&probed));
    }
}

#[test]
fn one_photograph_alone_or_of_one_class_alone_is_refused_with_the_class_that_has_none() {
    for (counts, missing) in [([("cats", 1)], "dogs"), ([("dogs", 9)], "cats")] {
        let (features, out) = (few(&counts, 0).in_folder(), tempfile::tempdir().unwrap());
        let run = out.path().join("run");
        let said = fit(1, features.path(), &run, []);
        let expected = format!(
            "trainer: `STORE`: classes with training rows: expected at least 2, found 1: none of `{missing}`\n{HINT}"
        );
        assert_eq!(error_and_hint(&said, features.path()), expected);
        let said = probe(1, features.path(), &run, &[]);
        let expected =
            format!("trainer: `STORE`: class `{missing}`: expected photographs, found none\n{HINT}");
        assert_eq!(error_and_hint(&said, features.path()), expected);
        assert!(!run.exists());
    }
}

#[test]
fn classes_without_rows_beside_two_with_some_are_told_and_no_obstacle_to_a_training() {
    let classes = &["birds", "cats", "dogs"];
    let made = Store { classes, ..Store::default() };
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let said = fit(0, features.path(), out.path(), []);
    assert!(said.stderr.contains("class `birds` has no training rows"), "{}", said.stderr);
    figures(out.path());
}

#[test]
fn classes_of_one_to_three_photographs_need_a_larger_share_or_a_store_that_validates() {
    let validation = few(&[("cats", 4), ("dogs", 4)], 5).in_folder();
    for (count, share) in [(1, None), (2, Some("0.5")), (3, Some("0.34"))] {
        let (features, out) =
            (few(&[("cats", count), ("dogs", count)], 0).in_folder(), tempfile::tempdir().unwrap());
        let run = out.path().join("run");
        let said = fit(1, features.path(), &run, []);
        let more = share.map_or(String::new(), |share| {
            format!("; or a larger share: the largest class has {count}, one of them is `--validation-split {share}`")
        });
        let expected = format!(
            "trainer: `STORE`: expected validation rows, found none\nhint: give photographs of their own to validate \
             on: `--validation DIR`{more}\n"
        );
        assert_eq!(error_and_hint(&said, features.path()), expected);
        assert!(!run.exists());
        if let Some(share) = share {
            fit(0, features.path(), &run, ["--validation-split", share]);
            figures(&run);
        }
        let by_store = ["--validation", validation.path().to_str().unwrap()];
        fit(0, features.path(), &out.path().join("fit"), by_store);
        probe(0, features.path(), &out.path().join("probe"), &by_store);
        figures(&out.path().join("fit"));
        figures(&out.path().join("probe"));
    }
}

#[test]
fn a_class_with_one_photograph_beside_a_large_one_trains_and_is_said_to_validate_nowhere() {
    let (features, out) = (few(&[("cats", 20), ("dogs", 1)], 0).in_folder(), tempfile::tempdir().unwrap());
    for weight in ["none", "balanced"] {
        let run = out.path().join(weight);
        let said = fit(0, features.path(), &run, ["--class-weight", weight, "--batch-size", "65536"]);
        assert!(said.stderr.contains("class `dogs` has no validation rows"), "{}", said.stderr);
        figures(&run);
    }
    let probed = out.path().join("probe");
    let validation = few(&[("dogs", 6)], 1).in_folder();
    probe(0, features.path(), &probed, &["--validation", validation.path().to_str().unwrap()]);
    figures(&probed);
}

#[test]
fn a_thousand_classes_are_trained_and_probed() {
    let names: Vec<&'static str> = (0..1000).map(|n| &*format!("class{n:04}").leak()).collect();
    let classes: &'static [&'static str] = names.leak();
    let counts: Vec<(&'static str, usize)> = classes.iter().map(|class| (*class, 1)).collect();
    let [features, validation] = [0, 1].map(|seed| {
        Store { classes, rows: rows(&counts, seed), shard_size: 700, ..Store::default() }.in_folder()
    });
    let out = tempfile::tempdir().unwrap();
    let validation = validation.path().to_str().unwrap();
    let [fitted, probed] = ["fit", "probe"].map(|name| out.path().join(name));
    fit(0, features.path(), &fitted, ["--validation", validation, "--batch-size", "256"]);
    figures(&fitted);
    // So strong a penalty is found at once.
    probe(0, features.path(), &probed, &["--validation", validation, "--scaling", "none", "--c", "1e-6"]);
    figures(&probed);
}
