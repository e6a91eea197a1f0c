//! A store of three listed photographs in one shard, whose files a target replaces.

use std::fs;
use std::path::PathBuf;

use convbase_bases::article;
use convbase_core::store::{Canary, FileEntry, Listing, Manifest, Receipt, ShardName, StoreWriter};
use convbase_core::{
    Classes, DataType, DecodedImage, Digest, FeatureShape, FeatureSpec, FillMode, Interpolation, Precision,
    Sample, Views, listing_digest,
};

use crate::scratch;

/// Two classes.
pub fn classes() -> Classes {
    Classes::new(vec!["cats".to_owned(), "dogs".to_owned()]).expect("two names")
}

/// So many views, two at least.
pub fn views(count: usize) -> Views {
    Views::new(count, "flip".to_owned(), FillMode::Wrap, Interpolation::Nearest, 7).expect("some views")
}

/// Features of four numbers.
pub fn spec() -> FeatureSpec {
    FeatureSpec { shape: FeatureShape::new(vec![4]).expect("one side"), ..article() }
}

/// A finished store.
#[derive(Debug)]
pub struct SmallStore {
    /// Where it lies.
    pub folder: PathBuf,
    /// Its plan.
    pub manifest: Manifest,
    /// The receipt of its shard.
    pub receipt: Receipt,
}

impl SmallStore {
    /// Writes a store with one or several views of each photograph, some of which were rejected.
    pub fn write(name: &str, dtype: DataType, view_count: usize, rejected: usize) -> Self {
        let folder = scratch().join(name);
        let samples: Vec<Sample> = [("cats", "a"), ("cats", "b"), ("dogs", "c")]
            .map(|(class, file)| Sample {
                path: format!("{class}/{file}.jpg"),
                label: classes().label(class).expect("a class"),
            })
            .to_vec();
        let listing = Listing { images: samples.len(), sha256: listing_digest(&samples) };
        let manifest = Manifest::new(spec(), Precision::Float32, dtype, classes(), listing, 8);
        let manifest = if view_count > 1 { manifest.with_views(views(view_count)) } else { manifest };
        let store = StoreWriter::create(&folder, manifest.clone(), false).expect("a folder for a store");
        let mut writer = store.shard(Self::shard()).expect("a shard");
        for (number, sample) in samples.iter().enumerate() {
            let image = DecodedImage { width: 8, height: 6, sha256: Digest::of(&[number as u8]) };
            let numbers: Vec<f32> = (0..4 * view_count).map(|n| (n + number) as f32 / 4.0).collect();
            let (status, numbers) = match number < rejected {
                true => (Err("no image".to_owned()), Vec::new()),
                false => (Ok(Some(image)), numbers),
            };
            writer.append(&[(sample, status)], &dtype.encode(&numbers)).expect("a photograph");
        }
        let canary = Canary::new(&(0..96).map(|n| n as f32 / 8.0).collect::<Vec<f32>>()).expect("a canary");
        let receipt = writer.finish(Some(&canary)).expect("a shard");
        Self { folder, manifest, receipt }
    }

    /// Its only shard.
    pub fn shard() -> ShardName {
        ShardName { index: 0, count: 1 }
    }

    /// The path of one of its files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Replaces a file, and gives what a receipt says of it.
    pub fn replace(&self, name: String, bytes: &[u8]) -> FileEntry {
        fs::write(self.path(&name), bytes).expect("room for a small file");
        FileEntry { name, bytes: bytes.len() as u64, sha256: Digest::of(bytes) }
    }

    /// Replaces the receipt.
    pub fn replace_receipt(&self, receipt: &Receipt) {
        self.replace(Self::shard().receipt(), &as_written(receipt));
    }

    /// A file's bytes.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("a file of the store")
    }
}

/// JSON as manifests and receipts are written: indented, with a newline at the end.
pub fn as_written(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("plain structures serialise");
    bytes.push(b'\n');
    bytes
}
