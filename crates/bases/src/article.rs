//! The features of the published tutorial.

use convbase_core::FeatureSpec;

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

/// The spec of the published tutorial: the last pooling layer of Keras' VGG16 for photographs of 180 × 180, resized by
/// nearest neighbour and divided by 255.
pub fn article() -> FeatureSpec {
    serde_json::from_str(ARTICLE).expect("the text is a spec, as a test says")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture;

    #[test]
    fn its_shape_follows_from_its_layer() {
        let spec = article();
        let graph = architecture(&spec.architecture).unwrap().graph();
        let shape = graph.shape(&spec.layer, spec.image_size).unwrap().map(|side| side as u32);
        assert_eq!(spec.shape.sides(), shape);
    }
}
