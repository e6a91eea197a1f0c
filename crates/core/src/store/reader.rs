//! Reads a store through memory maps: only the rows that are asked for enter memory.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use memmap2::Mmap;

use super::canary::odd_canaries;
use super::npy::{self, Element};
use super::{FileEntry, Manifest, OpenError, Receipt, ReceiptError, RowRecord, ShardName};
use crate::{Digest, Hasher, Label};

/// A finished store, opened: manifest, receipts, headers and sizes are checked, labels are in memory.
#[derive(Debug)]
pub struct FeatureStore {
    folder: PathBuf,
    manifest: Manifest,
    shards: Vec<Shard>,
    labels: Vec<Label>,
    row_bytes: usize,
    hashing: Hashing,
}

/// Whether a file's bytes are compared with the digest in its receipt when they are first read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashing {
    Compare,
    Skip,
}

#[derive(Debug)]
struct Shard {
    receipt: Receipt,
    features: Mmap,
    /// Set when the features were hashed and are right.
    compared: OnceLock<()>,
    data_offset: usize,
    /// The store's row that is this shard's first.
    first_row: usize,
}

impl FeatureStore {
    /// Opens the store in `folder`: manifest, receipts, canaries, headers and sizes are checked, and every file is
    /// hashed before its first byte is believed: labels and rows files now, features when a row of them is read.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Hashing::Compare)
    }

    /// Like [`open`](Self::open), without hashing any file.
    pub fn open_without_hashing(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Hashing::Skip)
    }

    fn open_with(folder: &Path, hashing: Hashing) -> Result<Self, OpenError> {
        // What is small is checked at once, so that a store that does not fit is refused in the first second. Features
        // are only mapped: hashing them costs reading all of them, and the first epoch has to read them anyway.
        let manifest = Manifest::open(folder)?;
        let receipts = open_receipts(folder, &manifest)?;
        compare_canaries(folder, &manifest, &receipts)?;
        let row_bytes = manifest.row_bytes();
        let (mut shards, mut labels) = (Vec::new(), Vec::new());
        for (_, receipt) in receipts {
            let first_row = labels.len();
            labels.extend(read_labels(folder, &manifest, &receipt, hashing)?);
            if hashing == Hashing::Compare {
                read(folder, &receipt.files.rows, hashing)?;
            }
            let (features, data_offset) = map_features(folder, &manifest, &receipt)?;
            let shard = Shard { receipt, features, compared: OnceLock::new(), data_offset, first_row };
            if shard.receipt.rows == 0 {
                shard.compare(folder, hashing)?; // Nobody will ask for a row of it.
            }
            shards.push(shard);
        }
        Ok(Self { folder: folder.to_owned(), manifest, shards, labels, row_bytes, hashing })
    }

    /// The store's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The plan.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Rows of each photograph: 1, or the number of its views. View v of photograph p is row p × views + v.
    pub fn views(&self) -> usize {
        self.manifest.view_count()
    }

    /// How many photographs became rows.
    pub fn photographs(&self) -> usize {
        self.rows().checked_div(self.views()).unwrap_or(0)
    }

    /// How many rows the store holds: as many as photographs, times their views.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// How many listed images were rejected.
    pub fn rejected(&self) -> usize {
        self.shards.iter().fold(0, |sum: usize, shard| sum.saturating_add(shard.receipt.rejected))
    }

    /// Each row's label.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// One row's features in the store's dtype, little-endian. The first row of a shard that is asked for costs
    /// reading and hashing all of it.
    ///
    /// # Panics
    /// When there is no such row.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "the rows of a shard were held against its file's length; a row beyond them is the caller's mistake"
    )]
    pub fn row(&self, row: usize) -> Result<&[u8], OpenError> {
        assert!(row < self.rows(), "row {row} of {}", self.rows());
        // A shard whose images were all rejected begins where the next one does; the last that begins at or before the
        // row is the one with rows.
        let shard = &self.shards[self.shards.partition_point(|shard| shard.first_row <= row) - 1];
        shard.compare(&self.folder, self.hashing)?;
        let start = shard.data_offset + (row - shard.first_row) * self.row_bytes;
        Ok(&shard.features[start..start + self.row_bytes])
    }

    /// One row's features as float32: where they lie, if that is how the store holds them. Costs what [`row`](Self::row)
    /// costs.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn floats(&self, row: usize) -> Result<Cow<'_, [f32]>, OpenError> {
        let bytes = self.row(row)?;
        Ok(self.manifest.dtype().decode(bytes))
    }

    /// Every listed image in order, and every view of it, read from the rows files.
    pub fn records(&self) -> Result<Vec<RowRecord>, OpenError> {
        let mut records = Vec::new();
        for shard in &self.shards {
            records.extend(read_rows(&self.folder, &self.manifest, &shard.receipt, self.hashing)?);
        }
        Ok(records)
    }

    /// The store's identity: the digest over the bytes of its manifest and its receipts, which hold the digests of all
    /// files.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(&self.manifest.to_bytes());
        self.shards.iter().for_each(|shard| hasher.update(&shard.receipt.to_bytes()));
        hasher.finish()
    }
}

