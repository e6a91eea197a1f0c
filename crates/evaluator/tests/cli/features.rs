//! Stores of made-up features.

use std::path::Path;

use convbase_bases::{Choices, architecture};
use convbase_core::store::{Listing, Manifest, StoreWriter};
use convbase_core::{
    Classes, DataType, DecodedImage, Digest, FeatureSpec, ImageSize, Interpolation, Pooling, Precision,
    Preprocess, Sample,
};
use tempfile::TempDir;

/// Numbers of one row: the channels of `block1_pool`.
pub const LENGTH: usize = 64;

/// What the made-up features say they are.
pub fn spec() -> FeatureSpec {
    let choices = Choices {
        layer: "block1_pool".to_owned(),
        pooling: Pooling::Average,
        image_size: ImageSize::new(32, 32).unwrap(),
        interpolation: Interpolation::Nearest,
        preprocess: Preprocess::Rescale,
    };
    architecture("vgg16").unwrap().spec(Digest::of(b"weights"), choices).unwrap()
}

/// A class list.
pub fn classes(names: &[&str]) -> Classes {
    Classes::new(names.iter().map(|&name| name.to_owned()).collect()).unwrap()
}

/// A store's making.
pub struct Store {
    pub spec: FeatureSpec,
    pub classes: Vec<&'static str>,
    /// Each listed image's class name and its numbers, none if it was rejected.
    pub images: Vec<(&'static str, Option<Vec<f32>>)>,
    pub dtype: DataType,
    pub shard_size: usize,
    /// What the digests of the photographs' files begin from.
    pub first_file: u8,
}

impl Store {
    /// So many images of each class, in the order of the list.
    pub fn of(counts: &[(&'static str, usize)]) -> Self {
        let mut state = 1_u64;
        let mut number = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 60) as f32 / 16.0 // Sixteenths: both widths of numbers hold them exactly.
        };
        let names = counts.iter().flat_map(|&(name, count)| std::iter::repeat_n(name, count));
        Self {
            spec: spec(),
            classes: counts.iter().map(|(name, _)| *name).collect(),
            images: names.map(|name| (name, Some((0..LENGTH).map(|_| number()).collect()))).collect(),
            dtype: DataType::Float32,
            shard_size: 5,
            first_file: 0,
        }
    }

    pub fn path(number: usize, class: &str) -> String {
        format!("{class}/{number:03}.jpg")
    }

    pub fn write(&self, folder: &Path) {
        let classes = classes(&self.classes);
        let sample = |(number, (class, _)): (usize, &(&str, _))| Sample {
            path: Self::path(number, class),
            label: classes.label(class).unwrap(),
        };
        let samples: Vec<Sample> = self.images.iter().enumerate().map(sample).collect();
        assert!(samples.is_sorted_by(|a, b| a.path < b.path), "a listing is sorted");
        let lines: String =
            samples.iter().map(|sample| format!("{}\0{}\0", sample.label, sample.path)).collect();
        let listing = Listing { images: samples.len(), sha256: Digest::of(lines.as_bytes()) };
        let (spec, precision) = (self.spec.clone(), Precision::Float32);
        let manifest = Manifest::new(spec, precision, self.dtype, classes, listing, self.shard_size);
        let store = StoreWriter::create(folder, manifest, false).unwrap();
        for shard in store.manifest().shards() {
            let mut writer = store.shard(shard).unwrap();
            for number in store.manifest().positions(shard) {
                let numbers = self.images[number].1.as_ref();
                let image = DecodedImage {
                    width: 32,
                    height: 32,
                    sha256: Digest::of(&[self.first_file + number as u8]),
                };
                let status = numbers.map(|_| Some(image)).ok_or_else(|| "unreadable".to_owned());
                let bytes = numbers.map(|numbers| self.bytes(numbers)).unwrap_or_default();
                writer.append(&[(&samples[number], status)], &bytes).unwrap();
            }
            writer.finish(None).unwrap();
        }
    }

    fn bytes(&self, numbers: &[f32]) -> Vec<u8> {
        match self.dtype {
            DataType::Float32 => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            DataType::Float16 => numbers.iter().flat_map(|number| half(*number).to_le_bytes()).collect(),
        }
    }

    pub fn in_folder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        folder
    }
}

/// IEEE 754 binary16 of a sixteenth from 0 to below 1.
fn half(number: f32) -> u16 {
    let bits = number.to_bits();
    if bits == 0 { 0 } else { ((bits >> 13 & 0x3FF) | ((bits >> 23) - 112) << 10) as u16 }
}
