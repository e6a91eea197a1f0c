//! `trainer probe`.

use std::ffi::OsString;
use std::path::Path;

use convbase_nn::{Checkpoint, Device, MapPooling, Preparation};
use serde_json::Value;

use super::support::*;

fn probe<const N: usize>(code: i32, features: &Path, out: &Path, more: [&str; N]) -> Said {
    let mut arguments: Vec<OsString> = ["probe", "--features"].map(OsString::from).to_vec();
    arguments.extend([features.into(), "--out".into(), out.into()]);
    arguments.extend(more.map(OsString::from));
    trainer(code, &arguments)
}

fn lines(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_probe_leaves_its_grid_its_judgements_and_a_checkpoint_that_separates_the_classes() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let said = probe(0, features.path(), out.path(), []);
    let names: Vec<String> = files(out.path()).into_keys().collect();
    assert_eq!(names, ["best.safetensors", "config.json", "grid.csv", "held_out.csv"]);
    // Features without positions are pooled in one way: three scalings with nine strengths.
    let grid = lines(&out.path().join("grid.csv"));
    assert_eq!(grid[0], ["pooling", "scaling", "c", "val_loss", "val_accuracy"]);
    assert_eq!(grid.len(), 1 + 27);
    let held_out = lines(&out.path().join("held_out.csv"));
    assert_eq!(held_out[0], ["path", "label", "fold", "prob_cats", "prob_dogs"]);
    assert_eq!(held_out.len(), 1 + 40);
    assert_eq!(held_out[1][0], "cats/000.jpg");
    for fold in 0..5 {
        let of_fold = held_out.iter().filter(|line| line[2] == fold.to_string());
        assert_eq!(of_fold.count(), 8, "photographs of fold {fold}");
    }
    let checkpoint = Checkpoint::load(&out.path().join("best.safetensors"), Device::Cpu).unwrap();
    let metadata = checkpoint.metadata();
    assert_eq!((metadata.epoch, metadata.head.hidden, metadata.head.features), (0, 0, LENGTH));
    assert_eq!(metadata.val_accuracy, 1.0, "made-up classes are easy");
    assert!(said.stderr.contains("pooling   scaling") && said.stderr.contains('*'), "{}", said.stderr);
    assert_eq!(said.stdout, "");
}

#[test]
fn the_lowest_loss_of_the_grid_is_the_checkpoint_s_whatever_the_number_of_threads() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let run = |name: &str, threads: &str| {
        let out = out.path().join(name);
        probe(0, features.path(), &out, ["--threads", threads, "--no-calibration", "--seed", "5"]);
        files(&out)
    };
    let one = run("one", "1");
    assert_eq!(one, run("three", "3"));
    let grid = lines(&out.path().join("one/grid.csv"));
    let least = grid[1..].iter().map(|line| line[3].parse::<f64>().unwrap()).fold(f64::INFINITY, f64::min);
    let checkpoint = Checkpoint::load(&out.path().join("one/best.safetensors"), Device::Cpu).unwrap();
    assert!((checkpoint.metadata().val_loss - least).abs() < 1e-3, "{least}");
}

#[test]
fn what_is_given_is_not_chosen() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let more = [
        "--pooling",
        "none",
        "--scaling",
        "l2",
        "--c",
        "0.5,2",
        "--folds",
        "4",
        "--class-weight",
        "balanced",
    ];
    probe(0, features.path(), out.path(), more);
    let grid = lines(&out.path().join("grid.csv"));
    let tried: Vec<&[String]> = grid[1..].iter().map(|line| &line[..3]).collect();
    assert_eq!(tried, [["none", "l2", "0.5"], ["none", "l2", "2"]]);
    let config = config(out.path());
    assert_eq!(config["format"], "convbase-probe/1");
    assert_eq!((&config["folds"], &config["class_weight"]), (&Value::from(4), &Value::from("balanced")));
    let checkpoint = Checkpoint::load(&out.path().join("best.safetensors"), Device::Cpu).unwrap();
    let expected =
        Preparation { pooling: MapPooling::None, unit_length: true, positions: 1, channels: LENGTH };
    assert_eq!(checkpoint.metadata().head.input.preparation, Some(expected));
}

#[test]
fn a_store_of_its_own_judges_instead_of_folds() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let judges = Store { rows: rows(&[("cats", 6), ("dogs", 5)], 9), ..Store::default() }.in_folder();
    let arguments = ["--validation", judges.path().to_str().unwrap()];
    probe(0, features.path(), out.path(), arguments);
    assert_eq!(lines(&out.path().join("held_out.csv")).len(), 1 + 11);
    assert_eq!(config(out.path())["folds"], Value::Null);
}

#[test]
fn too_few_photographs_for_the_folds_are_named_with_a_hint() {
    let store = Store { rows: rows(&[("cats", 9), ("dogs", 3)], 0), ..Store::default() };
    let (features, out) = (store.in_folder(), tempfile::tempdir().unwrap());
    let run = out.path().join("run");
    let said = probe(1, features.path(), &run, []);
    let expected = format!(
        "trainer: `{}`: class `dogs`: expected at least 5 photographs for 5 folds, found 3\nhint: lower `--folds`, or \
         judge by a store of its own: `--validation DIR`\n",
        features.path().display()
    );
    assert_eq!(said.stderr, expected);
    assert!(!run.exists());
}

#[test]
fn features_that_are_no_map_cannot_be_pooled() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let said = probe(1, features.path(), out.path(), ["--pooling", "avg+max"]);
    let expected = "pooling: expected none, for these features are no map, found avg+max\n";
    assert!(said.stderr.ends_with(expected), "{}", said.stderr);
}

#[test]
fn a_folder_with_another_run_is_left_alone() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    probe(0, features.path(), out.path(), ["--c", "1"]);
    let before = files(out.path());
    let said = probe(1, features.path(), out.path(), ["--c", "2"]);
    assert!(said.stderr.contains("holds another run: c: expected [2.0], found [1.0]"), "{}", said.stderr);
    let said = fit(1, features.path(), out.path(), ["--resume"]);
    assert!(said.stderr.contains("holds another run"), "{}", said.stderr);
    probe(0, features.path(), out.path(), ["--c", "1"]);
    assert_eq!(files(out.path()), before);
}

#[test]
fn every_photograph_is_judged_once_and_its_other_views_decide_nothing() {
    // What must not be read is no number: whatever reads it ends the run.
    let clean = || Store { views: 4, ..Store::default() };
    let poisoned = Store { poisoned: Some(|_, view| view > 0), ..clean() };
    let [expected, found] = [clean(), poisoned].map(|store| {
        let (features, out) = (store.in_folder(), tempfile::tempdir().unwrap());
        probe(0, features.path(), out.path(), []);
        out
    });
    for name in ["grid.csv", "held_out.csv", "best.safetensors"] {
        assert!(files(expected.path())[name] == files(found.path())[name], "{name}");
    }
    let mut judged: Vec<String> = lines(&found.path().join("held_out.csv"))
        .into_iter()
        .skip(1)
        .map(|mut line| line.remove(0))
        .collect();
    assert_eq!(judged.len(), 40);
    judged.sort();
    judged.dedup();
    assert_eq!(judged.len(), 40, "a photograph in two folds");
}
