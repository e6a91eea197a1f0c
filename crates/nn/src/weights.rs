//! The weights of VGG16's convolutional base, from a safetensors file with torchvision's tensor names.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use convbase_core::{ArtifactError, Digest, Hasher, Layer, Preprocess, write_artifact};
use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor};

use crate::TorchError;
use crate::randomness::seeded;
use crate::tensor_file::{float_bytes, serialize};

/// Thirteen convolutions' weights and biases, float32, and what is known of them.
#[derive(Debug)]
pub struct ConvBaseWeights {
    /// One per convolution, in order.
    convolutions: Vec<Convolution>,
    digest: Digest,
    preprocess: Option<Preprocess>,
}

#[derive(Debug)]
pub(crate) struct Convolution {
    /// [out, in, 3, 3]
    pub(crate) weight: Tensor,
    /// `[out]`
    pub(crate) bias: Tensor,
}

/// Weights that cannot be used.
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
    /// Tensors are missing or have another shape or type.
    #[error("weights `{}`: {problems}", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// Every problem, with expected and found.
        problems: String,
    },
    /// The metadata names another architecture or an unknown preprocessing.
    #[error("weights `{}`: metadata {field}: expected {expected}, found `{found}`", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// The metadata's key.
        field: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A tensor could not be made.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] ArtifactError),
}

impl ConvBaseWeights {
    /// Loads the convolutional base; other tensors of the file, such as a classifier's, are ignored. float16,
    /// bfloat16 and float64 are turned into float32.
    pub fn load(path: &Path) -> Result<Self, WeightsError> {
        let bytes = fs::read(path).map_err(|source| WeightsError::Read { path: path.to_owned(), source })?;
        let format = |source| WeightsError::Format { path: path.to_owned(), source };
        let file = SafeTensors::deserialize(&bytes).map_err(format)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(format)?;
        let preprocess = read_metadata(path, metadata.metadata().as_ref())?;

        let mut problems = Vec::new();
        let mut convolutions = Vec::new();
        let mut hasher = Hasher::default();
        for (index, layer) in convolution_layers() {
            let (inputs, outputs) = (layer.input_channels() as usize, layer.channels() as usize);
            let weight =
                find(&file, &format!("features.{index}.weight"), &[outputs, inputs, 3, 3], &mut problems)?;
            let bias = find(&file, &format!("features.{index}.bias"), &[outputs], &mut problems)?;
            if let (Some(weight), Some(bias)) = (weight, bias) {
                for tensor in [&weight, &bias] {
                    hasher.update(&float_bytes(tensor)?);
                }
                convolutions.push(Convolution { weight, bias });
            }
        }
        if !problems.is_empty() {
            return Err(WeightsError::Tensors { path: path.to_owned(), problems: problems.join("; ") });
        }
        Ok(Self { convolutions, digest: hasher.finish(), preprocess })
    }

    /// Writes a file of weights that were never trained (He-normal, zero biases; He et al. 2015): a conv base for
    /// tests and trials where the real weights are not at hand. Equal seeds write equal bytes.
    pub fn write_untrained(path: &Path, seed: u64, preprocess: Preprocess) -> Result<(), WeightsError> {
        let draw = |layer: Layer| -> Result<Vec<u8>, TorchError> {
            let deviation = (2.0 / f64::from(9 * layer.input_channels())).sqrt();
            let size = [i64::from(layer.channels()), i64::from(layer.input_channels()), 3, 3];
            let weight = Tensor::f_randn(size, (Kind::Float, tch::Device::Cpu))?;
            float_bytes(&weight.f_mul_scalar(deviation)?)
        };
        let drawn: Vec<Vec<u8>> =
            seeded(seed, || convolution_layers().map(|(_, layer)| draw(layer)).collect::<Result<_, _>>())?;
        let mut tensors = Vec::new();
        for ((index, layer), weight) in convolution_layers().zip(drawn) {
            let (inputs, outputs) = (layer.input_channels() as usize, layer.channels() as usize);
            tensors.push((format!("features.{index}.weight"), vec![outputs, inputs, 3, 3], weight));
            tensors.push((format!("features.{index}.bias"), vec![outputs], vec![0; outputs * 4]));
        }
        let bytes = serialize(&tensors, "preprocess", preprocess.to_string())
            .map_err(|source| WeightsError::Format { path: path.to_owned(), source })?;
        Ok(write_artifact(path, &bytes)?)
    }

    /// The digest over the float32 bytes of weight and bias, layer by layer: what a spec calls `weights`.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The preprocessing that the weights were trained with, as their metadata says.
    pub fn preprocess(&self) -> Option<Preprocess> {
        self.preprocess
    }

