//! Where validation rows come from.

use std::path::Path;

use convbase_core::{DataType, Preprocess};

use super::support::*;

fn fit_with(code: i32, features: &Path, validation: &Path, out: &Path) -> Said {
    fit(code, features, out, ["--validation", validation.to_str().unwrap()])
}

#[test]
fn the_first_share_of_each_class_validates_as_in_keras() {
    // Validation rows look like the other class: a head that learned the rest is wrong about every one of them.
    let mut made = Store { rows: rows(&[("cats", 10), ("dogs", 20)], 0), ..Store::default() };
    let (cats, dogs) = (made.rows[9].1.clone(), made.rows[29].1.clone());
    made.rows[..3].iter_mut().for_each(|row| row.1.clone_from(&dogs));
    made.rows[10..16].iter_mut().for_each(|row| row.1.clone_from(&cats));
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let said = fit(0, features.path(), out.path(), ["--epochs", "20", "--dropout", "0"]);
    assert!(said.stderr.contains("21 training rows, 9 validation rows"), "{}", said.stderr);
    let last = *history(out.path()).records().last().unwrap();
    assert_eq!((last.accuracy, last.val_accuracy), (1.0, 0.0));
}

#[test]
fn a_split_is_the_same_as_two_stores_of_its_rows() {
    let all = rows(&[("cats", 10), ("dogs", 20)], 5);
    let [first, second] = [(0..4, 10..18), (4..10, 18..30)].map(|(cats, dogs)| {
        let rows = [&all[cats], &all[dogs]].concat();
        Store { rows, ..Store::default() }.in_folder()
    });
    let whole = Store { rows: all, ..Store::default() }.in_folder();
    let [split, stores] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    fit(0, whole.path(), split.path(), ["--validation-split", "0.4"]);
    fit_with(0, second.path(), first.path(), stores.path());
    for name in ["history.csv", "best.safetensors", "curves.svg"] {
        assert!(files(split.path())[name] == files(stores.path())[name], "{name} differs");
    }
    assert_eq!(config(split.path())["validation_split"], 0.4);
    assert!(config(stores.path())["validation_split"].is_null());
    assert!(config(stores.path())["validation"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn classes_are_matched_by_name_whatever_their_order_and_number() {
    let features = Store::default().in_folder();
    let validation = rows(&[("cats", 5), ("dogs", 7)], 8);
    let orders: [&'static [&'static str]; 3] =
        [&["cats", "dogs"], &["dogs", "cats"], &["birds", "dogs", "cats"]];
    let runs = orders.map(|classes| {
        let validation = Store { classes, rows: validation.clone(), ..Store::default() }.in_folder();
        let out = tempfile::tempdir().unwrap();
        fit_with(0, features.path(), validation.path(), out.path());
        files(out.path()).remove("history.csv").unwrap()
    });
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2], "a class without rows is no obstacle");
}

#[test]
fn a_class_that_was_not_trained_is_refused_with_both_lists_and_both_stores() {
    let features = Store::default().in_folder();
    let validation = Store {
        classes: &["birds", "dogs"],
        rows: rows(&[("birds", 2), ("dogs", 2)], 0),
        ..Store::default()
    }
    .in_folder();
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("run");
    let said = fit_with(1, features.path(), validation.path(), &run);
    let expected = format!(
        "trainer: cannot validate on `{}` what is trained on `{}`: classes: expected [\"cats\", \"dogs\"], found \
         [\"birds\", \"dogs\"]\n",
        validation.path().display(),
        features.path().display()
    );
    assert_eq!(said.stderr, expected);
    assert!(!run.exists());
}

#[test]
fn a_class_without_validation_rows_is_told_and_shifts_no_label() {
    let features = Store::default().in_folder();
    let validation = Store { rows: rows(&[("dogs", 6)], 1), ..Store::default() }.in_folder();
    let out = tempfile::tempdir().unwrap();
    let options = ["--epochs", "12", "--dropout", "0", "--validation", validation.path().to_str().unwrap()];
    let said = fit(0, features.path(), out.path(), options);
    assert!(said.stderr.contains("class `cats` has no validation rows"), "{}", said.stderr);
    assert_eq!(history(out.path()).best().unwrap().val_accuracy, 1.0);
}

#[test]
fn a_validation_store_of_other_features_is_refused_with_the_field_before_anything_is_written() {
    let features = Store::default().in_folder();
    let validation = Store { preprocess: Preprocess::Caffe, ..Store::default() }.in_folder();
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("run");
    let said = fit_with(1, features.path(), validation.path(), &run);
    let expected = format!(
        "trainer: cannot validate on `{}` what is trained on `{}`: preprocess: expected \"rescale\", found \
         \"caffe\"\nhint: extract both with the same options\n",
        validation.path().display(),
        features.path().display()
    );
    assert_eq!(said.stderr, expected);
    assert!(!run.exists());
}

#[test]
fn another_width_of_numbers_and_the_same_rows_twice_are_warned_about() {
    let features = Store::default().in_folder();
    let validation = Store { dtype: DataType::Float16, ..Store::default() }.in_folder();
    let out = tempfile::tempdir().unwrap();
    let said = fit_with(0, features.path(), validation.path(), &out.path().join("a"));
    let expected = "features are fp32 float32, validation features fp32 float16";
    assert!(said.stderr.contains(expected), "{}", said.stderr);
    let said = fit_with(0, features.path(), features.path(), &out.path().join("b"));
    let expected = "training and validation features are the same";
    assert!(said.stderr.contains(expected), "{}", said.stderr);
}
