//! What a data set is: classes, labels, and photographs in a fixed order.

mod classes;
mod exclusions;
mod label;
mod sample;
mod views;

pub use classes::{Classes, ClassesError};
pub use exclusions::{Exclusions, ExclusionsError};
pub use label::Label;
pub(crate) use sample::hash_listed;
pub use sample::{DecodedImage, Sample, listing_digest};
pub use views::{FillMode, Views, ViewsError};
