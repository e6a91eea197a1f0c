//! Computing: devices, the engines of frozen convolutional bases, the head that is trained, its optimizers, minibatches from feature stores, and checkpoints.
//!
//! Tensors that hold images or maps are channels-last in memory throughout: bytes [batch, height, width, 3] go in,
//! features [batch, height, width, channels] come out, and no layer in between rearranges them.

mod base;
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
mod checkpoint;
mod class_weights;
mod device;
mod embed;
mod engine;
mod error;
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
mod export;
mod free_memory;
mod head;
mod inference;
mod learner;
mod memory;
mod minibatch;
mod optimizer;
pub mod probe;
mod randomness;
mod summary;
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
mod tensor_file;
mod threads;
mod training;
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
mod training_state;
mod vectors;
mod view_choice;

pub use base::{Base, BaseError, default_weights, is_onnx_file, is_onnx_spec};
pub use checkpoint::{Checkpoint, CheckpointError, CheckpointMetadata, Mismatch};
pub use class_weights::balanced_class_weights;
pub use device::{DeviceChoice, DeviceError};
pub use embed::{Embed, EmbedPipeline, Embedded, ImageBytes, TimeSpent};
pub use engine::{
    ConvBase, EngineError, Fault, Normalisation, OnnxError, OnnxMetadata, OnnxModel, OnnxNetwork,
    OnnxProblem, OperatorTime, Scaling,
};
pub use error::{MinibatchError, TorchError};
pub use export::{ExportError, export_onnx};
pub use free_memory::{NotEnoughMemory, check_memory};
pub use head::{
    Activation, Head, HeadShape, Input, MapPooling, Preparation, Tail, TailError, UnknownActivation,
    UnknownMapPooling,
};
pub use inference::{evaluate, mean_probabilities, probabilities};
pub use memory::{keep_freed_memory, leave_quickly};
pub use minibatch::{ClassMappingError, Rows};
pub use optimizer::{OptimizerKind, UnknownOptimizer};
pub use summary::Summary;
pub use tch::Device;
pub use threads::set_threads;
pub use training::{BegunEpoch, Means, TrainingOptions};
pub use training_state::TrainingState;
pub use view_choice::{UnknownViewChoice, ViewChoice};
