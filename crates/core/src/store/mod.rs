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
//!
//! Where each photograph has several views ([`Views`](crate::Views); the format is then `convbase-features/2`), they lie
//! together, view 0 first, and rows files have a line for each; a shard still counts photographs.
//!
//! ```
//! use convbase_core::store::{FeatureStore, Listing, Manifest, StoreWriter};
//! use convbase_core::{
//!     Classes, DataType, Digest, FeatureShape, FeatureSpec, ImageSize, Interpolation, Pooling, Precision,
//!     Preprocess, Sample, listing_digest,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let classes = Classes::new(vec!["cats".to_owned(), "dogs".to_owned()])?;
//! let samples: Vec<Sample> =
//!     classes.labelled().map(|(label, name)| Sample { path: format!("{name}/1.jpg"), label }).collect();
//! let spec = FeatureSpec {
//!     architecture: "external".to_owned(),
//!     weights: Digest::of(b"weights"),
//!     layer: "pool".to_owned(),
//!     pooling: Pooling::Average,
//!     image_size: ImageSize::new(180, 180)?,
//!     interpolation: Interpolation::Bilinear,
//!     preprocess: Preprocess::Torch,
//!     shape: FeatureShape::new(vec![3])?,
//!     exif_orientation: false,
//! };
//! let listing = Listing { images: samples.len(), sha256: listing_digest(&samples) };
//! let manifest = Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, 1024);
//!
//! let folder = tempfile::tempdir()?;
//! let store = StoreWriter::create(folder.path(), manifest, false)?;
//! for shard in store.manifest().shards() {
//!     let mut writer = store.shard(shard)?;
//!     for (number, sample) in samples[store.manifest().positions(shard)].iter().enumerate() {
//!         let features = [number as f32, 0.5, 2.0];
//!         writer.append(&[(sample, Ok(None))], &DataType::Float32.encode(&features))?;
//!     }
//!     writer.finish(None)?;
//! }
//!
//! let store = FeatureStore::open(folder.path())?;
//! assert_eq!((store.rows(), store.rejected()), (2, 0));
//! assert_eq!(store.floats(1)?[..], [1.0, 0.5, 2.0]);
//! assert_eq!(store.manifest().classes().name(store.labels()[1]), Some("dogs"));
//! # Ok(())
//! # }
//! ```

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
