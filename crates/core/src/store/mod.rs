//! The feature store: one directory per labelled image folder, readable with `numpy.load` and `json.loads`.
//!
//! ```text
//! manifest.json                  the plan, written first            Manifest
//! features-00000-of-00002.npy    (rows, ...shape)                   npy
//! labels-00000-of-00002.npy      (rows,) int64                      npy
//! rows-00000-of-00002.jsonl      one line per listed image          RowRecord
//! shard-00000-of-00002.json      the receipt, written last          Receipt
//! ```
//!
//! Shard *s* holds the listing positions from *s* × shard size on, so its index determines its rows. A shard
//! without a receipt does not exist.

mod canary;
mod foreign;
mod manifest;
mod npy;
mod open_error;
mod reader;
mod receipt;
mod row;
mod shard_name;
mod task;
mod verify;
mod writer;

pub use canary::{Canary, CanaryError};
pub use foreign::{ForeignArray, ForeignArrayError};
pub use manifest::{Listing, MANIFEST_NAME, Manifest, ManifestError};
pub use npy::NpyError;
pub use open_error::OpenError;
pub use reader::FeatureStore;
pub use receipt::{FileEntry, Files, Receipt, ReceiptError};
pub use row::{RowRecord, RowStatus, RowsError};
pub use shard_name::ShardName;
pub use task::{Task, TaskError};
pub use verify::{Finding, Verification, verify};
pub use writer::{CreateError, ShardWriter, StoreWriter, WriteError};
