//! Where photographs come from: labelled folders.

mod error;
mod folder;
mod names;
mod own;
mod photographs;
mod survey;
mod walk;

pub use error::DatasetError;
pub use folder::ImageFolder;
pub use photographs::{LeftOut, Photographs, photographs};
pub use survey::{ClassFound, Excluded, Survey};
