//! What can be wrong with a layer or a size.

use convbase_core::ImageSize;

/// A layer or an image size that a graph does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// No layer has this name, or none that a convolution leads to.
    #[error("layer: expected one of {}, found `{found}`", useful.join(", "))]
    UnknownLayer {
        /// The name.
        found: String,
        /// The layers that all maps pass through.
        useful: Vec<String>,
    },
    /// Nothing would be left of the images.
    #[error("image size: expected at least {least}x{least} for layer `{layer}`, found {found}")]
    TooSmall {
        /// The layer that was asked for.
        layer: String,
        /// The least height and width in pixels.
        least: usize,
        /// The size.
        found: ImageSize,
    },
}
