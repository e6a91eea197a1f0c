//! Any frozen network that a user brings as an ONNX file, computed by tract.
//!
//! A file holds no code, so nothing needs trusting. [`OnnxModel`] is the file: one image input, float32,
//! [n, 3, height, width] or [n, height, width, 3], and inner tensors that can be asked for by name. [`OnnxNetwork`] is
//! the part of its graph that one tensor needs, made ready for one image size.
//!
//! Each image is computed alone, so its features have the same bits in every batch and on every number of threads; and
//! a file whose batch is fixed at one needs no special care.

mod attributes;
mod error;
mod fault;
mod features;
mod file;
mod graph;
mod image_input;
mod layout;
mod metadata;
mod model;
mod network;
mod normalisation;
mod operators;
mod part;
mod similar;
mod weights;

pub use error::{OnnxError, OnnxProblem};
pub use fault::Fault;
pub use metadata::{OnnxMetadata, Scaling};
pub use model::OnnxModel;
pub use network::OnnxNetwork;
pub use normalisation::Normalisation;
