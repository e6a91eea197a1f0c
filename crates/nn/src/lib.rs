//! What needs libtorch: devices, VGG16 weights, the frozen convolutional base, the head that is trained, its
//! optimizers, minibatches from feature stores, and checkpoints.
//!
//! Tensors that hold images or maps are channels-last in memory throughout: bytes [batch, height, width, 3] go in,
//! features [batch, height, width, channels] come out, and no layer in between rearranges them.

mod checkpoint;
mod conv_base;
mod dense;
mod device;
mod error;
mod floats;
mod head;
mod inference;
mod memory;
mod minibatch;
mod optimizer;
mod randomness;
mod summary;
mod tensor_file;
mod threads;
mod training;
mod training_state;
mod vectors;
mod weights;

pub use checkpoint::{Checkpoint, CheckpointError, CheckpointMetadata, Mismatch};
pub use conv_base::ConvBase;
pub use device::{DeviceChoice, DeviceError};
pub use error::{MinibatchError, TorchError};
pub use head::{Activation, Head, HeadShape, UnknownActivation};
pub use inference::{evaluate, image_probabilities, probabilities};
pub use memory::{keep_freed_memory, leave_quickly};
pub use minibatch::{ClassMappingError, Rows};
pub use optimizer::{Optimizer, OptimizerKind, UnknownOptimizer};
pub use summary::Summary;
pub use tch::Device;
pub use threads::set_threads;
pub use training::{BegunEpoch, Means, TrainingOptions};
pub use training_state::TrainingState;
pub use weights::{ConvBaseWeights, WeightsError, default_weights};
