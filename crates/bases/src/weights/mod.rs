//! The weights of a base: a safetensors file with the graph's tensors.

mod error;
mod floats;
mod recognition;
#[expect(clippy::arithmetic_side_effects, reason = "it writes, and the sides are a graph's")]
mod untrained;

#[cfg(test)]
mod damage;

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use convbase_core::{Digest, Hasher, Preprocess, check_distinct_keys};
use memmap2::Mmap;
use safetensors::SafeTensors;

pub use error::WeightsError;
use floats::{Float, outputs_first};
use recognition::Naming;
pub use untrained::write_untrained;

use crate::architecture::Architecture;
use crate::graph::Tensor;

/// A file of weights, mapped into memory: tensors are read when a plan needs them.
pub struct Weights {
    architecture: &'static Architecture,
    path: PathBuf,
    map: Mmap,
    /// One for each of the graph's tensors.
    stored: Vec<Stored>,
    digest: Digest,
    preprocess: Option<Preprocess>,
}

/// Numbers that are looked at at once: they stay in the processor's nearest memory.
const PIECE: usize = 1 << 12;

/// Where a tensor lies.
struct Stored {
    bytes: Range<usize>,
    float: Float,
    naming: Naming,
}

impl Stored {
    /// The tensor's bytes: the crate that read the header held all ranges against the file's length.
    fn of<'a>(&self, map: &'a [u8]) -> &'a [u8] {
        map.get(self.bytes.clone()).unwrap_or_default()
    }
}

impl Weights {
    /// Opens the weights of a base and reads them once, for their digest and to find numbers that are none.
    ///
    /// Tensors have Keras' names and shapes, or torchvision's where [`Architecture::torchvision_names`] knows them.
    /// float16, bfloat16 and float64 are turned into float32; other tensors of the file, such as a classifier's, are
    /// ignored. Every tensor that is missing, misshapen, mistyped or not finite is named in one error; a file of
    /// another base in one that names both.
    pub fn open(path: &Path, architecture: &'static Architecture) -> Result<Self, WeightsError> {
        let read = |source| WeightsError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        // SAFETY: the file is only read. Whoever changes it while a program runs changes what that program reads, and who
        // cuts it short ends the program; that is so for every mapped file.
        #[expect(unsafe_code, reason = "a mapping cannot be made safely")]
        let map = unsafe { Mmap::map(&file) }.map_err(read)?;

        let format = |source| WeightsError::Format { path: path.to_owned(), source };
        let file = SafeTensors::deserialize(&map).map_err(format)?;
        let (header, metadata) = SafeTensors::read_metadata(&map).map_err(format)?;
        let data = size_of::<u64>().saturating_add(header);
        // Of two tensors of one name a map would keep the last.
        check_distinct_keys(map.get(size_of::<u64>()..data).unwrap_or_default())
            .map_err(|source| WeightsError::Header { path: path.to_owned(), source })?;
        let preprocess = read_metadata(path, architecture, metadata.metadata().as_ref())?;
        if let Some(found) = recognition::better(architecture, &file) {
            return Err(another(path, architecture, found.name()));
        }

        let expected = recognition::expected(architecture, &file);
        let (mut problems, mut stored, mut hasher) = (Vec::new(), Vec::new(), Hasher::default());
        for (tensor, (name, shape)) in architecture.graph().tensors().iter().zip(&expected.tensors) {
            let found = metadata.info(name);
            let checked = match found {
                None => Err(format!("expected {shape:?}, found none")),
                Some(info) if info.shape != *shape => {
                    Err(format!("expected {shape:?}, found {:?}", info.shape))
                }
                Some(info) => Float::new(info.dtype)
                    .map(|float| (float, info.data_offsets))
                    .ok_or_else(|| format!("expected floating point, found {:?}", info.dtype)),
            };
            let added = checked.and_then(|(float, (begin, end))| {
                let bytes = data.saturating_add(begin)..data.saturating_add(end);
                let entry = Stored { bytes, float, naming: expected.naming };
                add(&mut hasher, &map, tensor, &entry)?;
                Ok(entry)
            });
            match added {
                Ok(entry) => stored.push(entry),
                Err(problem) => problems.push(format!("{name}: {problem}")),
            }
        }
        if !problems.is_empty() {
            return Err(WeightsError::Tensors { path: path.to_owned(), problems });
        }
        let path = path.to_owned();
        Ok(Self { architecture, path, map, stored, digest: hasher.finish(), preprocess })
    }

