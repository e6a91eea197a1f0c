//! Checkpoints: a head's tensors and everything needed to use them, in one safetensors file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use convbase_core::store::FeatureStore;
use convbase_core::{ArtifactError, Classes, Differences, Digest, FeatureSpec, Hasher, Views, differences};
use pulp::bytemuck::cast_slice;
use serde::{Deserialize, Serialize};
use tch::Device;

use crate::head::{BackEnd, Computed};
use crate::tensor_file::{Content, NamedBytes, bytes_of, not_finite, read_float};
use crate::{Head, HeadShape, TorchError};

const HEAD: Content = Content { key: "convbase", format: "convbase-head/1", what: "head" };

/// What a checkpoint says of its head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointMetadata {
    /// The features that the head was trained on.
    pub spec: FeatureSpec,
    /// The classes in the order of its outputs.
    pub classes: Classes,
    /// The sizes of its tensors.
    pub head: HeadShape,
    /// The epoch it was saved after, from 1.
    pub epoch: u32,
    /// The mean cross-entropy on the validation rows.
    pub val_loss: f64,
    /// The share of validation rows that were right.
    pub val_accuracy: f64,
    /// The digest of the layers of the base that belong to the head, over their little-endian float32 bytes, weight
    /// then bias, layer by layer. Set when a checkpoint is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail_weights: Option<Digest>,
    /// The views of the photographs that it was trained on, where they had several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Views>,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    format: String,
    #[serde(flatten)]
    metadata: CheckpointMetadata,
}

/// A checkpoint that was read.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    metadata: CheckpointMetadata,
    head: Head,
    sha256: Digest,
}

/// A checkpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file could not be read.
    #[error("cannot read checkpoint `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no safetensors file.
    #[error("checkpoint `{}`: expected a safetensors file", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// The file's header names a tensor twice.
    #[error("checkpoint `{}`: header", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What stands twice.
        #[source]
        source: serde_json::Error,
    },
    /// The file is a safetensors file, but no checkpoint, or another kind of it.
    #[error("checkpoint `{}`: metadata `{key}`: expected a {format} {what}, found none", path.display())]
    NoMetadata {
        /// The file.
        path: PathBuf,
        /// The metadata's key.
        key: &'static str,
        /// The format that it should name.
        format: &'static str,
        /// What it should describe.
        what: &'static str,
    },
    /// The metadata cannot be read.
    #[error("checkpoint `{}`: metadata `{key}`", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// The metadata's key.
        key: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The metadata or tensors contradict one another.
    #[error("checkpoint `{}`: {problems}", path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// Every problem, with expected and found.
        problems: String,
    },
    /// A training that an older version began.
    #[error(
        "checkpoint `{}`: format: expected {expected}, found {found}, whose random numbers were others",
        path.display()
    )]
    OlderTraining {
        /// The file.
        path: PathBuf,
        /// The format of this version.
        expected: &'static str,
        /// The format of the file.
        found: String,
    },
    /// A head that a training drove out of all numbers.
    #[error("checkpoint `{}`: {tensor}: expected finite numbers, found {found}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// An infinity or NaN.
        found: f32,
    },
    /// A tensor could not be made.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] ArtifactError),
}

/// A checkpoint and a store that do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot use checkpoint `{}` with features `{}`: {differences}",
    checkpoint.display(),
    features.display()
)]
pub struct Mismatch {
    checkpoint: PathBuf,
    features: PathBuf,
    /// Expected is the checkpoint's, found the store's.
    pub differences: Differences,
}

impl Checkpoint {
    /// Writes a head with its metadata, whole or not at all. Equal heads make equal bytes.
    pub fn save(path: &Path, head: &Head, metadata: &CheckpointMetadata) -> Result<(), CheckpointError> {
        match &head.computed {
            Computed::Host(head) => save_head(path, head, metadata),
            Computed::Torch(head) => save_head(path, head, metadata),
        }
    }

