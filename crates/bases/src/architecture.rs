//! A convolutional base by name, with what is chosen where the user says nothing.

use std::fmt;
use std::sync::OnceLock;

use convbase_core::{ImageSize, Precision, Preprocess};

use crate::graph::Graph;

/// A convolutional base of the catalogue.
pub struct Architecture {
    pub(crate) name: &'static str,
    /// The last layer of the base without its classifier.
    pub(crate) default_layer: &'static str,
    /// Height and width in pixels.
    pub(crate) default_side: u32,
    pub(crate) preprocess: fn() -> Preprocess,
    pub(crate) tolerance: CanaryTolerance,
    /// The names of a graph's tensors in torchvision, one for each of [`Graph::tensors`], where torchvision has the
    /// same network.
    pub(crate) torchvision_names: Option<fn(&Graph) -> Vec<String>>,
    pub(crate) build: fn() -> Graph,
    /// Built when first asked for.
    pub(crate) graph: OnceLock<Graph>,
}

/// How far apart the canaries of two machines may lie (relative distance of means over parts of the features).
pub(crate) struct CanaryTolerance {
    pub(crate) float32: f64,
    pub(crate) bfloat16: f64,
}

impl CanaryTolerance {
    /// Up to some twenty convolutions in a row, as in VGG16: what two processors with other orders of summation gave
    /// (1e-6 in float32, 1e-3 in bf16), with room.
    pub(crate) const SHALLOW: Self = Self { float32: 1e-4, bfloat16: 1e-2 };
    /// More convolutions in a row. In float32 the order of summation costs some 1e-6 whatever the depth, so the
    /// tolerance stays. In bf16 each map is rounded to eight bits, and the roundings of four times as many maps add up
    /// to about twice the distance (they are independent: the square root of their number). With untrained weights
    /// bf16 lay 1.5e-3 to 2.7e-3 from float32, where VGG19's lay 0.9e-3.
    pub(crate) const DEEP: Self = Self { float32: 1e-4, bfloat16: 2e-2 };
    /// Many convolutions in a row with sums between them that no activation keeps in bounds, as in EfficientNet-Lite0,
    /// whose bf16 lay 9e-3 from float32 with its trained weights.
    pub(crate) const LINEAR_BOTTLENECKS: Self = Self { float32: 1e-4, bfloat16: 5e-2 };
}

impl Architecture {
    /// The name on the command line and in artifacts.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The layers and how they hang together.
    pub fn graph(&self) -> &Graph {
        self.graph.get_or_init(self.build)
    }

    /// The last layer of the base, as Keras' `include_top=False` ends.
    pub fn default_layer(&self) -> &'static str {
        self.default_layer
    }

    /// The size that photographs are brought to where none is given: Keras' own, for VGG16 the tutorial's.
    pub fn default_image_size(&self) -> ImageSize {
        ImageSize::new(self.default_side, self.default_side).expect("a test makes every default size")
    }

    /// What the published weights of this base were trained with. A weights file's own metadata goes before it.
    pub fn preprocess(&self) -> Preprocess {
        (self.preprocess)()
    }

    /// How far apart (relatively) two machines' canaries may lie before one of them computes something else.
    pub fn canary_tolerance(&self, precision: Precision) -> f64 {
        match precision {
            Precision::Float32 => self.tolerance.float32,
            Precision::BFloat16 => self.tolerance.bfloat16,
        }
    }

    /// torchvision's names of this base's tensors, in the order of [`Graph::tensors`], where torchvision has the same
    /// network with the same weights' meaning. Its kernels are [out, in, height, width].
    pub fn torchvision_names(&self) -> Option<Vec<String>> {
        self.torchvision_names.map(|names| names(self.graph()))
    }
}

impl fmt::Debug for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Architecture").field(&self.name).finish()
    }
}
