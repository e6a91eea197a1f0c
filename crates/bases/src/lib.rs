//! Convolutional bases as data, and nothing that computes them.
//!
//! The [catalogue](architectures) names every [`Architecture`]. Its [`Graph`] has one node for each Keras layer; shapes,
//! parameters and the part that a layer needs follow from it. [`Weights`] are a safetensors file with the graph's tensors.
//! Both together, cut at a layer and made for one image size, are a [`Plan`]: the steps that an engine computes, with
//! normalisation folded into the convolutions and "same" padding in pixels.
//!
//! ```
//! use convbase_bases::architecture;
//! use convbase_core::ImageSize;
//!
//! let vgg16 = architecture("vgg16")?;
//! let shape = vgg16.graph().shape("block5_pool", ImageSize::new(180, 180)?)?;
//! assert_eq!(shape, [5, 5, 512]);
//! assert_eq!(vgg16.graph().parameters(), 14_714_688);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod architecture;
mod article;
mod catalogue;
mod choices;
mod drawn;
mod efficientnet_lite;
mod graph;
mod inception;
mod mobilenet;
mod plan;
mod resnet;
mod tiny;
mod vgg;
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
mod weights;
mod xception;

pub use architecture::Architecture;
pub use article::article;
pub use catalogue::{UnknownArchitecture, architecture, architectures, default_architecture};
pub use choices::{Choices, ChoicesError};
pub use drawn::drawn;
pub use graph::{
    Activation, Graph, GraphError, Node, Operator, Padding, PaddingRule, SummaryRow, Tensor, Window,
};
pub use plan::{Behind, Convolution, Operation, Plan, PlanError, Pool, Step, scaling};
pub use weights::{Weights, WeightsError, write_untrained};
