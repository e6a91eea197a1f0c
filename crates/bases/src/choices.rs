//! What is chosen of a base and of the photographs, and the spec that follows from it.

use convbase_core::{
    Digest, FeatureShape, FeatureShapeError, FeatureSpec, ImageSize, Interpolation, Pooling, Preprocess,
};

use crate::architecture::Architecture;
use crate::graph::GraphError;

/// What is chosen of a base and of the photographs; everything else of a spec follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices {
    /// The layer whose output is wanted.
    pub layer: String,
    /// What becomes of its map.
    pub pooling: Pooling,
    /// Height and width of the images.
    pub image_size: ImageSize,
    /// How photographs are brought to that size.
    pub interpolation: Interpolation,
    /// How pixels become the input.
    pub preprocess: Preprocess,
}

/// Choices that no features can be made with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoicesError {
    /// There is no such layer, or the size leaves nothing of the images.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The layer's output has more numbers than features may have.
    #[error("layer `{layer}`")]
    Shape {
        /// The layer.
        layer: String,
        /// Why.
        #[source]
        source: FeatureShapeError,
    },
    /// The output of a layer is no map, and cannot be pooled.
    #[error("pooling: expected none for layer `{layer}`, whose output {shape:?} is no map, found {found}")]
    NoMap {
        /// The layer.
        layer: String,
        /// What it gives.
        shape: Vec<u32>,
        /// The pooling that was asked for.
        found: Pooling,
    },
}

impl Choices {
    /// The spec of the features that these choices make of a network with this name and these weights, whose layer gives
    /// an output of `sides` for one image, channels last.
    pub fn into_spec(
        self,
        architecture: &str,
        weights: Digest,
        sides: Vec<u32>,
    ) -> Result<FeatureSpec, ChoicesError> {
        let Self { layer, pooling, image_size, interpolation, preprocess } = self;
        let sides = match (pooling, &sides[..]) {
            (Pooling::None, _) => sides,
            (_, &[_, _, channels]) => vec![channels],
            (found, _) => return Err(ChoicesError::NoMap { layer, shape: sides, found }),
        };
        let shape = FeatureShape::new(sides)
            .map_err(|source| ChoicesError::Shape { layer: layer.clone(), source })?;
        let architecture = architecture.to_owned();
        Ok(FeatureSpec {
            architecture,
            weights,
            layer,
            pooling,
            image_size,
            interpolation,
            preprocess,
            shape,
            exif_orientation: false,
        })
    }
}

impl Architecture {
    /// The spec of the features that these choices make of this base with weights of this digest. Refuses layers that
    /// are not there and sizes that are too small.
    pub fn spec(&self, weights: Digest, choices: Choices) -> Result<FeatureSpec, ChoicesError> {
        let sides = self.graph().shape(&choices.layer, choices.image_size)?;
        choices.into_spec(self.name(), weights, sides.map(|side| side as u32).to_vec())
    }
}
