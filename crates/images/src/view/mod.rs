//! Views of a photograph: flipped, turned, zoomed, moved, with more contrast, as Keras' layers of these names do it.
//!
//! An [`Augmentation`] is a list of layers; a [`ViewMaker`] draws what each of them does to a view, from the seed, the
//! photograph's path and the view's number, and makes the pixels.

mod affine;
mod augmentation;
mod change;
mod draw;
mod fill;
mod layer;
mod maker;

#[cfg(test)]
mod golden;

pub use augmentation::{Augmentation, AugmentationError};
pub use maker::ViewMaker;
