//! What a data set is: classes, labels, and photographs in a fixed order.

mod classes;
mod label;
mod sample;

pub use classes::{Classes, ClassesError};
pub use label::Label;
pub(crate) use sample::hash_listed;
pub use sample::{DecodedImage, Sample, listing_digest};
