//! `shard-*.json`: the receipt of a finished shard, written last.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Manifest, ShardName};
use crate::Digest;
use crate::digest::hex;

/// A file of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name in the store's folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The digest of its bytes.
    #[serde(with = "hex")]
    pub sha256: Digest,
}

/// The files of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// (rows, ...shape), the store's dtype.
    pub features: FileEntry,
    /// (rows,) int64.
    pub labels: FileEntry,
    /// One line per listed image.
    pub rows: FileEntry,
}

/// What a finished shard holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The shard's index.
    pub shard: usize,
    /// Listed images.
    pub images: usize,
    /// Images that became rows.
    pub rows: usize,
    /// Images that did not.
    pub rejected: usize,
    /// The shard's files.
    pub files: Files,
}

/// A receipt that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// There is none: the shard is not finished.
    #[error("`{}` is missing: the shard is not finished", path.display())]
    Missing {
        /// The receipt.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The receipt.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no receipt.
    #[error("`{}` is no receipt of a shard", path.display())]
    Parse {
        /// The receipt.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A field contradicts the manifest or the other fields.
    #[error("`{}`: {field}: expected {expected}, found {found}", path.display())]
    Field {
        /// The receipt.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// What the manifest demands.
        expected: String,
        /// What the receipt says.
        found: String,
    },
}

impl Receipt {
    /// Reads a shard's receipt and checks it against the manifest.
    pub fn open(folder: &Path, manifest: &Manifest, shard: ShardName) -> Result<Self, ReceiptError> {
        let path = folder.join(shard.receipt());
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ReceiptError::Missing { path: path.clone() },
            _ => ReceiptError::Read { path: path.clone(), source },
        })?;
        let receipt: Self = serde_json::from_slice(&bytes)
            .map_err(|source| ReceiptError::Parse { path: path.clone(), source })?;
        let field = |field, expected: String, found: String| {
            if expected == found {
                return Ok(());
            }
            Err(ReceiptError::Field { path: path.clone(), field, expected, found })
        };
        field("shard", shard.index.to_string(), receipt.shard.to_string())?;
        field("images", manifest.positions(shard).len().to_string(), receipt.images.to_string())?;
        let sum = receipt.rows.saturating_add(receipt.rejected);
        field("rows + rejected", receipt.images.to_string(), sum.to_string())?;
        // The names follow from the index, so a receipt cannot point out of the folder.
        field("files.features.name", shard.features(), receipt.files.features.name.clone())?;
        field("files.labels.name", shard.labels(), receipt.files.labels.name.clone())?;
        field("files.rows.name", shard.rows(), receipt.files.rows.name.clone())?;
        Ok(receipt)
    }

    /// The shard's files in the order they are written.
    pub fn entries(&self) -> [&FileEntry; 3] {
        [&self.files.features, &self.files.labels, &self.files.rows]
    }
}