    /// Reads a checkpoint onto a device.
    pub fn load(path: &Path, device: Device) -> Result<Self, CheckpointError> {
        let bytes =
            fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
        let (file, envelope): (_, Envelope) = HEAD.parse(path, &bytes)?;
        let metadata = envelope.metadata;
        let mut problems = Vec::new();
        let tensors = metadata.head.tensors();
        let parameters = tensors.map(|tensor| read_float(&file, &tensor.name, tensor.size, &mut problems));
        let mut check = |name: &str, expected: String, found: String| {
            if expected != found {
                problems.push(format!("{name}: expected {expected}, found {found}"));
            }
        };
        check("format", HEAD.format.to_owned(), envelope.format);
        let features = metadata.spec.shape.length();
        check("head.features", features.to_string(), metadata.head.stored().to_string());
        check("head.classes", metadata.classes.len().to_string(), metadata.head.classes.to_string());
        let text = |digest: Option<Digest>| digest.map_or("none".to_owned(), |digest| digest.to_string());
        let numbers = parameters.as_ref().in_order().map(|tensor| cast_slice(&tensor.numbers));
        check("tail_weights", text(tail_digest(&metadata.head, numbers)), text(metadata.tail_weights));
        if metadata.classes.len() < 2 {
            problems.push(format!("classes: expected at least 2, found {}", metadata.classes.len()));
        }
        problems.extend(metadata.head.input.problems(metadata.head.features));
        if !problems.is_empty() {
            return Err(CheckpointError::Contradiction {
                path: path.to_owned(),
                problems: problems.join("; "),
            });
        }
        for (tensor, array) in metadata.head.tensors().in_order().zip(parameters.as_ref().in_order()) {
            check_finite(path, &tensor.name, &array.numbers)?;
        }
        let head = Head::from_parameters(metadata.head.clone(), parameters, device)?;
        Ok(Self { path: path.to_owned(), metadata, head, sha256: Digest::of(&bytes) })
    }

    /// What the checkpoint says of its head.
    pub fn metadata(&self) -> &CheckpointMetadata {
        &self.metadata
    }

    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The digest of the file.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// Checks that a store holds the features that the head was trained on, field by field.
    pub fn check_features(&self, store: &FeatureStore) -> Result<(), Mismatch> {
        let differences = differences(&self.metadata.spec, store.manifest().spec());
        if differences.is_empty() {
            return Ok(());
        }
        let features = store.folder().to_owned();
        Err(Mismatch { checkpoint: self.path.clone(), features, differences })
    }
}

/// Writes a head of one back end with its metadata.
pub(crate) fn save_head<B: BackEnd>(
    path: &Path,
    head: &B,
    metadata: &CheckpointMetadata,
) -> Result<(), CheckpointError> {
    let named = head.shape().tensors().in_order().zip(head.parameters().as_ref().in_order());
    let tensors = named
        .map(|(tensor, array)| {
            let numbers = B::numbers(array)?;
            check_finite(path, &tensor.name, &numbers)?;
            Ok((tensor.name, tensor.size, bytes_of(numbers)))
        })
        .collect::<Result<Vec<NamedBytes>, CheckpointError>>()?;
    let tail = tail_digest(head.shape(), tensors.iter().map(|(_, _, bytes)| &bytes[..]));
    let metadata = CheckpointMetadata { tail_weights: tail, ..metadata.clone() };
    let envelope = Envelope { format: HEAD.format.to_owned(), metadata };
    HEAD.write(path, &tensors, &envelope)
}

/// Nothing follows from a head that is not finite, and a file of one must not look like any other.
fn check_finite(path: &Path, tensor: &str, numbers: &[f32]) -> Result<(), CheckpointError> {
    not_finite(numbers).map_or(Ok(()), |found| {
        Err(CheckpointError::NotFinite { path: path.to_owned(), tensor: tensor.to_owned(), found })
    })
}

/// The digest of the first tensors: those of the tail, where there is one.
fn tail_digest<'a>(shape: &HeadShape, tensors: impl Iterator<Item = &'a [u8]>) -> Option<Digest> {
    let count = shape.tensors().tail.len().saturating_mul(2);
    let mut hasher = Hasher::default();
    tensors.take(count).for_each(|bytes| hasher.update(bytes));
    (count > 0).then(|| hasher.finish())
}

#[cfg(test)]
mod tests;
