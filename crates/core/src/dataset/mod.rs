//! Labelled image folders: `DIR/<class>/<any folders>/<photograph>`.

mod classes;
mod folder;
mod photographs;

pub use classes::{Classes, ClassesError, Label};
pub(crate) use folder::hash_listed;
pub use folder::{ImageFolder, Sample, listing_digest};
pub use photographs::{DatasetError, Photographs, photographs};
