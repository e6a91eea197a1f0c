//! What can be wrong with a file of weights.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use convbase_core::{ArtifactError, Preprocess};

/// Weights that cannot be used, or not be written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file could not be read.
    #[error("cannot read weights `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no safetensors file.
    #[error("weights `{}`: expected a safetensors file", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// The file's header names a tensor twice.
    #[error("weights `{}`: header", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What stands twice.
        #[source]
        source: serde_json::Error,
    },
    /// The metadata or the tensors are those of another base.
    #[error("weights `{}`: expected those of {expected}, found those of {found}", path.display())]
    Architecture {
        /// The file.
        path: PathBuf,
        /// The base that was asked for.
        expected: &'static str,
        /// The base that they are of.
        found: String,
    },
    /// The metadata names no known preprocessing.
    #[error("weights `{}`: metadata", path.display())]
    Preprocess {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        #[source]
        source: <Preprocess as FromStr>::Err,
    },
    /// Tensors are missing, have another shape or type, or numbers that are none.
    #[error("weights `{}`: {}", path.display(), problems.join("; "))]
    Tensors {
        /// The file.
        path: PathBuf,
        /// Every problem, with expected and found.
        problems: Vec<String>,
    },
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] ArtifactError),
}
