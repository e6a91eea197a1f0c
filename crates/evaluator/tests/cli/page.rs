//! The page of a report: one file that tells what the other files tell, and shows photographs.

use std::path::Path;

use serde_json::{Value, json};

use super::features::{Store, spec};
use super::predict::Bench;
use super::support::*;

fn page(report: &Path) -> String {
    std::fs::read_to_string(report.join("report.html")).unwrap()
}

fn data(report: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(report.join("report.json")).unwrap()).unwrap()
}

/// What the slider counts with, which the page holds as an attribute.
fn counts(page: &str) -> Value {
    let (_, after) = page.split_once("data-counts=\"").unwrap();
    let text = after.split('"').next().unwrap();
    let text = [("&#34;", "\""), ("&quot;", "\"")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_page_of_two_classes_tells_what_the_other_files_tell() {
    let features = Store::of(&[("cats", 7), ("dogs", 6)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let report = out.path().join("report");
    evaluate(0, features.path(), &head, &report);
    let (page, data, metrics, predictions) =
        (page(&report), data(&report), metrics(&report), predictions(&report));

    let accuracy = metrics["test_accuracy"].as_f64().unwrap();
    assert!(page.contains(&format!("<h1>{:.1}\u{a0}% of 13 photographs", 100.0 * accuracy)), "{page}");
    let [low, high] = [0, 1].map(|end| 100.0 * metrics["accuracy_wilson95"][end].as_f64().unwrap());
    assert!(page.contains(&format!("95 % interval {low:.1}\u{a0}% to {high:.1}\u{a0}%")));
    assert_eq!(data["thresholds"], counts(&page));
    let exceeding = |label: &str, threshold: f64| {
        let rows = predictions.rows().filter(|row| row.label == label);
        rows.filter(|row| row.probabilities[1] > threshold).count()
    };
    for step in [0, 250, 499, 500, 501, 1000] {
        let threshold = f64::from(step) / 1000.0;
        let step = step as usize;
        assert_eq!(data["thresholds"]["true_positives"][step], json!(exceeding("dogs", threshold)));
        assert_eq!(data["thresholds"]["false_positives"][step], json!(exceeding("cats", threshold)));
    }
    let wrong: Vec<&str> = predictions.rows().filter(|row| !row.correct).map(|row| row.path).collect();
    let mut named: Vec<String> = serde_json::from_value(data["most_confident_errors"].clone()).unwrap();
    named.sort_unstable();
    assert_eq!(named, wrong);
    let photographs: u64 =
        data["reliability"].as_array().unwrap().iter().map(|bin| bin["photographs"].as_u64().unwrap()).sum();
    assert_eq!(photographs, 13);
    // Counts of the matrix lead to places that are there.
    let targets: Vec<&str> =
        page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(targets.iter().any(|target| target.starts_with("cell-")), "{targets:?}");
    for target in targets {
        assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
    }
    assert!(!page.contains("<img") && page.contains("<code>--images DIR</code>"));
}

#[test]
fn photographs_are_shown_from_their_folder_and_a_changed_one_by_its_name() {
    let bench = Bench::new();
    let report = bench.folder.path().join("report");
    let images = ["--images".into(), bench.images.path().into()];
    let said = evaluate_with(0, &bench.store, &bench.head, &report, &images);
    let all = page(&report).matches("<img").count();
    assert!(all >= 9, "{all}");
    assert!(!said.stderr.contains("thumbnail"), "{}", said.stderr);
    std::fs::remove_file(bench.image("birds/0.png")).unwrap();
    std::fs::copy(bench.image("cats/1.png"), bench.image("cats/4.png")).unwrap();
    let said = evaluate_with(0, &bench.store, &bench.head, &report, &images);
    let text = page(&report);
    assert!(!text.contains("alt=\"Photograph birds/0.png\"") && text.contains("<code>birds/0.png</code>"));
    assert!(!text.contains("alt=\"Photograph cats/4.png\"") && text.contains("<code>cats/4.png</code>"));
    let warning =
        "2 photographs have no thumbnail on the page, the first is `birds/0.png`: cannot read the file";
    assert!(said.stderr.contains(warning), "{}", said.stderr);
}

#[test]
fn names_that_are_markup_stay_text() {
    let names: [&'static str; 2] = ["<script>alert(1)</script>", "dogs & \"cats\""];
    let features = Store::of(&[(names[0], 3), (names[1], 3)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &names, 8);
    evaluate(0, features.path(), &head, &out.path().join("report"));
    let page = page(&out.path().join("report"));
    assert!(!page.contains("<script>alert") && page.contains("&#60;script&#62;alert(1)"), "{page}");
}

#[test]
fn what_to_distrust_names_rejected_photographs_and_classes_without_any() {
    let mut made = Store::of(&[("cats", 4), ("dogs", 4)]);
    made.images[1].1 = None;
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs", "horses"], 8);
    let report = out.path().join("report");
    evaluate(0, features.path(), &head, &report);
    let data = data(&report);
    let found: Vec<(&str, Value)> = data["distrust"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["text"].as_str().unwrap(), finding["details"].clone()))
        .collect();
    assert_eq!(found[0].0, "1 of 8 photographs could not be read and are in no figure.");
    assert_eq!(found[0].1, json!(["cats/001.jpg: unreadable"]));
    assert_eq!(found[1].1, json!(["horses"]));
    assert!(data.get("thresholds").is_none(), "three classes have no threshold");
}

#[test]
fn test_photographs_that_were_trained_on_are_named() {
    let made = Store::of(&[("cats", 6), ("dogs", 6)]);
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let report = out.path().join("report");
    let training = ["--training".into(), features.path().into()];
    evaluate_with(0, features.path(), &head, &report, &training);
    let found = &data(&report)["distrust"];
    let found =
        found.as_array().unwrap().iter().find(|finding| finding["details"].to_string().contains("cosine"));
    let found = found.unwrap();
    let text = "12 of 12 test photographs look like photographs that were trained on (12 are the same files)";
    assert!(found["text"].as_str().unwrap().starts_with(text), "{found}");
    let detail = "cats/000.jpg and cats/000.jpg of the training photographs: the same file, cosine 1.000";
    assert_eq!(found["details"][0], json!(detail));
    // Others are no twins of these.
    let mut other = Store::of(&[("cats", 6), ("dogs", 6)]);
    other.images.iter_mut().flat_map(|image| &mut image.1).for_each(|numbers| numbers.rotate_left(7));
    other.first_file = 100;
    let other = other.in_folder();
    evaluate_with(0, features.path(), &head, &report, &["--training".into(), other.path().into()]);
    assert!(!page(&report).contains("cosine") && !page(&report).contains("was not looked for"));
}

#[test]
fn a_run_beside_the_checkpoint_gives_its_curves_and_another_one_does_not() {
    let features = Store::of(&[("cats", 4), ("dogs", 4)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let history = |val_loss: f64| {
        let lines: String = (1..=8)
            .map(|epoch| format!("{epoch},0.5,0.75,{},0.75\n", if epoch == 7 { val_loss } else { 0.5 }))
            .collect();
        let text = format!("epoch,loss,accuracy,val_loss,val_accuracy\n{lines}");
        convbase_core::write_artifact(&out.path().join("history.csv"), text.as_bytes()).unwrap();
    };
    let report = out.path().join("report");
    history(0.375);
    evaluate(0, features.path(), &head, &report);
    assert!(page(&report).contains("id=\"loss-curve-title\""));
    history(0.25);
    evaluate(0, features.path(), &head, &report);
    assert!(!page(&report).contains("id=\"loss-curve-title\""));
}

#[test]
fn without_a_page_there_is_none_and_a_missing_folder_is_known_before_anything_is_written() {
    let features = Store::of(&[("cats", 4), ("dogs", 4)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let report = out.path().join("report");
    evaluate_with(0, features.path(), &head, &report, &words(["--no-report"]));
    let names: Vec<String> = files(&report).into_keys().collect();
    assert!(
        names.contains(&"metrics.json".to_owned()) && !names.iter().any(|name| name.starts_with("report."))
    );
    let other = out.path().join("other");
    let said = evaluate_with(1, features.path(), &head, &other, &words(["--images", "nowhere"]));
    assert_eq!(error_of(&said), "`nowhere`: expected the folder of the photographs, found none");
    assert!(!other.join("metrics.json").exists());
}
