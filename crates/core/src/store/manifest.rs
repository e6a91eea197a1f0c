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
        // A shape's numbers are bounded, so that this cannot overflow.
        self.spec.shape.length() * self.dtype.bytes()
    }

    /// The shape of the features of `rows` rows.
    pub(super) fn features_shape(&self, rows: usize) -> Vec<u64> {
        std::iter::once(rows as u64)
            .chain(self.spec.shape.sides().iter().map(|&side| u64::from(side)))
            .collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{FeatureShape, FillMode, ImageSize, Interpolation, Pooling, Preprocess};
    use serde_json::{Value, json};

    pub(crate) fn manifest(images: usize, shard_size: usize) -> Manifest {
        let spec = FeatureSpec {
            architecture: "made up".to_owned(),
            weights: Digest::of(b"weights"),
            layer: "pool".to_owned(),
            pooling: Pooling::None,
            image_size: ImageSize::new(32, 64).unwrap(),
            interpolation: Interpolation::Nearest,
            preprocess: Preprocess::Rescale,
            shape: FeatureShape::new(vec![1, 2, 512]).unwrap(),
        };
        let classes = Classes::new(vec!["cats".into(), "dogs".into()]).unwrap();
        let listing = Listing { images, sha256: Digest::of(b"listing") };
        Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, shard_size)
    }

    pub(crate) fn views(count: usize) -> Views {
        Views::new(count, "flip".into(), FillMode::Wrap, Interpolation::Nearest, 7).unwrap()
    }

    fn parse_with(change: impl Fn(&mut Value)) -> Result<Manifest, String> {
        parse_changed(&manifest(10, 4), change)
    }

    fn parse_changed(manifest: &Manifest, change: impl Fn(&mut Value)) -> Result<Manifest, String> {
        let mut value = serde_json::to_value(manifest).unwrap();
        change(&mut value);
        let path = Path::new("manifest.json");
        Manifest::parse(path, value.to_string().as_bytes()).map_err(|error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            format!("{error}{}", source.unwrap_or_default())
        })
    }

    #[test]
    fn a_manifest_survives_the_way_through_json() {
        assert_eq!(parse_with(|_| ()).unwrap(), manifest(10, 4));
    }

    #[test]
    fn a_manifest_of_views_is_of_the_second_format_and_one_without_is_as_before() {
        let several = manifest(10, 4).with_views(views(3));
        assert_eq!(parse_changed(&several, |_| ()).unwrap(), several);
        assert_eq!((several.view_count(), several.views()), (3, Some(&views(3))));
        let value = serde_json::to_value(&several).unwrap();
        assert_eq!(value["format"], "convbase-features/2");
        assert_eq!(value["views"]["count"], 3);
        let one = serde_json::to_value(manifest(10, 4)).unwrap();
        assert_eq!((one["format"].as_str(), one.get("views")), (Some("convbase-features/1"), None));
        assert_eq!(manifest(10, 4).view_count(), 1);
    }

    #[test]
    fn views_in_a_manifest_of_the_other_format_are_refused() {
        let several = manifest(10, 4).with_views(views(3));
        let error =
            parse_changed(&several, |value| value["format"] = json!("convbase-features/1")).unwrap_err();
        assert!(
            error.contains("views: expected none in convbase-features/1, found 3 views, flip"),
            "{error}"
        );
        let error = parse_with(|value| value["format"] = json!("convbase-features/2")).unwrap_err();
        assert!(error.ends_with("views: expected some in convbase-features/2, found none"), "{error}");
        let error = parse_changed(&several, |value| value["views"]["count"] = json!(1)).unwrap_err();
        assert!(error.contains("count: expected 2 to 1000, found 1"), "{error}");
    }

    #[test]
    fn shards_cover_the_listing_without_gap_or_overlap() {
        let manifest = manifest(10, 4);
        let ranges: Vec<_> = manifest.shards().map(|shard| manifest.positions(shard)).collect();
        assert_eq!(ranges, [0..4, 4..8, 8..10]);
        for shard in manifest.shards() {
            assert!(manifest.positions(shard).all(|position| manifest.shard_of(position) == shard));
        }
    }

    #[test]
    fn fields_that_contradict_one_another_are_refused_with_expected_and_found() {
        let refused = |change: fn(&mut Value), part: &str| {
            let error = parse_with(change).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused(
            |value| value["format"] = json!("other/1"),
            "format: expected convbase-features/1 or convbase-features/2, found other/1",
        );
        refused(|value| value["spec"]["layer"] = json!("other"), "feature_id: expected sha256:");
        refused(|value| value["spec"]["layer"] = json!(7), "7");
        refused(|value| value["spec"]["shape"] = json!([64, 0]), "found [64, 0]");
        refused(|value| value["shards"] = json!(2), "shards: expected 3, found 2");
        refused(
            |value| {
                value["listing"]["images"] = json!(1_000_000_000_000_u64);
                value["shard_size"] = json!(1);
                value["shards"] = json!(1_000_000_000_000_u64);
            },
            "shards: expected at most 1000000, found 1000000000000",
        );
        refused(|value| value["shard_size"] = json!(0), "expected at least 1, found 0");
        refused(|value| value["classes"] = json!(["a", "a"]), "found `a` twice");
        refused(|value| value["dtype"] = json!("float64"), "float64");
        refused(|value| value["listing"]["images"] = json!(-1), "-1");
        refused(|value| value["surprise"] = json!(1), "surprise");
    }
}
