//! Folders that are no labelled image folders.

use std::io;
use std::path::{Path, PathBuf};

use convbase_core::ClassesError;

use super::names::SUFFIXES;

/// A folder that is no labelled image folder.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A folder or file could not be listed.
    #[error("cannot list `{}`", path.display())]
    List {
        /// What could not be listed.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder has no sub-folders.
    #[error("`{}`: expected one folder per class, found none", path.display())]
    NoClasses {
        /// The folder.
        path: PathBuf,
    },
    /// The sub-folders are the parts of a data set.
    #[error("`{}`: expected one folder per class, found the parts of a data set: {parts}", path.display())]
    Parts {
        /// The folder.
        path: PathBuf,
        /// Their names.
        parts: String,
    },
    /// No photograph was found under any class.
    #[error("`{}`: expected photographs ({}) under {classes}, found none", path.display(), SUFFIXES.join(" "))]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// The class folders that were looked into, and what lies there.
        classes: String,
    },
    /// Some classes have no photographs.
    #[error("`{}`: expected photographs of every class, found none of {classes}", path.display())]
    EmptyClasses {
        /// The folder.
        path: PathBuf,
        /// The classes, and what is there instead.
        classes: String,
    },
    /// The class list is not valid.
    #[error("`{}`", path.display())]
    Classes {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: ClassesError,
    },
    /// Names cannot be written into a manifest.
    #[error("`{}`: expected names in UTF-8, found {names}", path.display())]
    NotUnicode {
        /// The folder.
        path: PathBuf,
        /// The photographs and class folders below it, with the bytes that are no text written out.
        names: String,
    },
    /// A link leads back to a folder it lies in.
    #[error("`{}`: expected no link back to a folder above", path.display())]
    Loop {
        /// The link.
        path: PathBuf,
    },
    /// Several of these at once.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<DatasetError>),
}

impl DatasetError {
    /// One error for all that is wrong; `None` where nothing is.
    pub(super) fn of(mut problems: Vec<Self>) -> Option<Self> {
        match problems.len() {
            0 | 1 => problems.pop(),
            _ => Some(Self::Several(problems)),
        }
    }

    /// What could not be walked.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::List { path, .. } | Self::Loop { path } => Some(path),
            _ => None,
        }
    }

    /// What helps, one line.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NoClasses { .. } => "photographs lie in DIR/CLASS/…: one folder per class",
            Self::Parts { .. } => {
                "give one of them, for instance `--images DIR/train`; if they are classes, name them with `--classes`"
            }
            Self::NoImages { .. } => "convert other formats to JPEG or PNG first",
            Self::EmptyClasses { .. } => {
                "is a disk missing, or are the files of another format? `--allow-empty-class` goes on without them"
            }
            Self::NotUnicode { .. } => "rename them: `convmv` turns the names of a whole folder into UTF-8",
            Self::Loop { .. } => "remove the link",
            Self::List { .. } | Self::Classes { .. } => return None,
            Self::Several(all) => {
                let remedies: Vec<String> = all.iter().filter_map(Self::remedy).collect();
                return (!remedies.is_empty()).then(|| remedies.join("; "));
            }
        };
        Some(text.to_owned())
    }
}
