//! A base cut at a layer, for one image size, as steps for an engine.

mod affine;
mod behind;
#[cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
mod geometry;
mod lower;
mod scaling;
mod step;

use std::path::PathBuf;

use convbase_core::{ImageSize, Preprocess};

pub use behind::Behind;
pub use scaling::scaling;
pub use step::{Convolution, Operation, Pool, Step};

use crate::architecture::Architecture;
use crate::graph::GraphError;
use crate::weights::Weights;
use lower::Lowering;

/// What an engine computes to get a layer's map of images of one size.
///
/// Layers that the map does not depend on are not there, and their weights are not read. "Same" padding is in pixels.
/// Zero padding, normalisation and activation are part of the convolution before or behind them wherever no other layer
/// reads the map between. Engines feed red, green, blue whatever the weights want: the first weights are turned round
/// where they want blue first.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    steps: Vec<Step>,
    size: ImageSize,
    output_shape: [usize; 3],
    scaling: ([f64; 3], [f64; 3]),
}

/// A plan that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is no such layer, or the size leaves nothing of the images.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The weights are of another base.
    #[error("weights `{}`: expected those of {expected}, found those of {found}", path.display())]
    Architecture {
        /// The file.
        path: PathBuf,
        /// The base that the plan is for.
        expected: &'static str,
        /// The base that the weights are of.
        found: &'static str,
    },
    /// Nothing can go on from the layer's map alone.
    #[error("layer: expected one that all others behind it go on from ({}), found `{found}`", layers.join(", "))]
    NoCut {
        /// What was asked for.
        found: String,
        /// The layers that serve.
        layers: Vec<String>,
    },
    /// Numbers that are finite in the file grow past float32 where a normalisation is folded.
    #[error("weights `{}`: layer `{layer}`: expected finite numbers after folding, found an infinity", path.display())]
    Overflow {
        /// The file.
        path: PathBuf,
        /// The layer that was folded.
        layer: String,
    },
}

impl Plan {
    /// The steps to the map of `layer` for images of `size`.
    pub fn new(
        architecture: &Architecture,
        weights: &Weights,
        layer: &str,
        size: ImageSize,
        preprocess: Preprocess,
    ) -> Result<Self, PlanError> {
        let (expected, found) = (architecture.name(), weights.architecture().name());
        if expected != found {
            return Err(PlanError::Architecture { path: weights.path().to_owned(), expected, found });
        }
        let graph = architecture.graph();
        let position = graph.position(layer)?;
        let shapes = graph.shapes(position, size)?;
        let needed = graph.needed(position);
        let blue_first = preprocess == Preprocess::Caffe;
        let steps = Lowering::new(graph, weights, &shapes, &needed, position, blue_first).steps();
        if let Some(step) = steps.iter().find(|step| !is_finite(&step.operation)) {
            return Err(PlanError::Overflow { path: weights.path().to_owned(), layer: step.layer.clone() });
        }
        let scaling = scaling(preprocess);
        Ok(Self { steps, size, output_shape: shapes[position], scaling })
    }

    /// The steps in an order in which they can be computed. The last one's output is the layer's map.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The steps themselves, for an engine that keeps their weights in another form.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// [height, width, channels] of the layer's map.
    pub fn output_shape(&self) -> [usize; 3] {
        self.output_shape
    }

    /// Height and width of the images.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// Mean and divisor of red, green and blue: what enters is (pixel − mean) / divisor, pixels being 0..255.
    pub fn scaling(&self) -> ([f64; 3], [f64; 3]) {
        self.scaling
    }
}

fn is_finite(operation: &Operation) -> bool {
    // Not stopping at the first lets the compiler look at several at once.
    let finite = |numbers: &[f32]| numbers.iter().fold(true, |all, number| all & number.is_finite());
    match operation {
        Operation::Convolution(convolution) => finite(&convolution.weight) && finite(&convolution.bias),
        Operation::Affine { scale, shift } => finite(scale) && finite(shift),
        _ => true,
    }
}
