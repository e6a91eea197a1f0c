//! Stores of made-up features in which something is wrong.

use std::path::Path;

use convbase_core::store::{Listing, Manifest, StoreWriter};
use convbase_core::{DataType, DecodedImage, Digest, FeatureSpec, Precision, Sample, listing_digest};
use tempfile::TempDir;

use super::features::{LENGTH, classes, spec};

/// One photograph.
#[derive(Clone)]
pub struct Row {
    pub class: &'static str,
    /// Its number among all, which names it.
    pub number: usize,
    /// The class that it looks like.
    pub kind: usize,
    /// Whether it looks like nothing else.
    pub is_odd: bool,
    /// What is its own, beside what its kind has.
    pub numbers: Vec<f32>,
    /// What its file is made from.
    file: usize,
}

/// A store's making. Each class has numbers in common, each photograph its own.
pub struct AuditStore {
    pub spec: FeatureSpec,
    pub classes: Vec<&'static str>,
    pub rows: Vec<Row>,
}

impl AuditStore {
    /// So many photographs of each class.
    pub fn of(classes: &[&'static str], count: usize) -> Self {
        Self { spec: spec(), classes: classes.to_vec(), rows: Self::drawn(classes, count, 1) }
    }

    /// Photographs that no other seed has.
    pub fn drawn(classes: &[&'static str], count: usize, seed: usize) -> Vec<Row> {
        let mut state = seed as u64;
        let mut number = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32
        };
        (0..classes.len() * count)
            .map(|position| Row {
                class: classes[position / count],
                number: position,
                kind: position / count,
                is_odd: false,
                numbers: (0..LENGTH).map(|_| number()).collect(),
                file: position + seed * 100_000,
            })
            .collect()
    }

    /// What a row holds.
    fn numbers(row: &Row) -> Vec<f32> {
        let of_kind = |index: usize| {
            let is_high = if row.is_odd { index % 16 == 15 } else { index % 8 == row.kind };
            f32::from(u8::from(is_high)) * if row.is_odd { 9.0 } else { 3.0 }
        };
        row.numbers.iter().enumerate().map(|(index, number)| number + of_kind(index)).collect()
    }

    pub fn in_folder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        folder
    }

    fn write(&self, folder: &Path) {
        let classes = classes(&self.classes);
        let label = |class: &str| classes.label(class).unwrap();
        let sample = |(position, row): (usize, &Row)| Sample {
            path: format!("{}/{position:03}.jpg", row.class),
            label: label(row.class),
        };
        let samples: Vec<Sample> = self.rows.iter().enumerate().map(sample).collect();
        let listing = Listing { images: samples.len(), sha256: listing_digest(&samples) };
        let shard = self.rows.len().div_ceil(3);
        let manifest =
            Manifest::new(self.spec.clone(), Precision::Float32, DataType::Float32, classes, listing, shard);
        let store = StoreWriter::create(folder, manifest, false).unwrap();
        for shard in store.manifest().shards() {
            let mut writer = store.shard(shard).unwrap();
            for position in store.manifest().positions(shard) {
                let row = &self.rows[position];
                let sha256 = Digest::of(&row.file.to_le_bytes());
                let image = DecodedImage { width: 32, height: 32, sha256 };
                let bytes: Vec<u8> =
                    Self::numbers(row).iter().flat_map(|number| number.to_le_bytes()).collect();
                writer.append(&[(&samples[position], Ok(Some(image)))], &bytes).unwrap();
            }
            writer.finish(None).unwrap();
        }
    }
}
