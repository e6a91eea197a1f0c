//! Heads with random weights and the program itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use convbase_core::report::Predictions;
use convbase_core::{FeatureSpec, write_artifact};
use convbase_nn::{Activation, Checkpoint, CheckpointMetadata, Device, Head, HeadShape};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;

use super::features::classes;

/// Writes a checkpoint of a head at its start into a folder.
pub fn checkpoint(folder: &Path, spec: &FeatureSpec, names: &[&str], hidden: usize) -> PathBuf {
    let head = HeadShape::new(spec.shape.length(), hidden, Activation::Relu, names.len());
    let metadata = CheckpointMetadata {
        spec: spec.clone(),
        classes: classes(names),
        head: head.clone(),
        epoch: 7,
        val_loss: 0.375,
        val_accuracy: 0.75,
        tail_weights: None,
        views: None,
    };
    let path = folder.join("head.safetensors");
    Checkpoint::save(&path, &Head::new(head, 11, Device::Cpu).unwrap(), &metadata).unwrap();
    path
}

/// What the program said.
pub struct Said {
    pub stdout: String,
    pub stderr: String,
}

/// Words of a command line.
pub fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// Runs the program, which must end with this exit code.
pub fn evaluator(code: i32, arguments: &[OsString]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evaluator"));
    let assert = command.env_remove("RUST_LOG").args(arguments).assert().code(code);
    let output = assert.get_output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Said { stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// `evaluator evaluate`
pub fn evaluate(code: i32, features: &Path, checkpoint: &Path, out: &Path) -> Said {
    evaluate_with(code, features, checkpoint, out, &[])
}

/// The same with more options.
pub fn evaluate_with(code: i32, features: &Path, checkpoint: &Path, out: &Path, more: &[OsString]) -> Said {
    let mut arguments = words(["evaluate", "--device", "cpu"]);
    for (option, path) in [("--features", features), ("--checkpoint", checkpoint), ("--out", out)] {
        arguments.extend([option.into(), path.into()]);
    }
    arguments.extend_from_slice(more);
    evaluator(code, &arguments)
}

/// Asserts that the program says nothing but one line with its error and hints.
#[track_caller]
pub fn error_of(said: &Said) -> &str {
    assert_eq!(said.stdout, "");
    let mut lines = said.stderr.lines();
    let error = lines.next().unwrap().strip_prefix("evaluator: ").unwrap();
    assert!(lines.all(|line| line.starts_with("hint: ")), "{}", said.stderr);
    error
}

/// Every file of a folder with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// `metrics.json` of a report.
pub fn metrics(report: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(report.join("metrics.json")).unwrap()).unwrap()
}

/// `predictions.csv` of a report.
pub fn predictions(report: &Path) -> Predictions {
    Predictions::from_csv(&std::fs::read_to_string(report.join("predictions.csv")).unwrap()).unwrap()
}

/// Asserts that two numbers are the same within a tolerance.
#[track_caller]
pub fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "expected {expected}, found {found}");
}

/// Writes so many photographs, of which each class has its share in turns.
pub fn write_photographs(folder: &Path, classes: &[&str], count: u32) {
    for (number, class) in (0..count).zip(classes.iter().cycle()) {
        let image = RgbImage::from_fn(50, 41, |x, y| {
            Rgb([(x * 5 + number * 29) as u8, (y * 6 + number * 13) as u8, ((x ^ y) * (number + 1)) as u8])
        });
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        write_artifact(&folder.join(class).join(format!("{number}.png")), &bytes.into_inner()).unwrap();
    }
}
