//! Base and head as one ONNX file, for programs that know neither.
//!
//! | | type | shape |
//! |---|---|---|
//! | input `pixels` | uint8 | [n, height, width, 3], red, green, blue; n is free |
//! | output `probabilities` | float32 | [n, classes] |
//!
//! The file holds standard operators of [opset 17](https://onnx.ai/onnx/operators/) and float32 weights: the scaling of
//! pixels, the steps of a [`Plan`](convbase_bases::Plan), the layers of the base that belong to the head, what is done
//! to a probe's rows, the dense layers, and a sigmoid or softmax. Maps are [n, channels, height, width] inside; features
//! are flattened in the order of the store, channels last. Equal checkpoints and weights make equal bytes.

mod error;
mod graph;
mod head;
mod layers;
mod metadata;
mod model;

pub use error::ExportError;
pub use model::export_onnx;

#[cfg(test)]
mod tests;
