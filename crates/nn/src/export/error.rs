//! A checkpoint that no ONNX file can be made of.

use convbase_bases::PlanError;

use crate::TorchError;

/// A checkpoint and a base that make no ONNX file together.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The base is a file of the user's, whose graph is not taken apart.
    #[error(
        "base: expected one of the catalogue, found the ONNX file that the checkpoint's features were made with"
    )]
    OnnxBase,
    /// The weights make no such layer.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The head's numbers could not be had from its device.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The base does not make what the head takes.
    #[error("{part}: expected {expected:?}, found {found:?} of `{layer}`")]
    Shape {
        /// What takes it.
        part: &'static str,
        /// Its sides.
        expected: Vec<usize>,
        /// What the base makes.
        found: Vec<usize>,
        /// Of which layer.
        layer: String,
    },
    /// The metadata could not be written as JSON.
    #[error("metadata")]
    Metadata(#[from] serde_json::Error),
    /// A protobuf message ends below 2 GiB.
    #[error("expected at most {most} bytes in an ONNX file, found {found}")]
    TooLarge {
        /// The most bytes of a protobuf message.
        most: usize,
        /// What the message would have.
        found: usize,
    },
}