    pub(crate) fn convolutions(&self) -> &[Convolution] {
        &self.convolutions
    }
}

/// `weights/vgg16.safetensors` under the working directory, else under a folder above the running program.
pub fn default_weights() -> PathBuf {
    let relative = Path::new("weights/vgg16.safetensors");
    let program = std::env::current_exe().ok();
    let above = program.iter().flat_map(|program| program.ancestors().skip(1));
    let candidates = above.map(|folder| folder.join(relative));
    if relative.exists() {
        return relative.to_owned();
    }
    candidates.into_iter().find(|path| path.exists()).unwrap_or_else(|| relative.to_owned())
}

/// The convolutions with their position in torchvision's `features`, where every convolution is followed by its
/// ReLU and every pooling counts as well.
fn convolution_layers() -> impl Iterator<Item = (usize, Layer)> {
    let mut index = 0;
    Layer::all().filter_map(move |layer| {
        let position = index;
        index += if layer.is_pool() { 1 } else { 2 };
        (!layer.is_pool()).then_some((position, layer))
    })
}

fn find(
    file: &SafeTensors,
    name: &str,
    shape: &[usize],
    problems: &mut Vec<String>,
) -> Result<Option<Tensor>, TorchError> {
    let Ok(view) = file.tensor(name) else {
        problems.push(format!("{name}: expected {shape:?}, found none"));
        return Ok(None);
    };
    let kind = match view.dtype() {
        Dtype::F32 => Kind::Float,
        Dtype::F64 => Kind::Double,
        Dtype::F16 => Kind::Half,
        Dtype::BF16 => Kind::BFloat16,
        other => {
            problems.push(format!("{name}: expected floating point, found {other:?}"));
            return Ok(None);
        }
    };
    if view.shape() != shape {
        problems.push(format!("{name}: expected {shape:?}, found {:?}", view.shape()));
        return Ok(None);
    }
    let size: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
    let tensor = Tensor::f_from_data_size(view.data(), &size, kind)?.f_to_kind(Kind::Float)?;
    if !tensor.f_isfinite()?.f_all()?.f_int64_value(&[]).is_ok_and(|all| all == 1) {
        problems.push(format!("{name}: expected finite numbers, found an infinity or NaN"));
    }
    Ok(Some(tensor))
}

fn read_metadata(
    path: &Path,
    metadata: Option<&HashMap<String, String>>,
) -> Result<Option<Preprocess>, WeightsError> {
    let error = |field, expected: String, found: &str| WeightsError::Metadata {
        path: path.to_owned(),
        field,
        expected,
        found: found.to_owned(),
    };
    let get = |key| metadata.and_then(|metadata| metadata.get(key));
    if let Some(found) = get("architecture").filter(|found| *found != "vgg16") {
        return Err(error("architecture", "vgg16".into(), found));
    }
    get("preprocess")
        .map(|name| name.parse().map_err(|_| error("preprocess", Preprocess::NAMES.join(", "), name)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    #[test]
    fn convolutions_stand_where_torchvision_puts_them() {
        let indices: Vec<usize> = convolution_layers().map(|(index, _)| index).collect();
        assert_eq!(indices, [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]);
    }

    #[test]
    fn untrained_weights_load_and_depend_on_their_seed_alone() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |name: &str, seed| {
            let path = folder.path().join(name);
            ConvBaseWeights::write_untrained(&path, seed, Preprocess::Torch).unwrap();
            let weights = ConvBaseWeights::load(&path).unwrap();
            assert_eq!(weights.preprocess(), Some(Preprocess::Torch));
            weights.digest()
        };
        let first = digest("a", 1);
        assert_eq!(first, digest("b", 1));
        assert_ne!(first, digest("c", 2));
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), fs::read(folder.path().join("b")).unwrap());
    }

    #[test]
    fn every_missing_misshapen_or_mistyped_tensor_is_named_in_one_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let (float, bias) = (vec![0; 64 * 3 * 9 * 4], vec![0; 64]);
        let views = [
            ("features.0.weight", TensorView::new(Dtype::F32, vec![64, 27, 1, 1], &float).unwrap()),
            ("features.0.bias", TensorView::new(Dtype::U8, vec![64], &bias).unwrap()),
        ];
        write_artifact(&path, &safetensors::serialize(views, None).unwrap()).unwrap();
        let error = ConvBaseWeights::load(&path).unwrap_err().to_string();
        assert!(error.contains("features.0.weight: expected [64, 3, 3, 3], found [64, 27, 1, 1]"), "{error}");
        assert!(error.contains("features.0.bias: expected floating point, found U8"), "{error}");
        assert!(error.contains("features.28.bias: expected [512], found none"), "{error}");
        assert!(!error.contains('\n'));
    }
}
