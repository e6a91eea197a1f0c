//! `shard-*.json`: the receipt of a finished shard, written last.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Canary, MANIFEST_NAME, Manifest, ShardName};
use crate::digest::hex;
use crate::{Digest, to_json};

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The shard's index.
    pub shard: usize,
    /// The digest of the manifest's bytes: a shard belongs to one plan.
    #[serde(with = "hex")]
    pub manifest: Digest,
    /// Listed images.
    pub images: usize,
    /// Rows: one for each image that was not rejected, or one for each view of it.
    pub rows: usize,
    /// Images that did not.
    pub rejected: usize,
    /// The shard's files.
    pub files: Files,
    /// What the machine that made the shard computes; features that came from elsewhere have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
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
    /// The file says what it should, but in other bytes.
    #[error("`{}`: expected its content as the extractor writes it, found other bytes", path.display())]
    Bytes {
        /// The receipt.
        path: PathBuf,
    },
}

impl Receipt {
    /// Reads a shard's receipt and checks it against the manifest.
    pub fn open(folder: &Path, manifest: &Manifest, shard: ShardName) -> Result<Self, ReceiptError> {
        let (receipt, remarks) = Self::read(folder, manifest, shard)?;
        remarks.into_iter().next().map_or(Ok(receipt), Err)
    }

    /// Reads a shard's receipt, and gives with it what is wrong but does not keep its files from being verified.
    pub(super) fn read(
        folder: &Path,
        manifest: &Manifest,
        shard: ShardName,
    ) -> Result<(Self, Vec<ReceiptError>), ReceiptError> {
        let path = folder.join(shard.receipt());
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ReceiptError::Missing { path: path.clone() },
            _ => ReceiptError::Read { path: path.clone(), source },
        })?;
        let receipt: Self = serde_json::from_slice(&bytes)
            .map_err(|source| ReceiptError::Parse { path: path.clone(), source })?;
        receipt.check(&path, manifest, shard)?;
        let mut remarks = Vec::new();
        if receipt.manifest != manifest.digest() {
            let expected = format!("{} of `{MANIFEST_NAME}`", manifest.digest().hex());
            let found = receipt.manifest.hex();
            remarks.push(ReceiptError::Field { path: path.clone(), field: "manifest", expected, found });
        }
        // White space that was added or lost changes nothing, but it is damage.
        if receipt.to_bytes() != bytes {
            remarks.push(ReceiptError::Bytes { path });
        }
        Ok((receipt, remarks))
    }

    /// The file's bytes: indented JSON with a newline at the end.
    #[expect(clippy::expect_used, reason = "a structure of texts and numbers can always be written as JSON")]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        to_json(self).expect("plain structures serialise")
    }

    fn check(&self, path: &Path, manifest: &Manifest, shard: ShardName) -> Result<(), ReceiptError> {
        check_number(path, "shard", shard.index, self.shard)?;
        check_number(path, "images", manifest.positions(shard).len(), self.images)?;
        let views = manifest.view_count();
        if views == 1 {
            check_number(path, "rows + rejected", self.images, self.rows.saturating_add(self.rejected))?;
        } else {
            check_number(path, "rows % views", 0, self.rows.checked_rem(views).unwrap_or(0))?;
            let found = self.rows.checked_div(views).unwrap_or(0).saturating_add(self.rejected);
            check_number(path, "rows / views + rejected", self.images, found)?;
        }
        // As many as can be counted: sums that were too large above may look right.
        let embedded = self.images.checked_sub(self.rejected);
        let rows = embedded.and_then(|embedded| embedded.checked_mul(views)).unwrap_or(0);
        check_number(path, "rows", rows, self.rows)?;
        // The names follow from the index, so a receipt cannot point out of the folder.
        let names = [
            ("files.features.name", shard.features(), &self.files.features),
            ("files.labels.name", shard.labels(), &self.files.labels),
            ("files.rows.name", shard.rows(), &self.files.rows),
        ];
        match names.into_iter().find(|(_, name, entry)| *name != entry.name) {
            None => Ok(()),
            Some((field, expected, FileEntry { name, .. })) => {
                Err(ReceiptError::Field { path: path.to_owned(), field, expected, found: name.clone() })
            }
        }
    }

    /// The shard's files in the order they are written.
    pub fn entries(&self) -> [&FileEntry; 3] {
        [&self.files.features, &self.files.labels, &self.files.rows]
    }
}

fn check_number(path: &Path, field: &'static str, expected: usize, found: usize) -> Result<(), ReceiptError> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(ReceiptError::Field { path: path.to_owned(), field, expected, found })
}