impl Shard {
    fn compare(&self, folder: &Path, hashing: Hashing) -> Result<(), OpenError> {
        if hashing == Hashing::Compare && self.compared.get().is_none() {
            // The whole file, whatever row is wanted: a digest is of nothing less, and is needed once.
            compare(folder, &self.receipt.files.features, &self.features)?;
            // Another thread may have been faster, with the same result.
            let _ = self.compared.set(());
        }
        Ok(())
    }
}

fn compare(folder: &Path, entry: &FileEntry, bytes: &[u8]) -> Result<(), OpenError> {
    let (expected, found) = (entry.sha256, Digest::of(bytes));
    if expected == found {
        return Ok(());
    }
    Err(OpenError::Hash { path: folder.join(&entry.name), expected, found })
}

fn check_length(path: &Path, entry: &FileEntry, bytes: &[u8]) -> Result<(), OpenError> {
    let (expected, found) = (entry.bytes, bytes.len() as u64);
    if expected == found {
        return Ok(());
    }
    Err(OpenError::Length { path: path.to_owned(), expected, found })
}

/// Reads a file of the length, and the digest, that its receipt says.
fn read(folder: &Path, entry: &FileEntry, hashing: Hashing) -> Result<Vec<u8>, OpenError> {
    let path = folder.join(&entry.name);
    let bytes = fs::read(&path).map_err(|source| OpenError::Read { path: path.clone(), source })?;
    check_length(&path, entry, &bytes)?;
    if hashing == Hashing::Compare {
        compare(folder, entry, &bytes)?;
    }
    Ok(bytes)
}

fn compare_canaries(
    folder: &Path,
    manifest: &Manifest,
    receipts: &[(ShardName, Receipt)],
) -> Result<(), OpenError> {
    let canaries = receipts.iter().map(|(shard, receipt)| (*shard, receipt.canary.as_ref()));
    let odd = odd_canaries(manifest.precision(), canaries);
    if odd.is_empty() {
        return Ok(());
    }
    let shown = odd.iter().take(10).map(|odd| format!("`{}`: {}", odd.shard.receipt(), odd.problem));
    let mut problems = shown.collect::<Vec<_>>().join("; ");
    if let Some(more @ 1..) = odd.len().checked_sub(10) {
        problems.push_str(&format!("; and {more} more"));
    }
    Err(OpenError::Canaries { folder: folder.to_owned(), problems })
}

