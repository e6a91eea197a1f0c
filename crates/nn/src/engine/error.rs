//! Why an engine could not compute.

use tch::Device;

use super::OnnxError;
use crate::TorchError;

/// A pass through a base that failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// An operation of libtorch failed.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// Our own kernels alone compute in 8 bits.
    #[error("int8: expected a processor with AVX2 or AVX-512, found {found}")]
    Int8 {
        /// What would have to compute.
        found: String,
    },
    /// An ONNX file could not be computed.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
}

impl EngineError {
    /// 8 bits on a device that does not compute in them.
    pub(super) fn int8_on(device: Device) -> Self {
        let found = if device == Device::Cpu { "one without them".to_owned() } else { format!("{device:?}") };
        Self::Int8 { found }
    }
}

impl From<tch::TchError> for EngineError {
    fn from(error: tch::TchError) -> Self {
        Self::Torch(error.into())
    }
}
