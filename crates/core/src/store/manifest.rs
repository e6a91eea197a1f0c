//! `manifest.json`: the plan of a store, known before the first image is decoded.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ShardName;
use crate::digest::hex;
use crate::{Classes, DataType, Digest, FeatureId, FeatureSpec, Precision, Views, to_json};

/// The manifest's file name.
pub const MANIFEST_NAME: &str = "manifest.json";
/// One row of each photograph.
const FORMAT: &str = "convbase-features/1";
/// Several views of each photograph, a row of each.
const FORMAT_OF_VIEWS: &str = "convbase-features/2";

/// What images the store is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// How many images are listed.
    pub images: usize,
    /// The digest over their relative paths and labels ([`crate::listing_digest`]).
    #[serde(with = "hex")]
    pub sha256: Digest,
}

/// The plan of a store: equal plans make equal stores on one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    feature_id: FeatureId,
    spec: FeatureSpec,
    precision: Precision,
    dtype: DataType,
    classes: Classes,
    listing: Listing,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    views: Option<Views>,
    shard_size: usize,
    shards: usize,
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The manifest.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no manifest.
    #[error("`{}` is no manifest of a feature store", path.display())]
    Parse {
        /// The manifest.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A field contradicts the others.
    #[error("`{}`: {field}: expected {expected}, found {found}", path.display())]
    Field {
        /// The manifest.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// What the rest of the manifest demands.
        expected: String,
        /// What it says.
        found: String,
    },
    /// The file says what it should, but in other bytes, so that no receipt fits it.
    #[error("`{}`: expected its content as the extractor writes it, found other bytes", path.display())]
    Bytes {
        /// The manifest.
        path: PathBuf,
    },
}

impl Manifest {
    /// The most shards of a store: each is four files in one folder.
    pub const MOST_SHARDS: usize = 1_000_000;

    /// Plans a store. `shard_size` of 0 counts as 1.
    pub fn new(
        spec: FeatureSpec,
        precision: Precision,
        dtype: DataType,
        classes: Classes,
        listing: Listing,
        shard_size: usize,
    ) -> Self {
        let shard_size = shard_size.max(1);
        let shards = listing.images.div_ceil(shard_size);
        let feature_id = spec.id();
        let format = FORMAT.to_owned();
        let views = None;
        Self { format, feature_id, spec, precision, dtype, classes, listing, views, shard_size, shards }
    }

    /// The same plan with several views of each photograph.
    #[must_use]
    pub fn with_views(self, views: Views) -> Self {
        Self { format: FORMAT_OF_VIEWS.to_owned(), views: Some(views), ..self }
    }

    /// Reads and validates the manifest of the store in `folder`.
    pub fn open(folder: &Path) -> Result<Self, ManifestError> {
        let (manifest, remark) = Self::read(folder)?;
        remark.map_or(Ok(manifest), Err)
    }

    /// Reads the manifest, and gives with it what is wrong but does not keep the store from being verified.
    pub(super) fn read(folder: &Path) -> Result<(Self, Option<ManifestError>), ManifestError> {
        let path = folder.join(MANIFEST_NAME);
        let bytes = fs::read(&path).map_err(|source| ManifestError::Read { path: path.clone(), source })?;
        let manifest = Self::parse(&path, &bytes)?;
        let remark = (manifest.to_bytes() != bytes).then_some(ManifestError::Bytes { path });
        Ok((manifest, remark))
    }

    /// The file's bytes: indented JSON with a newline at the end.
    #[expect(clippy::expect_used, reason = "a structure of texts and numbers can always be written as JSON")]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        to_json(self).expect("plain structures serialise")
    }

    /// The digest of the file's bytes, which every receipt holds.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|source| ManifestError::Parse { path: path.to_owned(), source })?;
        let contradiction = |field, expected: String, found: String| {
            Err(ManifestError::Field { path: path.to_owned(), field, expected, found })
        };
        if ![FORMAT, FORMAT_OF_VIEWS].contains(&manifest.format.as_str()) {
            return contradiction("format", format!("{FORMAT} or {FORMAT_OF_VIEWS}"), manifest.format);
        }
        // Several views are what makes the second format: who reads only the first must not take their rows for
        // photographs.
        match &manifest.views {
            Some(views) if manifest.format == FORMAT => {
                return contradiction("views", format!("none in {FORMAT}"), views.to_string());
            }
            None if manifest.format == FORMAT_OF_VIEWS => {
                return contradiction("views", format!("some in {FORMAT_OF_VIEWS}"), "none".to_owned());
            }
            _ => {}
        }
        let id = manifest.spec.id();
        if manifest.feature_id != id {
            return contradiction("feature_id", id.to_string(), manifest.feature_id.to_string());
        }
        if manifest.shard_size == 0 || manifest.listing.images == 0 {
            return contradiction("shard_size and listing.images", "at least 1".into(), "0".into());
        }
        let shards = manifest.listing.images.div_ceil(manifest.shard_size);
        if manifest.shards != shards {
            return contradiction("shards", shards.to_string(), manifest.shards.to_string());
        }
        // Every shard is a name that is looked for: without a limit a few bytes could cost hours.
        if shards > Self::MOST_SHARDS {
            return contradiction("shards", format!("at most {}", Self::MOST_SHARDS), shards.to_string());
        }
        Ok(manifest)
    }

    /// The spec's identity.
    pub fn feature_id(&self) -> FeatureId {
        self.feature_id
    }

    /// What the features are.
    pub fn spec(&self) -> &FeatureSpec {
        &self.spec
    }

    /// The arithmetic they were computed with.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// How they are held.
    pub fn dtype(&self) -> DataType {
        self.dtype
    }

    /// The class list.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// The images.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The views, where each photograph has more than one.
    pub fn views(&self) -> Option<&Views> {
        self.views.as_ref()
    }

    /// Rows of each photograph: 1, or the number of its views.
    pub fn view_count(&self) -> usize {
        self.views.as_ref().map_or(1, Views::count)
    }

    /// Listing positions of one shard; the last may have fewer.
    pub fn shard_size(&self) -> usize {
        self.shard_size
    }

    /// Every shard's name in order.
    pub fn shards(&self) -> impl ExactSizeIterator<Item = ShardName> + use<> {
        let count = self.shards;
        (0..count).map(move |index| ShardName { index, count })
    }

    /// The shard that holds a listing position.
    #[expect(clippy::arithmetic_side_effects, reason = "a shard size is at least 1")]
    pub fn shard_of(&self, position: usize) -> ShardName {
        ShardName { index: position / self.shard_size, count: self.shards }
    }

    /// The listing positions of a shard.
    pub fn positions(&self, shard: ShardName) -> std::ops::Range<usize> {
        let start = shard.index.saturating_mul(self.shard_size).min(self.listing.images);
        start..start.saturating_add(self.shard_size).min(self.listing.images)
    }

    /// Bytes of one row of features.
    pub fn row_bytes(&self) -> usize {
        // A shape's numbers are bounded, so that this cannot overflow where memory has 64-bit addresses.
        self.spec.shape.length().saturating_mul(self.dtype.bytes())
    }

    /// The shape of the features of `rows` rows.
    pub(super) fn features_shape(&self, rows: usize) -> Vec<u64> {
        std::iter::once(rows as u64)
            .chain(self.spec.shape.sides().iter().map(|&side| u64::from(side)))
            .collect()
    }
}

#[cfg(test)]
pub(super) mod tests;
