//! Why a store cannot be opened or read.

use std::io;
use std::path::PathBuf;

use super::{ManifestError, NpyError, ReceiptError, RowsError};
use crate::Digest;

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
    /// A file is longer or shorter than its receipt says.
    #[error("`{}`: expected {expected} bytes, found {found}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes of the receipt.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// A file's bytes are not those that its receipt speaks of.
    #[error("`{}`: sha256: expected {}, found {}", path.display(), expected.hex(), found.hex())]
    Hash {
        /// The file.
        path: PathBuf,
        /// The receipt's digest.
        expected: Digest,
        /// The digest of the file's bytes.
        found: Digest,
    },
    /// Shards were made by machines that compute something else than the others.
    #[error("`{}`: {problems}", folder.display())]
    Canaries {
        /// The store's folder.
        folder: PathBuf,
        /// Each receipt with expected and found.
        problems: String,
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
        /// Images of the file.
        found: usize,
        /// Lines that are rows.
        found_rows: usize,
    },
}
