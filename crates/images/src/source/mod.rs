//! Labelled image folders: `DIR/<class>/<any folders>/<photograph>`.

mod folder;
mod photographs;

pub use folder::ImageFolder;
pub use photographs::{DatasetError, Photographs, photographs};
