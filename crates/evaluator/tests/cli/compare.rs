//! Reports side by side: which is better, and whether that may be chance.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use convbase_core::report::{CheckpointReference, Predictions, ReportInput};
use convbase_core::{Report, write_artifact};
use serde_json::Value;
use tempfile::TempDir;

use super::features::{Store, spec};
use super::shell::Script;
use super::support::*;

const CLASSES: [&str; 2] = ["cats", "dogs"];

/// Reports of so many photographs, half of each class, of which one has certain ones wrong.
struct Reports {
    folder: TempDir,
}

impl Reports {
    const PHOTOGRAPHS: usize = 100;

    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A report whose predictions are wrong where it is asked for, with its rows in any order.
    fn write(&self, name: &str, is_wrong: impl Fn(usize) -> bool, order: impl Fn(usize) -> usize) -> PathBuf {
        let rows: Vec<usize> = (0..Self::PHOTOGRAPHS).map(order).collect();
        let label = |row: usize| usize::from(row >= Self::PHOTOGRAPHS / 2);
        let probability = |row: &usize| {
            let dog = if is_wrong(*row) { 1 - label(*row) } else { label(*row) };
            if dog == 1 { [0.25, 0.75] } else { [0.75, 0.25] }
        };
        let paths = rows.iter().map(|row| format!("{}/{row}.jpg", CLASSES[label(*row)])).collect();
        let labels: Vec<usize> = rows.iter().map(|row| label(*row)).collect();
        let probabilities: Vec<f64> = rows.iter().flat_map(probability).collect();
        self.write_rows(name, paths, labels, probabilities)
    }

    fn write_rows(&self, name: &str, paths: Vec<String>, labels: Vec<usize>, numbers: Vec<f64>) -> PathBuf {
        let (folder, classes) = (self.path(name), CLASSES.map(str::to_owned));
        let report = Report::new(ReportInput {
            classes: &classes,
            labels: &labels,
            probabilities: &numbers,
            num_rejected: 0,
            feature_id: "sha256:f".to_owned(),
            checkpoint: CheckpointReference { sha256: name.to_owned(), epoch: 1, val_loss: 0.5 },
        });
        let predictions = Predictions::new(classes.to_vec(), paths, labels, numbers).unwrap();
        write_artifact(&folder.join("metrics.json"), report.unwrap().to_json().unwrap().as_bytes()).unwrap();
        write_artifact(&folder.join("predictions.csv"), predictions.to_csv().as_bytes()).unwrap();
        folder
    }

    /// The first has 0 to 9 wrong, the second 5 to 9 and 40 to 60: 21 only the first has right, 5 only the second.
    fn pair(&self) -> [PathBuf; 2] {
        let second = |row: usize| (5..10).contains(&row) || (40..=60).contains(&row);
        [
            self.write("a/test", |row| row < 10, |row| row),
            self.write("b/test", second, |row| (row * 37) % Self::PHOTOGRAPHS),
        ]
    }
}

fn compare(code: i32, reports: &[PathBuf], more: &[&str]) -> Said {
    let mut arguments: Vec<OsString> = words(["compare"]);
    arguments.extend(more.iter().map(Into::into));
    arguments.extend(reports.iter().map(Into::into));
    evaluator(code, &arguments)
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    write_artifact(path, text.replacen(from, to, 1).as_bytes()).unwrap();
}

#[test]
fn a_pair_is_compared_photograph_by_photograph_whatever_the_order_of_the_rows() {
    let reports = Reports::new();
    let pair = reports.pair();
    let said = compare(0, &pair, &[]);
    assert_eq!(said.stderr, "");
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(found["num_samples"], 100);
    let [first, second] = [0, 1].map(|index| &found["reports"][index]);
    assert_eq!((&first["name"], &second["name"]), (&"a/test".into(), &"b/test".into()));
    assert_eq!((&first["test_accuracy"], &second["num_correct"]), (&0.9.into(), &74.into()));
    for (report, folder) in [(first, &pair[0]), (second, &pair[1])] {
        let metrics = metrics(folder);
        for key in ["test_accuracy", "accuracy_wilson95", "test_loss", "expected_calibration_error"] {
            assert_eq!(report[key], metrics[key], "{key}");
        }
        assert_eq!(report["checkpoint"], metrics["checkpoint"]["sha256"]);
    }
    let [pair] = &found["pairs"].as_array().unwrap()[..] else { panic!("one pair") };
    assert_eq!((&pair["only_first_correct"], &pair["only_second_correct"]), (&21.into(), &5.into()));
    assert_near(pair["accuracy_difference"].as_f64().unwrap(), 0.16, 1e-12);
    // SciPy's binomtest(5, 26).pvalue.
    assert_near(pair["mcnemar_p"].as_f64().unwrap(), 0.002493917942047119, 1e-12);
    let bound = |index: usize| pair["accuracy_difference_interval95"][index].as_f64().unwrap();
    assert!(0.0 < bound(0) && bound(0) < 0.16 && 0.16 < bound(1) && bound(1) < 0.3, "{pair}");
}

