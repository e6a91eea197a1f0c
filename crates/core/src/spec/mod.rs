//! What a feature *is*: everything that decides its numbers but for the last bits.

mod image_size;
mod names;
mod numbers;
mod preprocess;
mod shape;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Digest;

pub use image_size::{ImageSize, ImageSizeError};
pub(crate) use names::named;
pub use names::{DataType, Interpolation, Pooling, Precision, UnknownName};
pub use preprocess::{Affine, Preprocess, PreprocessError};
pub use shape::{FeatureShape, FeatureShapeError};

/// What features are: two stores with equal specs hold comparable numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// The network's name. What it computes is not known here.
    pub architecture: String,
    /// Digest of the conv base's tensors (little-endian float32, layer by layer), or of the file that holds the network.
    pub weights: Digest,
    /// The name of the layer whose output the features are.
    pub layer: String,
    /// What became of the layer's map.
    pub pooling: Pooling,
    /// Height and width of the images that entered the network.
    pub image_size: ImageSize,
    /// How photographs were brought to that size.
    pub interpolation: Interpolation,
    /// How pixels became the network's input.
    pub preprocess: Preprocess,
    /// The shape of one image's features, channels last.
    pub shape: FeatureShape,
    /// Whether photographs were turned as the orientation in their metadata says. Left out of the JSON where they were
    /// not, as in all stores before there was a choice.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exif_orientation: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A spec's identity: the digest of its canonical JSON (keys sorted, no white space, ASCII).
///
/// In Python: `sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode())`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureId(Digest);

impl FeatureSpec {
    /// The spec's identity.
    pub fn id(&self) -> FeatureId {
        // Written out in sorted order: serde_json sorts object keys only as long as no crate of the build turns on
        // its `preserve_order`.
        let turned = self.exif_orientation.then_some(("exif_orientation", json!(true)));
        let fields = [
            ("image_size", json!(self.image_size)),
            ("interpolation", json!(self.interpolation)),
            ("layer", json!(self.layer)),
            ("pooling", json!(self.pooling)),
            ("preprocess", json!(self.preprocess)),
            ("shape", json!(self.shape)),
            ("weights", json!(self.weights)),
        ];
        let fields = std::iter::once(("architecture", json!(self.architecture))).chain(turned).chain(fields);
        let members: Vec<String> = fields.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        FeatureId(Digest::of(format!("{{{}}}", members.join(",")).as_bytes()))
    }
}

impl fmt::Display for FeatureId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> FeatureSpec {
        FeatureSpec {
            architecture: "vgg16".to_owned(),
            weights: Digest::of(b"weights"),
            layer: "block5_pool".to_owned(),
            pooling: Pooling::None,
            image_size: ImageSize::new(180, 180).unwrap(),
            interpolation: Interpolation::Nearest,
            preprocess: Preprocess::Rescale,
            shape: FeatureShape::new(vec![5, 5, 512]).unwrap(),
            exif_orientation: false,
        }
    }

    #[test]
    fn the_identity_is_the_digest_of_pythons_sorted_compact_json() {
        let canonical = format!(
            "{{\"architecture\":\"vgg16\",\"image_size\":[180,180],\"interpolation\":\"nearest\",\
             \"layer\":\"block5_pool\",\"pooling\":\"none\",\"preprocess\":\"rescale\",\"shape\":[5,5,512],\
             \"weights\":\"{}\"}}",
            Digest::of(b"weights")
        );
        assert_eq!(spec().id(), FeatureId(Digest::of(canonical.as_bytes())));
        let canonical = canonical.replace(",\"image_size", ",\"exif_orientation\":true,\"image_size");
        let turned = FeatureSpec { exif_orientation: true, ..spec() };
        assert_eq!(turned.id(), FeatureId(Digest::of(canonical.as_bytes())));
        for spec in [spec(), turned] {
            let json = serde_json::to_value(&spec).unwrap();
            assert_eq!(json.get("exif_orientation").is_some(), spec.exif_orientation);
            assert_eq!(serde_json::from_value::<FeatureSpec>(json).unwrap(), spec);
        }
    }

    #[test]
    fn every_field_changes_the_identity() {
        let with = |change: fn(&mut FeatureSpec)| {
            let mut changed = spec();
            change(&mut changed);
            changed.id()
        };
        let ids = [
            spec().id(),
            with(|spec| spec.weights = Digest::of(b"other")),
            with(|spec| spec.layer = "block4_pool".to_owned()),
            with(|spec| spec.pooling = Pooling::Maximum),
            with(|spec| spec.image_size = ImageSize::new(180, 181).unwrap()),
            with(|spec| spec.interpolation = Interpolation::Bilinear),
            with(|spec| spec.preprocess = Preprocess::Caffe),
            with(|spec| spec.shape = FeatureShape::new(vec![1]).unwrap()),
            with(|spec| spec.architecture = "vgg19".to_owned()),
            with(|spec| spec.exif_orientation = true),
        ];
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
