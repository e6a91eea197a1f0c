//! Photographs, the smallest base and a head that was never trained: predictions in no time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Parser;
use convbase_core::store::Manifest;
use tempfile::TempDir;

use crate::shell::Script;
use crate::support::*;
use crate::views::TINY;

pub const CLASSES: [&str; 3] = ["birds", "cats", "dogs"];

pub struct Tiny {
    pub images: TempDir,
    pub folder: TempDir,
    head: PathBuf,
}

/// A line of CSV without its path: prediction, probabilities, error.
pub struct Line {
    pub path: PathBuf,
    pub prediction: String,
    pub probabilities: Vec<f64>,
    pub error: String,
}

impl Tiny {
    pub fn new() -> Self {
        Self::of(&CLASSES)
    }

    /// Three photographs of each class.
    pub fn of(classes: &[&str]) -> Self {
        let (images, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write_photographs(images.path(), &CLASSES, 9);
        let store = folder.path().join("store");
        let mut arguments = words(["extractor", "extract", "--base", "tiny", "--image-size", "32"]);
        arguments.extend(words(["--precision", "fp32", "--device", "cpu", "--images"]));
        arguments.extend([images.path().into(), "--out".into(), store.clone().into()]);
        arguments.extend(["--weights".into(), TINY.clone().into()]);
        extractor::run(extractor::Arguments::parse_from(arguments)).unwrap();
        let head = checkpoint(folder.path(), Manifest::open(&store).unwrap().spec(), classes, 16);
        Self { images, folder, head }
    }

    pub fn image(&self, name: &str) -> PathBuf {
        self.images.path().join(name)
    }

    /// A place for something that is written.
    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn predict(&self, code: i32, more: &[&str], images: &[PathBuf]) -> Said {
        let mut arguments: Vec<OsString> = words(["predict", "--device", "cpu", "--checkpoint"]);
        arguments.extend([self.head.clone().into(), "--weights".into(), TINY.clone().into()]);
        arguments.extend(more.iter().map(Into::into));
        arguments.extend(images.iter().map(Into::into));
        evaluator(code, &arguments)
    }

    /// In the script, `predict` predicts what it is given, `$images` is the folder of photographs, `$out` a place.
    pub fn script(&self, text: &str) -> Script {
        let function = r#"predict() {
            "$program" predict --device cpu --checkpoint "$head" --weights "$weights" "$@"
        }
        "#;
        Script::new(format!("{function}{text}"))
            .with("program", env!("CARGO_BIN_EXE_evaluator"))
            .with("head", &self.head)
            .with("weights", &*TINY)
            .with("images", self.images.path())
            .with("out", self.place("out"))
    }

    /// What is said of every photograph.
    pub fn all(&self) -> Vec<Line> {
        lines(&self.predict(0, &["-q"], &[self.images.path().to_owned()]).stdout)
    }
}

/// The lines of CSV about three classes.
pub fn lines(csv: &str) -> Vec<Line> {
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("path,prediction,prob_birds,prob_cats,prob_dogs,error"));
    let line = |line: &str| {
        let fields: Vec<&str> = line.splitn(6, ',').collect();
        Line {
            path: fields[0].into(),
            prediction: fields[1].to_owned(),
            probabilities: fields[2..5].iter().filter_map(|number| number.parse().ok()).collect(),
            error: fields[5].to_owned(),
        }
    };
    lines.map(line).collect()
}

/// Every file under a folder, with its bytes.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}
