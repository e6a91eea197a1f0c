//! What a feature *is*: everything that decides its numbers but for the last bits.

mod image_size;
mod layer;
mod names;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Digest;

pub use image_size::{ImageSize, ImageSizeError};
pub use layer::{Layer, LayerError};
pub(crate) use names::named;
pub use names::{DataType, Interpolation, Pooling, Precision, Preprocess, UnknownName};

/// What features are: two stores with equal specs hold comparable numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// The network; always `vgg16` so far.
    pub architecture: String,
    /// Digest of the conv base's tensors (little-endian float32, weight then bias, layer by layer).
    pub weights: Digest,
    /// The layer whose output the features are.
    pub layer: Layer,
    /// What became of the layer's map.
    pub pooling: Pooling,
    /// Height and width of the images that entered the network.
    pub image_size: ImageSize,
    /// How photographs were brought to that size.
    pub interpolation: Interpolation,
    /// How pixels became the network's input.
    pub preprocess: Preprocess,
    /// The shape of one image's features, channels last.
    pub shape: Vec<u32>,
}

const ARTICLE: &str = r#"{
    "architecture": "vgg16",
    "weights": "sha256:dd21191fd3ba4d9b2b0104621c806227994d029acdf7f88d3ca0afd5774c15cf",
    "layer": "block5_pool",
    "pooling": "none",
    "image_size": [180, 180],
    "interpolation": "nearest",
    "preprocess": "rescale",
    "shape": [5, 5, 512]
}"#;

/// A spec's identity: the digest of its canonical JSON (keys sorted, no white space, ASCII).
///
/// In Python: `sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode())`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureId(Digest);

impl FeatureSpec {
    /// The spec of VGG16 features; the shape follows from the layer, the size and the pooling.
    pub fn vgg16(
        weights: Digest,
        layer: Layer,
        pooling: Pooling,
        image_size: ImageSize,
        interpolation: Interpolation,
        preprocess: Preprocess,
    ) -> Self {
        let shape = layer.feature_shape(image_size, pooling);
        Self {
            architecture: "vgg16".to_owned(),
            weights,
            layer,
            pooling,
            image_size,
            interpolation,
            preprocess,
            shape,
        }
    }

    /// The spec of the published tutorial: the last pooling layer of Keras' VGG16 for photographs of 180 × 180, resized
    /// by nearest neighbour and divided by 255.
    pub fn article() -> Self {
        serde_json::from_str(ARTICLE).expect("the text is a spec, as a test says")
    }

    /// The shape that follows from layer, size and pooling, where the network is known.
    pub fn known_shape(&self) -> Option<Vec<u32>> {
        (self.architecture == "vgg16").then(|| self.layer.feature_shape(self.image_size, self.pooling))
    }

    /// The spec's identity.
    pub fn id(&self) -> FeatureId {
        // Written out in sorted order: serde_json sorts object keys only as long as no crate of the build turns on
        // its `preserve_order`.
        let fields = [
            ("architecture", json!(self.architecture)),
            ("image_size", json!(self.image_size)),
            ("interpolation", json!(self.interpolation)),
            ("layer", json!(self.layer)),
            ("pooling", json!(self.pooling)),
            ("preprocess", json!(self.preprocess)),
            ("shape", json!(self.shape)),
            ("weights", json!(self.weights)),
        ];
        let members: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        FeatureId(Digest::of(format!("{{{}}}", members.join(",")).as_bytes()))
    }

    /// Numbers of one image's features, or `None` when the shape is empty, holds a zero or overflows.
    pub fn feature_length(&self) -> Option<usize> {
        let length = self
            .shape
            .iter()
            .try_fold(1_usize, |product, &side| product.checked_mul(usize::try_from(side).ok()?))?;
        (!self.shape.is_empty() && length > 0).then_some(length)
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
        FeatureSpec::vgg16(
            Digest::of(b"weights"),
            Layer::block5_pool(),
            Pooling::None,
            ImageSize::new(180, 180).unwrap(),
            Interpolation::Nearest,
            Preprocess::Rescale,
        )
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
    }

    #[test]
    fn the_article_s_spec_is_one_whose_shape_follows_from_its_layer() {
        let article = FeatureSpec::article();
        assert_eq!(article.known_shape(), Some(article.shape.clone()));
        assert_eq!(FeatureSpec { weights: article.weights, ..spec() }, article);
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
            with(|spec| spec.layer = "block4_pool".parse().unwrap()),
            with(|spec| spec.pooling = Pooling::Maximum),
            with(|spec| spec.image_size = ImageSize::new(180, 181).unwrap()),
            with(|spec| spec.interpolation = Interpolation::Bilinear),
            with(|spec| spec.preprocess = Preprocess::Caffe),
            with(|spec| spec.shape = vec![1]),
            with(|spec| spec.architecture = "vgg19".to_owned()),
        ];
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn lengths_that_are_zero_or_overflow_are_none() {
        let length = |shape: &[u32]| FeatureSpec { shape: shape.to_vec(), ..spec() }.feature_length();
        assert_eq!(length(&[5, 5, 512]), Some(12_800));
        assert_eq!(length(&[]), None);
        assert_eq!(length(&[5, 0]), None);
        assert_eq!(length(&[u32::MAX; 4]), None);
    }
}