#[test]
fn files_hold_what_is_printed_and_a_table_is_for_people() {
    let reports = Reports::new();
    let [first, second] = reports.pair();
    let same = reports.write("c/test", |row| row < 10, |row| row);
    let (all, out) = ([first, second, same], reports.path("out"));
    let said = compare(0, &all, &["--out", out.to_str().unwrap(), "--format", "json"]);
    assert!(said.stderr.contains("3 reports compared"), "{}", said.stderr);
    let written = files(&out);
    assert_eq!(written.keys().collect::<Vec<_>>(), ["comparison.html", "comparison.json"]);
    assert_eq!(written["comparison.json"], said.stdout.as_bytes());
    compare(0, &all, &["-q", "--out", out.to_str().unwrap()]);
    assert!(files(&out) == written, "the same reports give the same bytes");

    let page = String::from_utf8(written["comparison.html"].clone()).unwrap();
    for text in [
        "a/test recognises 90.0\u{a0}%, the most of 3",
        "0.9000",
        "+0.1600",
        "a/test is better",
        "may be chance",
    ] {
        assert!(page.contains(text), "{text} is missing: {page}");
    }
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("NaN"));

    let table = compare(0, &all, &["--format", "table"]).stdout;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["100", "photographs"]);
    assert_eq!(rows[3][..5], ["a/test", "0.9000", "0.8256", "to", "0.9448"]);
    assert!(
        rows.contains(&vec!["a/test,", "c/test", "0", "0", "+0.0000", "-0.0370", "to", "+0.0370", "1.000"]),
        "{table}"
    );
    assert!(table.ends_with("among so many pairs a small one may be chance.\n"), "{table}");
}

#[test]
fn what_the_evaluator_writes_can_be_compared() {
    let (features, folder) =
        (Store::of(&[("cats", 20), ("dogs", 20)]).in_folder(), tempfile::tempdir().unwrap());
    let heads = [4, 8].map(|hidden| {
        let place = folder.path().join(hidden.to_string());
        std::fs::create_dir(&place).unwrap();
        let head = checkpoint(&place, &spec(), &CLASSES, hidden);
        evaluate(0, features.path(), &head, &place.join("test"));
        place.join("test")
    });
    let said = compare(0, &heads, &["-q"]);
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    let counts = |report: usize| found["reports"][report]["num_correct"].as_f64().unwrap();
    let difference = found["pairs"][0]["accuracy_difference"].as_f64().unwrap();
    assert_near(difference, (counts(0) - counts(1)) / 40.0, 1e-12);
}

#[test]
fn other_photographs_or_labels_are_refused_with_the_first_that_differ() {
    let reports = Reports::new();
    let [first, second] = reports.pair();
    let rows = |paths: &[&str], labels: &[usize]| {
        let numbers = labels.iter().flat_map(|_| [0.75, 0.25]).collect();
        let paths = paths.iter().map(ToString::to_string).collect();
        reports.write_rows("other", paths, labels.to_vec(), numbers)
    };
    let other = rows(&["cats/0.jpg", "new\u{1b}.jpg", "dogs/50.jpg"], &[0, 0, 0]);
    let said = compare(1, &[first.clone(), second, other], &[]);
    let expected = "report `other`: expected the 100 photographs of `a/test`, found others: 98 are missing: cats/1.jpg, \
        cats/10.jpg, cats/11.jpg, …; 1 are here alone: new\\u{1b}.jpg; 1 have another label: dogs/50.jpg (dogs there, \
        cats here)";
    let name = format!("report `{}/other`", reports.folder.path().file_name().unwrap().display());
    assert_eq!(error_of(&said).replace(&name, "report `other`"), expected);
    assert!(said.stderr.contains("\nhint: "), "{}", said.stderr);
    let twice = rows(&["x.jpg", "x.jpg"], &[0, 1]);
    let said = compare(1, &[first, twice], &[]);
    assert!(
        error_of(&said).ends_with("predictions.csv`: expected each path once, found `x.jpg` twice"),
        "{}",
        said.stderr
    );
}

