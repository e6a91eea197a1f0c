//! Stores of made-up features and the program itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use assert_cmd::Command;
use convbase_bases::{Choices, architecture};
use convbase_core::store::{Listing, Manifest, StoreWriter};
use convbase_core::{
    Classes, DataType, DecodedImage, Digest, FillMode, History, ImageSize, Interpolation, Pooling, Precision,
    Preprocess, Sample, Views,
};
use serde_json::Value;
use tempfile::TempDir;

/// Numbers of one row: the channels of `block1_pool`.
pub const LENGTH: usize = 64;

/// A store's making; `..Default::default()` gives two classes of twenty rows each.
pub struct Store {
    pub classes: &'static [&'static str],
    /// Each row's class name and what its numbers are made from.
    pub rows: Vec<(&'static str, Vec<f32>)>,
    pub preprocess: Preprocess,
    pub pooling: Pooling,
    pub dtype: DataType,
    pub precision: Precision,
    pub shard_size: usize,
    /// Rows of each photograph: its numbers, and others near them.
    pub views: usize,
    /// Whether the numbers of a photograph, by its position in its class, and a view are no numbers.
    pub poisoned: Option<fn(usize, usize) -> bool>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            classes: &["cats", "dogs"],
            rows: rows(&[("cats", 20), ("dogs", 20)], 0),
            preprocess: Preprocess::Rescale,
            pooling: Pooling::Average,
            dtype: DataType::Float32,
            precision: Precision::Float32,
            shard_size: 16,
            views: 1,
            poisoned: None,
        }
    }
}

impl Store {
    pub fn write(&self, folder: &Path) {
        let choices = Choices {
            layer: "block1_pool".to_owned(),
            pooling: self.pooling,
            image_size: ImageSize::new(32, 32).unwrap(),
            interpolation: Interpolation::Nearest,
            preprocess: self.preprocess,
        };
        let spec = architecture("vgg16").unwrap().spec(Digest::of(b"weights"), choices).unwrap();
        let classes = Classes::new(self.classes.iter().map(|&name| name.to_owned()).collect()).unwrap();
        let sample = |(number, (class, _)): (usize, &(&str, _))| Sample {
            path: format!("{class}/{number:03}.jpg"),
            label: classes.label(class).unwrap(),
        };
        let samples: Vec<Sample> = self.rows.iter().enumerate().map(sample).collect();
        assert!(samples.is_sorted_by(|a, b| a.path < b.path), "a listing is sorted");
        let lines: String =
            samples.iter().map(|sample| format!("{}\0{}\0", sample.label, sample.path)).collect();
        let listing = Listing { images: samples.len(), sha256: Digest::of(lines.as_bytes()) };
        let plan = Manifest::new(spec, self.precision, self.dtype, classes, listing, self.shard_size);
        let manifest = if self.views == 1 { plan } else { plan.with_views(views(self.views)) };
        let store = StoreWriter::create(folder, manifest, false).unwrap();
        for shard in store.manifest().shards() {
            let mut writer = store.shard(shard).unwrap();
            for number in store.manifest().positions(shard) {
                let image = DecodedImage { width: 32, height: 32, sha256: Digest::of(&[number as u8]) };
                let numbers: Vec<f32> = (0..self.views).flat_map(|view| self.view(number, view)).collect();
                let bytes: Vec<u8> = match self.dtype {
                    DataType::Float32 => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
                    DataType::Float16 => {
                        numbers.iter().flat_map(|number| half(*number).to_le_bytes()).collect()
                    }
                };
                writer.append(&[(&samples[number], Ok(Some(image)))], &bytes).unwrap();
            }
            writer.finish(None).unwrap();
        }
    }

    fn view(&self, number: usize, view: usize) -> Vec<f32> {
        let (class, numbers) = &self.rows[number];
        let before = self.rows[..number].iter().filter(|(other, _)| other == class).count();
        let is_poisoned = self.poisoned.is_some_and(|poisoned| poisoned(before, view));
        let near = |(index, number): (usize, &f32)| match view {
            _ if is_poisoned => f32::NAN,
            0 => *number,
            _ => number + ((index * 7 + view * 5) % 4) as f32 / 16.0,
        };
        numbers.iter().enumerate().map(near).collect()
    }

    pub fn in_folder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        folder
    }
}

/// So many views of each photograph.
pub fn views(count: usize) -> Views {
    Views::new(count, "flip".to_owned(), FillMode::Wrap, Interpolation::Nearest, 7).unwrap()
}

/// Rows of these classes: the class's own channels are bright, the rest is noise in sixteenths (which both widths
/// of numbers hold exactly). Another `seed` makes other photographs of the same classes.
pub fn rows(classes: &[(&'static str, usize)], seed: u64) -> Vec<(&'static str, Vec<f32>)> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 60) as f32 / 16.0
    };
    let mut row = move |class: &str| {
        let bright = class.bytes().map(usize::from).sum::<usize>() % 4;
        (0..LENGTH).map(|channel| noise() + if channel % 4 == bright { 1.0 } else { 0.0 }).collect()
    };
    classes
        .iter()
        .flat_map(|&(class, count)| std::iter::repeat_n(class, count))
        .map(|class| (class, row(class)))
        .collect()
}

/// IEEE 754 binary16 of a multiple of 1/16 from 0 to below 4.
fn half(number: f32) -> u16 {
    let bits = number.to_bits();
    if bits == 0 { 0 } else { ((bits >> 13 & 0x3FF) | ((bits >> 23) - 112) << 10) as u16 }
}

/// What the program said.
pub struct Said {
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program, which must end with this exit code.
pub fn trainer(code: i32, arguments: &[OsString]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    let assert = command.env_remove("RUST_LOG").args(arguments).assert().code(code);
    let output = assert.get_output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Said { stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// `trainer fit` with few epochs, a small head and whatever is said beyond that; later words win over these.
pub fn fit<const N: usize>(code: i32, features: &Path, out: &Path, more: [&str; N]) -> Said {
    let mut arguments: Vec<OsString> = ["fit", "--features"].map(OsString::from).to_vec();
    arguments.extend([features.into(), "--out".into(), out.into()]);
    for (option, value) in [
        ("--epochs", "3"),
        ("--hidden", "8"),
        ("--batch-size", "8"),
        ("--learning-rate", "0.01"),
        ("--device", "cpu"),
    ] {
        if !more.contains(&option) {
            arguments.extend([option, value].map(OsString::from));
        }
    }
    arguments.extend(more.map(OsString::from));
    trainer(code, &arguments)
}

/// Every file of a folder with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// The history of a run.
pub fn history(run: &Path) -> History {
    History::from_csv(&std::fs::read_to_string(run.join("history.csv")).unwrap()).unwrap()
}

/// The configuration of a run.
pub fn config(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("config.json")).unwrap()).unwrap()
}
