//! Why an engine could not compute.

use super::OnnxError;
use crate::TorchError;

/// A pass through a base that failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// An operation of libtorch failed.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// An ONNX file could not be computed.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
}

impl From<tch::TchError> for EngineError {
    fn from(error: tch::TchError) -> Self {
        Self::Torch(error.into())
    }
}
