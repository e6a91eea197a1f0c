//! Classes are matched by name.

use convbase_core::Classes;
use serde_json::{Value, json};

use super::features::{Store, spec};
use super::support::*;

#[test]
fn the_order_of_the_stores_classes_does_not_matter() {
    let mut made = Store::of(&[("cats", 5), ("dogs", 4)]);
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let reports = [vec!["cats", "dogs"], vec!["dogs", "cats"], vec!["dogs", "horses", "cats"]].map(|order| {
        let report = out.path().join(order.join("-"));
        made.classes = order;
        evaluate(0, made.in_folder().path(), &head, &report);
        let mut files = files(&report);
        // The page names the store by its digest, which is another one for each order.
        let page = String::from_utf8(files.remove("report.html").unwrap()).unwrap();
        let (before, after) = page.split_once("<dt>store</dt>").unwrap();
        files.insert("page".to_owned(), [before, after.split_once("</dd>").unwrap().1].concat().into_bytes());
        files
    });
    assert!(reports[0] == reports[1], "the order of classes changed the report");
    assert!(reports[0] == reports[2], "a class without images changed the report");
}

#[test]
fn a_class_without_images_shifts_no_label() {
    let features = Store::of(&[("dogs", 5)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let report = out.path().join("report");
    let said = evaluate(0, features.path(), &head, &report);
    let metrics = metrics(&report);
    assert_eq!(metrics["classes"], json!(["cats", "dogs"]));
    assert!(predictions(&report).rows().all(|row| row.label == "dogs"));
    let [cats, dogs] = ["cats", "dogs"].map(|name| metrics["report"][name]["support"].as_f64().unwrap());
    assert_eq!((cats, dogs), (0.0, 5.0));
    assert_eq!(metrics["confusion_matrix"][0], json!([0, 0]));
    // Neither a curve nor its area is defined without the other class.
    assert_eq!(metrics["roc_auc"], Value::Null);
    assert!(!report.join("roc_curve.svg").exists());
    assert!(said.stderr.contains("no ROC curve"), "{}", said.stderr);
}

#[test]
fn the_checkpoints_order_is_the_order_of_the_columns() {
    let features = Store::of(&[("birds", 3), ("cats", 3), ("dogs", 3)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["dogs", "birds", "cats"], 8);
    let report = out.path().join("report");
    evaluate(0, features.path(), &head, &report);
    let csv = std::fs::read_to_string(report.join("predictions.csv")).unwrap();
    let header = csv.lines().next().unwrap();
    assert_eq!(header, "path,label,prediction,correct,prob_dogs,prob_birds,prob_cats");
    for row in predictions(&report).rows() {
        assert!(row.path.starts_with(&format!("{}/", row.label)), "{row:?}");
        let most = row.probabilities.iter().copied().fold(0.0, f64::max);
        let names = ["dogs", "birds", "cats"];
        assert_eq!(
            names[row.probabilities.iter().position(|number| *number == most).unwrap()],
            row.prediction
        );
    }
}

#[test]
fn a_class_that_was_not_trained_is_refused_with_both_lists() {
    let features = Store::of(&[("birds", 2), ("cats", 2)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let report = out.path().join("report");
    let said = evaluate(1, features.path(), &head, &report);
    let expected = format!(
        "cannot use checkpoint `{}` with features `{}`: classes: expected [\"cats\", \"dogs\"], found [\"birds\", \
         \"cats\"]",
        head.display(),
        features.path().display()
    );
    assert_eq!(error_of(&said), expected);
    assert_eq!(said.stderr.lines().count(), 2, "an error and a hint: {}", said.stderr);
    assert!(!report.exists());
}

#[test]
fn names_with_commas_and_quotes_survive() {
    let features = Store::of(&[("a, \"b\"", 3), ("c", 3)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["a, \"b\"", "c"], 8);
    let report = out.path().join("report");
    evaluate(0, features.path(), &head, &report);
    let predictions = predictions(&report);
    let classes = Classes::new(predictions.classes().to_vec()).unwrap();
    assert_eq!(classes.names(), ["a, \"b\"", "c"]);
    assert_eq!(predictions.rows().filter(|row| row.label == "a, \"b\"").count(), 3);
}
