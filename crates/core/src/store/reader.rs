//! Reads a store through memory maps: only the rows that are asked for enter memory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::{Manifest, ManifestError, NpyError, Receipt, ReceiptError, RowRecord, RowsError, ShardName, npy};
use crate::{Digest, Hasher, Label};

/// A finished store, opened: manifest, receipts, headers and sizes are checked, labels are in memory.
#[derive(Debug)]
pub struct FeatureStore {
    folder: PathBuf,
    manifest: Manifest,
    shards: Vec<Shard>,
    labels: Vec<Label>,
    row_bytes: usize,
}

#[derive(Debug)]
struct Shard {
    name: ShardName,
    receipt: Receipt,
    features: Mmap,
    data_offset: usize,
    /// The store's row that is this shard's first.
    first_row: usize,
}

/// A store that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A receipt cannot be used.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// Some shards are not finished.
    #[error("`{}` is incomplete: expected {expected} finished shards, found {found}; missing {missing}", folder.display())]
    Incomplete {
        /// The store's folder.
        folder: PathBuf,
        /// Shards of the plan.
        expected: usize,
        /// Shards with a receipt.
        found: usize,
        /// The first indices that are missing.
        missing: String,
    },
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An array is not what manifest and receipt say.
    #[error("`{}`", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: NpyError,
    },
    /// A label is no class's.
    #[error("`{}`: label of row {row}: expected 0 to {last}, found {found}", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// The row in the shard.
        row: usize,
        /// The last label.
        last: usize,
        /// The label that was found.
        found: i64,
    },
    /// The rows file cannot be used.
    #[error("`{}`", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: RowsError,
    },
    /// The rows file does not speak of as many images as the receipt.
    #[error("`{}`: expected {expected} images with {expected_rows} rows, found {found} with {found_rows}", path.display())]
    RowCount {
        /// The file.
        path: PathBuf,
        /// Images of the receipt.
        expected: usize,
        /// Rows of the receipt.
        expected_rows: usize,
        /// Lines of the file.
        found: usize,
        /// Lines that are rows.
        found_rows: usize,
    },
}

impl FeatureStore {
    /// Opens the store in `folder`. Hashes are not compared; [`super::verify`] does that.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let manifest = Manifest::open(folder)?;
        let receipts = open_receipts(folder, &manifest)?;
        let row_bytes = manifest.row_bytes().unwrap_or(0);
        let (mut shards, mut labels) = (Vec::new(), Vec::new());
        for (name, receipt) in receipts {
            let first_row = labels.len();
            labels.extend(read_labels(folder, &manifest, name, receipt.rows)?);
            let (features, data_offset) = map_features(folder, &manifest, name, receipt.rows)?;
            shards.push(Shard { name, receipt, features, data_offset, first_row });
        }
        Ok(Self { folder: folder.to_owned(), manifest, shards, labels, row_bytes })
    }

    /// The store's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The plan.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many rows the store holds.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// How many listed images were rejected.
    pub fn rejected(&self) -> usize {
        self.shards.iter().map(|shard| shard.receipt.rejected).sum()
    }

    /// Each row's label.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// One row's features in the store's dtype, little-endian.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, row: usize) -> &[u8] {
        assert!(row < self.rows(), "row {row} of {}", self.rows());
        let shard = &self.shards[self.shards.partition_point(|shard| shard.first_row <= row) - 1];
        let start = shard.data_offset + (row - shard.first_row) * self.row_bytes;
        &shard.features[start..start + self.row_bytes]
    }

    /// Every listed image in order, read from the rows files.
    pub fn records(&self) -> Result<Vec<RowRecord>, OpenError> {
        let mut records = Vec::new();
        for shard in &self.shards {
            records.extend(read_rows(&self.folder, &self.manifest, shard.name, &shard.receipt)?);
        }
        Ok(records)
    }

    /// The store's identity: the digest over its manifest and its receipts, which hold the digests of all files.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        let mut add = |json: serde_json::Result<Vec<u8>>| {
            hasher.update(&json.expect("plain structures serialise"));
            hasher.update(b"\n");
        };
        add(serde_json::to_vec(&self.manifest));
        self.shards.iter().for_each(|shard| add(serde_json::to_vec(&shard.receipt)));
        hasher.finish()
    }
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
    shard: ShardName,
    rows: usize,
) -> Result<(Mmap, usize), OpenError> {
    let path = folder.join(shard.features());
    let error = |source| OpenError::Read { path: path.clone(), source };
    let file = File::open(&path).map_err(error)?;
    // SAFETY: another process that shortens the file while it is mapped would end this one with SIGBUS. Finished
    // shards are never changed in place: the writer renames whole files, which leaves the mapped one as it is.
    #[expect(unsafe_code, reason = "memory maps are how a store larger than memory is read")]
    let map = unsafe { Mmap::map(&file) }.map_err(error)?;
    let descriptor = manifest.dtype().npy_descriptor();
    let offset = npy::check(&map, descriptor, &manifest.features_shape(rows))
        .map_err(|source| OpenError::Array { path, source })?;
    Ok((map, offset))
}

pub(super) fn read_labels(
    folder: &Path,
    manifest: &Manifest,
    shard: ShardName,
    rows: usize,
) -> Result<Vec<Label>, OpenError> {
    let path = folder.join(shard.labels());
    let bytes = fs::read(&path).map_err(|source| OpenError::Read { path: path.clone(), source })?;
    let offset = npy::check(&bytes, "<i8", &[rows as u64])
        .map_err(|source| OpenError::Array { path: path.clone(), source })?;
    let classes = manifest.classes().len();
    let (numbers, _) = bytes[offset..].as_chunks::<8>();
    numbers
        .iter()
        .enumerate()
        .map(|(row, number)| {
            let found = i64::from_le_bytes(*number);
            let label = usize::try_from(found).ok().filter(|&label| label < classes);
            label.ok_or_else(|| OpenError::Label { path: path.clone(), row, last: classes - 1, found })
        })
        .collect()
}

pub(super) fn read_rows(
    folder: &Path,
    manifest: &Manifest,
    shard: ShardName,
    receipt: &Receipt,
) -> Result<Vec<RowRecord>, OpenError> {
    let path = folder.join(shard.rows());
    let bytes = fs::read(&path).map_err(|source| OpenError::Read { path: path.clone(), source })?;
    let records = RowRecord::from_lines(&bytes, manifest.classes())
        .map_err(|source| OpenError::Rows { path: path.clone(), source })?;
    let rows = records.iter().filter(|record| record.is_row()).count();
    if (records.len(), rows) != (receipt.images, receipt.rows) {
        return Err(OpenError::RowCount {
            path,
            expected: receipt.images,
            expected_rows: receipt.rows,
            found: records.len(),
            found_rows: rows,
        });
    }
    Ok(records)
}
