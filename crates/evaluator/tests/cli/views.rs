//! Probabilities that are means over the views of a photograph.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use clap::Parser;
use convbase_bases::{architecture, write_untrained};
use convbase_core::store::FeatureStore;
use convbase_core::{Preprocess, write_artifact};
use convbase_nn::{Checkpoint, CheckpointMetadata, Device};
use tempfile::TempDir;

use super::support::*;

/// The smallest base, never trained.
pub static TINY: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("evaluator-cli/tiny.safetensors");
    write_untrained(&path, architecture("tiny").unwrap(), 7, Preprocess::Rescale).unwrap();
    path
});

const CLASSES: [&str; 2] = ["cats", "dogs"];
const VIEWS: [&str; 4] = ["--views", "3", "--augment", "flip,rotate=0.2,zoom=0.3,translate=0.2,contrast=0.5"];

struct Bench {
    images: TempDir,
    folder: TempDir,
}

impl Bench {
    /// Four photographs of each class.
    fn new() -> Self {
        let (images, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write_photographs(images.path(), &CLASSES, 8);
        Self { images, folder }
    }

    /// The features by the tiny base.
    fn store(&self, name: &str, more: &[&str]) -> PathBuf {
        let store = self.folder.path().join(name);
        let mut arguments = words(["extractor", "extract", "--base", "tiny", "--image-size", "32"]);
        arguments.extend(words(["--precision", "fp32", "--device", "cpu", "--images"]));
        arguments.extend([self.images.path().into(), "--out".into(), store.clone().into()]);
        arguments.extend(["--weights".into(), TINY.clone().into()]);
        arguments.extend(more.iter().map(Into::into));
        extractor::run(extractor::Arguments::parse_from(arguments)).unwrap();
        store
    }

    /// A head at its start that was trained on a store, as the checkpoint says.
    fn head(&self, store: &Path) -> PathBuf {
        let store = FeatureStore::open(store).unwrap();
        let path = checkpoint(self.folder.path(), store.manifest().spec(), &CLASSES, 16);
        let plain = Checkpoint::load(&path, Device::Cpu).unwrap();
        let views = store.manifest().views().cloned();
        let metadata = CheckpointMetadata { views, ..plain.metadata().clone() };
        Checkpoint::save(&path, plain.head(), &metadata).unwrap();
        path
    }

    fn evaluate(&self, store: &Path, head: &Path, report: &str, views: Option<&str>) -> PathBuf {
        let report = self.folder.path().join(report);
        let mut arguments = words(["evaluate", "--device", "cpu"]);
        for (option, path) in [("--features", store), ("--checkpoint", head), ("--out", &report)] {
            arguments.extend([option.into(), path.into()]);
        }
        arguments.extend(views.into_iter().flat_map(|views| words(["--views", views])));
        evaluator(0, &arguments);
        report
    }

    /// `evaluator predict` in the folder of the photographs, so that their paths are those of the listing.
    fn predict(&self, head: &Path, more: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_evaluator"))
            .env_remove("RUST_LOG")
            .current_dir(self.images.path())
            .args(["predict", "--device", "cpu", "--checkpoint"])
            .arg(head)
            .arg("--weights")
            .arg(&*TINY)
            .args(more)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

/// The probabilities of `dogs` by path.
fn of_predictions(csv: &str) -> Vec<(String, f64)> {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[0].to_owned(), fields[3].parse().unwrap())
    };
    csv.lines().skip(1).map(line).collect()
}

/// All files of a report but the page, which names the store by its digest.
fn data(report: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files(report);
    files.remove("report.html").unwrap();
    files
}

#[test]
fn the_first_view_is_the_photograph_and_the_mean_is_over_all() {
    let bench = Bench::new();
    let (plain, several) = (bench.store("plain", &[]), bench.store("several", &VIEWS));
    let head = bench.head(&several);
    let expected = bench.evaluate(&plain, &head, "plain-report", None);
    for (name, views) in [("default", None), ("first", Some("first"))] {
        let report = bench.evaluate(&several, &head, name, views);
        assert!(data(&report) == data(&expected), "{name}: the photographs themselves are evaluated");
    }
    let report = bench.evaluate(&plain, &head, "plain-mean", Some("mean"));
    assert!(data(&report) == data(&expected), "of one view the mean is the view");

    let report = bench.evaluate(&several, &head, "mean", Some("mean"));
    assert_ne!(files(&report)["predictions.csv"], files(&expected)["predictions.csv"]);
    let store = FeatureStore::open(&several).unwrap();
    let checkpoint = Checkpoint::load(&head, Device::Cpu).unwrap();
    let found = predictions(&report);
    assert_eq!((found.rows().len(), metrics(&report)["num_samples"].as_u64()), (8, Some(8)));
    for (photograph, row) in found.rows().enumerate() {
        let mut mean = [0.0; 2];
        for view in 0..3 {
            let features = store.floats(photograph * 3 + view).unwrap();
            let probabilities = checkpoint.head().probabilities_of(&features).unwrap();
            mean.iter_mut().zip(probabilities).for_each(|(mean, number)| *mean += number / 3.0);
        }
        for (found, expected) in row.probabilities.iter().zip(mean) {
            assert_near(*found, expected, 1e-12);
        }
    }
}

#[test]
fn photographs_are_predicted_by_the_views_that_the_checkpoint_was_trained_on() {
    let bench = Bench::new();
    let several = bench.store("several", &VIEWS);
    let head = bench.head(&several);
    for (views, report) in [("first", "first"), ("mean", "mean")] {
        let report = bench.evaluate(&several, &head, report, Some(views));
        let expected: Vec<(String, f64)> =
            predictions(&report).rows().map(|row| (row.path.to_owned(), row.probabilities[1])).collect();
        for batch in ["1", "2", "32"] {
            let (code, stdout, stderr) =
                bench.predict(&head, &["--views", views, "--batch-size", batch, "cats", "dogs"]);
            assert_eq!(code, Some(0), "{stderr}");
            let found = of_predictions(&stdout);
            assert_eq!(found.len(), expected.len());
            for ((path, number), (expected_path, expected)) in found.iter().zip(&expected) {
                assert_eq!(path, expected_path);
                assert_near(*number, *expected, 1e-6);
            }
        }
    }
}

#[test]
fn an_unreadable_photograph_among_views_is_told_and_costs_no_other_its_line() {
    let bench = Bench::new();
    let several = bench.store("several", &VIEWS);
    let head = bench.head(&several);
    let (_, expected, _) = bench.predict(&head, &["--views", "mean", "cats"]);
    write_artifact(&bench.images.path().join("cats/3.png"), b"no image").unwrap();
    let (code, stdout, _) = bench.predict(&head, &["--views", "mean", "cats"]);
    assert_eq!(code, Some(1));
    let others: Vec<&str> = stdout.lines().filter(|line| !line.starts_with("cats/3.png,")).collect();
    assert_eq!(others, expected.lines().collect::<Vec<_>>());
    assert_eq!(stdout.lines().count(), expected.lines().count() + 1);
}

#[test]
fn the_mean_over_views_of_which_the_checkpoint_knows_nothing_is_refused_with_a_hint() {
    let bench = Bench::new();
    let plain = bench.store("plain", &[]);
    let head = bench.head(&plain);
    let (code, stdout, stderr) = bench.predict(&head, &["--views", "mean", "cats"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let [error, hint] = stderr.lines().collect::<Vec<_>>()[..] else { panic!("{stderr}") };
    let expected = format!(
        "evaluator: checkpoint `{}`: views: expected those that it was trained on, found none",
        head.display()
    );
    assert_eq!(error, expected);
    assert!(hint.starts_with("hint: leave out `--views mean`"), "{hint}");
}
