//! What a small training is of.

use convbase_nn::{Activation, HeadShape, TrainingOptions};

/// A head on the features of [`spec`](crate::spec).
pub fn head_shape() -> HeadShape {
    HeadShape::new(4, 3, Activation::Relu, 2)
}

/// Batches of one row: three steps an epoch.
pub fn options() -> TrainingOptions {
    TrainingOptions { batch_size: 1, dropout: 0.5, seed: 9, class_weights: None }
}
