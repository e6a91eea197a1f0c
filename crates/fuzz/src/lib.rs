//! What the fuzz targets and their seeds share: a folder for files, small stores, and several files in one input.

mod scratch;
mod small_store;
#[cfg(feature = "nn")]
mod training;

pub use scratch::{join, parts, put, scratch};
pub use small_store::{SmallStore, as_written, classes, spec, views};
#[cfg(feature = "nn")]
pub use training::{head_shape, options};