fn open_receipts(folder: &Path, manifest: &Manifest) -> Result<Vec<(ShardName, Receipt)>, OpenError> {
    let (mut receipts, mut missing) = (Vec::new(), Vec::new());
    for shard in manifest.shards() {
        match Receipt::open(folder, manifest, shard) {
            Ok(receipt) => receipts.push((shard, receipt)),
            Err(ReceiptError::Missing { .. }) => missing.push(shard.index.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    if missing.is_empty() {
        return Ok(receipts);
    }
    let rest = missing.len().saturating_sub(10);
    missing.truncate(10);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    Err(OpenError::Incomplete {
        folder: folder.to_owned(),
        expected: manifest.shards().len(),
        found: receipts.len(),
        missing: missing.join(", ") + &more,
    })
}

pub(super) fn map_features(
    folder: &Path,
    manifest: &Manifest,
    receipt: &Receipt,
) -> Result<(Mmap, usize), OpenError> {
    let entry = &receipt.files.features;
    let path = folder.join(&entry.name);
    let map = npy::map(&path).map_err(|source| OpenError::Read { path: path.clone(), source })?;
    let offset = npy::check(&map, manifest.dtype().into(), &manifest.features_shape(receipt.rows))
        .map_err(|source| OpenError::Array { path: path.clone(), source })?;
    check_length(&path, entry, &map)?;
    Ok((map, offset))
}

pub(super) fn read_labels(
    folder: &Path,
    manifest: &Manifest,
    receipt: &Receipt,
    hashing: Hashing,
) -> Result<Vec<Label>, OpenError> {
    let entry = &receipt.files.labels;
    let path = folder.join(&entry.name);
    let bytes = read(folder, entry, hashing)?;
    let offset = npy::check(&bytes, Element::LABEL, &[receipt.rows as u64])
        .map_err(|source| OpenError::Array { path: path.clone(), source })?;
    let classes = manifest.classes();
    let (numbers, _) = bytes.get(offset..).unwrap_or_default().as_chunks::<8>();
    numbers
        .iter()
        .enumerate()
        .map(|(row, number)| {
            let found = i64::from_le_bytes(*number);
            let label = usize::try_from(found).ok().and_then(|index| classes.label_at(index));
            let last = classes.len().saturating_sub(1);
            label.ok_or_else(|| OpenError::Label { path: path.clone(), row, last, found })
        })
        .collect()
}

pub(super) fn read_rows(
    folder: &Path,
    manifest: &Manifest,
    receipt: &Receipt,
    hashing: Hashing,
) -> Result<Vec<RowRecord>, OpenError> {
    let entry = &receipt.files.rows;
    let path = folder.join(&entry.name);
    let bytes = read(folder, entry, hashing)?;
    let records = RowRecord::from_lines(&bytes, manifest.classes(), manifest.view_count())
        .map_err(|source| OpenError::Rows { path: path.clone(), source })?;
    let rows = records.iter().filter(|record| record.is_row()).count();
    let images = records.iter().filter(|record| record.is_first()).count();
    if (images, rows) != (receipt.images, receipt.rows) {
        return Err(OpenError::RowCount {
            path,
            expected: receipt.images,
            expected_rows: receipt.rows,
            found: images,
            found_rows: rows,
        });
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::manifest::tests::manifest;
    use crate::store::{Listing, StoreWriter};
    use crate::{Classes, DataType, FeatureShape, FeatureSpec, Precision, Sample, listing_digest};

    #[test]
    fn rows_are_floats_whatever_the_store_holds_them_as() {
        let numbers = [0.5_f32, -2.0, 65504.0, 0.0, 1.0, 0.25];
        for dtype in [DataType::Float32, DataType::Float16] {
            let folder = tempfile::tempdir().unwrap();
            let spec =
                FeatureSpec { shape: FeatureShape::new(vec![3]).unwrap(), ..manifest(1, 1).spec().clone() };
            let classes = Classes::new(vec!["a".into(), "b".into()]).unwrap();
            let images: Vec<Sample> =
                classes.labelled().map(|(label, name)| Sample { path: name.to_owned(), label }).collect();
            let listing = Listing { images: 2, sha256: listing_digest(&images) };
            let manifest = Manifest::new(spec, Precision::Float32, dtype, classes, listing, 2);
            let store = StoreWriter::create(folder.path(), manifest, false).unwrap();
            let mut writer = store.shard(store.manifest().shards().next().unwrap()).unwrap();
            for (sample, row) in images.iter().zip(numbers.chunks(3)) {
                let bytes = dtype.encode(row);
                writer.append(&[(sample, Ok(None))], &bytes).unwrap();
            }
            writer.finish(None).unwrap();
            let store = FeatureStore::open(folder.path()).unwrap();
            for (row, expected) in numbers.chunks(3).enumerate() {
                let found = store.floats(row).unwrap();
                assert_eq!(found[..], *expected, "{dtype}");
                assert_eq!(matches!(found, Cow::Borrowed(_)), dtype == DataType::Float32, "{dtype}");
            }
        }
    }
}