#[test]
fn reports_that_are_damaged_or_contradict_themselves_are_refused_together() {
    let reports = Reports::new();
    let [first, second] = reports.pair();
    let refuse = |expected: &str| {
        let said = compare(1, &[first.clone(), second.clone()], &[]);
        assert!(error_of(&said).contains(expected), "{}", said.stderr);
        said.stderr
    };
    let csv = second.join("predictions.csv");
    let whole = std::fs::read_to_string(&csv).unwrap();
    replace(&csv, ",dogs,true,", ",cats,true,");
    let stderr = refuse("/b/test/predictions.csv` is no file of a report: line ");
    assert!(stderr.contains("\nhint: evaluate again"), "{stderr}");
    write_artifact(&csv, &whole.as_bytes()[..whole.len() - 3]).unwrap();
    refuse("/b/test/predictions.csv` is no file of a report: line 101");
    write_artifact(&csv, whole.as_bytes()).unwrap();

    let json = second.join("metrics.json");
    let written = std::fs::read_to_string(&json).unwrap();
    replace(&json, "\"test_accuracy\": 0.74", "\"test_accuracy\": 0.84");
    refuse("/b/test/metrics.json` contradicts predictions.csv: test_accuracy: expected 0.74, found 0.84");
    write_artifact(&json, &written.as_bytes()[..200]).unwrap();
    refuse("/b/test/metrics.json` is no file of a report: ");
    // Both are told, not one after the other.
    std::fs::remove_file(first.join("predictions.csv")).unwrap();
    let stderr = refuse("2 of 2 reports cannot be used: cannot read `");
    assert!(stderr.contains("; `") && stderr.contains("metrics.json` is no file of a report"), "{stderr}");
    // An earlier build wrote no calibration error.
    let [first, second] = reports.pair();
    let old: String = written
        .lines()
        .filter(|line| !line.contains("expected_calibration"))
        .map(|line| format!("{line}\n"))
        .collect();
    write_artifact(&json, old.as_bytes()).unwrap();
    compare(0, &[first, second], &[]);
}

#[test]
fn one_report_is_no_comparison_and_neither_is_one_twice() {
    let reports = Reports::new();
    let [first, _] = reports.pair();
    let said = compare(2, std::slice::from_ref(&first), &[]);
    assert!(said.stderr.contains("reports: expected at least 2 folders, found 1"), "{}", said.stderr);
    let said = compare(1, &[first.clone(), first.join("../test")], &[]);
    assert!(error_of(&said).starts_with("reports: expected each once, found `"), "{}", said.stderr);
    let missing = compare(1, &[first, reports.path("missing")], &[]);
    assert!(error_of(&missing).starts_with("cannot read `"), "{}", missing.stderr);
    assert!(missing.stderr.contains("\nhint: `evaluator evaluate` writes"), "{}", missing.stderr);
}

#[test]
fn a_reader_who_goes_away_and_a_place_that_cannot_be_written_are_told_apart() {
    let reports = Reports::new();
    let [first, second] = reports.pair();
    let script = |text: &str| {
        Script::new(text)
            .with("program", env!("CARGO_BIN_EXE_evaluator"))
            .with("first", &first)
            .with("second", &second)
            .run()
    };
    let ended = script(r#""$program" compare "$first" "$second" | true; exit ${PIPESTATUS[0]}"#);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let ended = script(r#""$program" compare "$first" "$second" >/dev/full"#);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("evaluator: cannot write to stdout"), "{}", ended.stderr);
    write_artifact(&reports.path("file"), b"x").unwrap();
    let out = reports.path("file/out");
    let said = compare(1, &[reports.path("missing"), second], &["--out", out.to_str().unwrap()]);
    assert!(error_of(&said).starts_with("cannot write `"), "before anything is read: {}", said.stderr);
}
