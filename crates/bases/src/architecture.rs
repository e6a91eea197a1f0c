//! A convolutional base by name, with what is chosen where the user says nothing.

use std::fmt;
use std::sync::OnceLock;

use convbase_core::{ImageSize, Preprocess};

use crate::graph::Graph;

/// A convolutional base of the catalogue.
pub struct Architecture {
    pub(crate) name: &'static str,
    /// The last layer of the base without its classifier.
    pub(crate) default_layer: &'static str,
    /// Height and width in pixels.
    pub(crate) default_side: u32,
    pub(crate) preprocess: fn() -> Preprocess,
    /// The names of a graph's tensors in torchvision, one for each of [`Graph::tensors`], where torchvision has the
    /// same network.
    pub(crate) torchvision_names: Option<fn(&Graph) -> Vec<String>>,
    pub(crate) build: fn() -> Graph,
    /// Built when first asked for.
    pub(crate) graph: OnceLock<Graph>,
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
