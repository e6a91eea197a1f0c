//! Reading and writing float32 tensors in safetensors files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use convbase_core::{check_distinct_keys, write_artifact};
use pulp::bytemuck::cast_slice;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::CheckpointError;

/// A float32 tensor in the processor's memory.
#[derive(Debug, Clone)]
pub(crate) struct FloatTensor {
    pub(crate) size: Vec<usize>,
    /// In C order.
    pub(crate) numbers: Vec<f32>,
}

impl FloatTensor {
    pub(crate) fn zeros(size: Vec<usize>) -> Self {
        Self { numbers: vec![0.0; size.iter().product()], size }
    }
}

/// A tensor's name, shape and little-endian float32 bytes.
pub(crate) type NamedBytes<'a> = (String, Vec<usize>, Cow<'a, [u8]>);

/// The bytes of a file with these tensors and one entry of metadata: the order of several would change from run to
/// run.
pub(crate) fn serialize<B: AsRef<[u8]>>(
    tensors: &[(String, Vec<usize>, B)],
    key: &str,
    value: String,
) -> Result<Vec<u8>, SafeTensorError> {
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes.as_ref())?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    safetensors::serialize(views, Some(HashMap::from([(key.to_owned(), value)])))
}

/// What a file holds besides its tensors: one entry of metadata, in JSON.
pub(crate) struct Content {
    /// The entry's name.
    pub(crate) key: &'static str,
    /// What its `format` is.
    pub(crate) format: &'static str,
    /// What it describes, for messages.
    pub(crate) what: &'static str,
}

impl Content {
    /// Writes tensors and their metadata, whole or not at all.
    pub(crate) fn write(
        &self,
        path: &Path,
        tensors: &[NamedBytes],
        metadata: &impl Serialize,
    ) -> Result<(), CheckpointError> {
        let json = serde_json::to_string(metadata).map_err(|source| self.unreadable(path, source))?;
        let bytes = serialize(tensors, self.key, json)
            .map_err(|source| CheckpointError::Format { path: path.to_owned(), source })?;
        Ok(write_artifact(path, &bytes)?)
    }

    /// The tensors and the metadata in a file's bytes.
    pub(crate) fn parse<'a, M: DeserializeOwned>(
        &self,
        path: &Path,
        bytes: &'a [u8],
    ) -> Result<(SafeTensors<'a>, M), CheckpointError> {
        let format = |source| CheckpointError::Format { path: path.to_owned(), source };
        let tensors = SafeTensors::deserialize(bytes).map_err(format)?;
        let (length, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        // Of two tensors of one name a map would keep the last.
        let text = bytes.get(size_of::<u64>()..).and_then(|rest| rest.get(..length)).unwrap_or_default();
        check_distinct_keys(text)
            .map_err(|source| CheckpointError::Header { path: path.to_owned(), source })?;
        let json = header.metadata().as_ref().and_then(|metadata| metadata.get(self.key));
        let Self { key, format, what } = *self;
        let missing = || CheckpointError::NoMetadata { path: path.to_owned(), key, format, what };
        let json = json.ok_or_else(missing)?;
        let metadata = serde_json::from_str(json).map_err(|source| self.unreadable(path, source))?;
        Ok((tensors, metadata))
    }

    fn unreadable(&self, path: &Path, source: serde_json::Error) -> CheckpointError {
        CheckpointError::Metadata { path: path.to_owned(), key: self.key, source }
    }
}

/// The bytes of numbers as they lie in memory: the supported processors are little-endian.
pub(crate) fn bytes_of(numbers: Cow<'_, [f32]>) -> Cow<'_, [u8]> {
    match numbers {
        Cow::Borrowed(numbers) => Cow::Borrowed(cast_slice(numbers)),
        Cow::Owned(numbers) => Cow::Owned(cast_slice(&numbers).to_vec()),
    }
}

/// The first number that is an infinity or NaN.
pub(crate) fn not_finite(numbers: &[f32]) -> Option<f32> {
    // Not stopping at the first lets the compiler look at several at once.
    if numbers.iter().fold(true, |all, number| all & number.is_finite()) {
        return None;
    }
    numbers.iter().copied().find(|number| !number.is_finite())
}

/// A float32 tensor of this name and size, or one more problem and no numbers.
pub(crate) fn read_float(
    file: &SafeTensors,
    name: &str,
    size: Vec<usize>,
    problems: &mut Vec<String>,
) -> FloatTensor {
    let mut numbers = Vec::new();
    match file.tensor(name) {
        Err(_) => problems.push(format!("{name}: expected F32 {size:?}, found none")),
        Ok(view) if view.dtype() != Dtype::F32 || view.shape() != size => {
            let found = format!("{:?} {:?}", view.dtype(), view.shape());
            problems.push(format!("{name}: expected F32 {size:?}, found {found}"));
        }
        Ok(view) => numbers.extend(view.data().as_chunks().0.iter().map(|one| f32::from_le_bytes(*one))),
    }
    FloatTensor { size, numbers }
}