    /// The base that they are of.
    pub fn architecture(&self) -> &'static Architecture {
        self.architecture
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The digest over the little-endian float32 bytes of all the base's tensors, in the order of
    /// [`Graph::tensors`](crate::Graph::tensors), kernels as [out, in / groups, height, width]: what a spec calls
    /// `weights`. It does not depend on how the file names, orders or rounds them beyond float32.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The preprocessing that the weights were trained with, as the file's metadata says.
    pub fn preprocess(&self) -> Option<Preprocess> {
        self.preprocess
    }

    /// Whether the tensors have Keras' names, and so are most likely Keras' own.
    pub fn has_keras_names(&self) -> bool {
        self.stored.iter().all(|stored| stored.naming == Naming::Keras)
    }

    /// The numbers of the graph's tensor at `position` in its canonical shape.
    #[expect(
        clippy::indexing_slicing,
        reason = "the position is one of the graph's own tensors, each of which is stored"
    )]
    pub(crate) fn values(&self, position: usize) -> Vec<f32> {
        values(&self.map, &self.architecture.graph().tensors()[position], &self.stored[position])
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Weights");
        debug.field("architecture", &self.architecture).field("path", &self.path);
        debug.field("digest", &self.digest).field("preprocess", &self.preprocess).finish_non_exhaustive()
    }
}

fn values(map: &[u8], tensor: &Tensor, stored: &Stored) -> Vec<f32> {
    let numbers = stored.float.read(stored.of(map));
    match tensor.taps() {
        Some(taps) if stored.naming == Naming::Keras => outputs_first(&numbers, taps),
        _ => numbers,
    }
}

/// Adds a tensor to the digest; an error where its numbers are none. Only a kernel that must be turned is read whole.
fn add(hasher: &mut Hasher, map: &[u8], tensor: &Tensor, stored: &Stored) -> Result<(), String> {
    let may_be_negative = tensor.variable() != "moving_variance";
    if stored.naming == Naming::Keras && tensor.taps().is_some() {
        return values(map, tensor, stored)
            .chunks(PIECE)
            .try_for_each(|piece| add_piece(hasher, piece, may_be_negative));
    }
    let mut pieces = stored.of(map).chunks(PIECE.saturating_mul(stored.float.bytes()));
    pieces.try_for_each(|piece| add_piece(hasher, &stored.float.read(piece), may_be_negative))
}

fn add_piece(hasher: &mut Hasher, numbers: &[f32], may_be_negative: bool) -> Result<(), String> {
    // Not stopping at the first lets the compiler look at several at once.
    if !numbers.iter().fold(true, |all, number| all & number.is_finite()) {
        return Err("expected finite numbers, found an infinity or NaN".to_owned());
    }
    if let Some(negative) = numbers.iter().find(|&&number| !may_be_negative && number < 0.0) {
        return Err(format!("expected no variance below zero, found {negative}"));
    }
    let mut bytes = [0; PIECE * size_of::<f32>()];
    for (bytes, number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
        *bytes = number.to_le_bytes();
    }
    hasher.update(bytes.get(..size_of_val(numbers)).unwrap_or_default());
    Ok(())
}

fn read_metadata(
    path: &Path,
    architecture: &Architecture,
    metadata: Option<&HashMap<String, String>>,
) -> Result<Option<Preprocess>, WeightsError> {
    let get = |key| metadata.and_then(|metadata| metadata.get(key));
    if let Some(found) = get("architecture").filter(|found| *found != architecture.name()) {
        return Err(another(path, architecture, found));
    }
    let parsed = get("preprocess").map(|name| name.parse()).transpose();
    parsed.map_err(|source| WeightsError::Preprocess { path: path.to_owned(), source })
}

fn another(path: &Path, expected: &Architecture, found: &str) -> WeightsError {
    let (path, found) = (path.to_owned(), found.to_owned());
    WeightsError::Architecture { path, expected: expected.name(), found }
}
