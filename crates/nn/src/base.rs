//! A conv base as a user names it: one of the catalogue with its weights, or an ONNX file.

use std::path::{Path, PathBuf};

use convbase_bases::{
    Architecture, Behind, Choices, ChoicesError, GraphError, Plan, PlanError, UnknownArchitecture, Weights,
    WeightsError, architecture,
};
use convbase_core::{Digest, FeatureSpec, ImageSize, Interpolation, Precision, Preprocess, PreprocessError};
use tch::Device;

use crate::TorchError;
use crate::engine::{EngineError, OnnxError, OnnxModel};

/// What a spec calls the architecture of an ONNX file: the digest tells one from another.
const ONNX: &str = "onnx";

/// A network whose layers can be extracted, with its weights.
#[derive(Debug)]
pub struct Base {
    source: Source,
}

#[derive(Debug)]
pub(crate) enum Source {
    Catalogue { architecture: &'static Architecture, weights: Weights },
    Onnx(Box<OnnxModel>),
}

/// A base that cannot be used, or not so.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The name is no base's.
    #[error(transparent)]
    Unknown(#[from] UnknownArchitecture),
    /// The weights cannot be used.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The layer or the size is none of the base.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// No plan can be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The ONNX file cannot be used.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// A pass cannot be made ready.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// No engine has the arithmetic.
    #[error(transparent)]
    Engine(EngineError),
    /// No features can be made so.
    #[error(transparent)]
    Choices(#[from] ChoicesError),
    /// The metadata of an ONNX file cannot be computed with.
    #[error("`{}`: metadata", path.display())]
    Preprocess {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: PreprocessError,
    },
    /// An ONNX file's layers cannot be trained.
    #[error("`{}`: expected a base of the catalogue, whose layers can be trained, found an ONNX file", path.display())]
    OnnxTail {
        /// The file.
        path: PathBuf,
    },
    /// ONNX files are computed in float32, on the processor.
    #[error("`{}`: an ONNX file is computed in fp32 on the processor, found {found}", path.display())]
    OnnxOn {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        found: String,
    },
}

impl From<EngineError> for BaseError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Torch(error) => Self::Torch(error),
            EngineError::Int8 { .. } => Self::Engine(error),
            EngineError::Onnx(error) => Self::Onnx(error),
        }
    }
}

impl Base {
    /// Opens the base that a name or the path of an `.onnx` file means. A name's weights are those in `weights`, or
    /// [`default_weights`]; an ONNX file holds its own.
    pub fn open(name: &str, weights: Option<&Path>) -> Result<Self, BaseError> {
        if is_onnx_file(name) {
            return Self::open_onnx(Path::new(name));
        }
        let architecture = architecture(name)?;
        let path = weights.map_or_else(|| default_weights(name), Path::to_owned);
        Ok(Self { source: Source::Catalogue { architecture, weights: Weights::open(&path, architecture)? } })
    }

    /// Opens the base that a spec names. `weights` is a file of weights, or the ONNX file.
    pub fn of_spec(spec: &FeatureSpec, weights: Option<&Path>) -> Result<Self, BaseError> {
        match weights {
            Some(path) if is_onnx_spec(spec) => Self::open_onnx(path),
            // Without its file an ONNX base is as unknown as any other name.
            _ => Self::open(&spec.architecture, weights),
        }
    }

    fn open_onnx(path: &Path) -> Result<Self, BaseError> {
        let model = Box::new(OnnxModel::open(path)?);
        Ok(Self { source: Source::Onnx(model) })
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The name that a spec has for it.
    pub fn architecture(&self) -> &str {
        match &self.source {
            Source::Catalogue { architecture, .. } => architecture.name(),
            Source::Onnx(_) => ONNX,
        }
    }

    /// The file with its weights.
    pub fn path(&self) -> &Path {
        match &self.source {
            Source::Catalogue { weights, .. } => weights.path(),
            Source::Onnx(model) => model.path(),
        }
    }

    /// What a spec calls `weights`: the digest of the tensors, or of the ONNX file.
    pub fn digest(&self) -> Digest {
        match &self.source {
            Source::Catalogue { weights, .. } => weights.digest(),
            Source::Onnx(model) => model.digest(),
        }
    }

    /// What the weights were trained with, as their file says, or as is true of all that Keras publishes.
    pub fn preprocess(&self) -> Result<Option<Preprocess>, BaseError> {
        match &self.source {
            // torchvision has several trainings of a network under the same names: nobody knows which this is.
            Source::Catalogue { architecture, weights } => Ok(weights
                .preprocess()
                .or_else(|| weights.has_keras_names().then(|| architecture.preprocess()))),
            Source::Onnx(model) => model
                .preprocess()
                .map_err(|source| BaseError::Preprocess { path: model.path().to_owned(), source }),
        }
    }

    /// The layer that is extracted where none is given.
    pub fn default_layer(&self) -> &str {
        match &self.source {
            Source::Catalogue { architecture, .. } => architecture.default_layer(),
            Source::Onnx(model) => model.default_layer(),
        }
    }

    /// The size where none is given. `None` for an ONNX file that takes every size and names none.
    pub fn default_image_size(&self) -> Option<ImageSize> {
        match &self.source {
            Source::Catalogue { architecture, .. } => Some(architecture.default_image_size()),
            Source::Onnx(model) => model.fixed_size().or(model.metadata().size),
        }
    }

    /// How photographs are resized where nothing is said, as an ONNX file may know.
    pub fn default_interpolation(&self) -> Option<Interpolation> {
        match &self.source {
            Source::Catalogue { .. } => None,
            Source::Onnx(model) => model.metadata().interpolation,
        }
    }

    /// Sizes, in pixels, at which no map is shifted, where that of the images shifts some.
    pub fn natural_sides(&self, layer: &str, size: ImageSize) -> Result<Option<Vec<u32>>, BaseError> {
        let Source::Catalogue { architecture, .. } = &self.source else { return Ok(None) };
        let graph = architecture.graph();
        if !graph.shifts(layer, size)? {
            return Ok(None);
        }
        Ok(Some(graph.natural_sides(layer, size.height().max(size.width()))?))
    }

    /// The spec of the features that these choices make. Refuses layers that are not there and sizes that are too small.
    pub fn spec(&self, choices: Choices) -> Result<FeatureSpec, BaseError> {
        match &self.source {
            Source::Catalogue { architecture, .. } => Ok(architecture.spec(self.digest(), choices)?),
            Source::Onnx(model) => {
                let sides = model.describe(&choices.layer, choices.image_size)?;
                Ok(choices.into_spec(ONNX, self.digest(), sides)?)
            }
        }
    }

    /// The layers behind `layer` up to that of `spec`, which is one that this base makes.
    pub fn behind(&self, spec: &FeatureSpec, layer: &str) -> Result<Behind, BaseError> {
        let Source::Catalogue { architecture, weights } = &self.source else {
            return Err(BaseError::OnnxTail { path: self.path().to_owned() });
        };
        let plan = Plan::new(architecture, weights, &spec.layer, spec.image_size, spec.preprocess)?;
        Ok(plan.behind(layer)?)
    }

    /// What `--precision auto` means for this base on a device.
    pub fn native_precision(&self, device: Device) -> Precision {
        match &self.source {
            Source::Catalogue { .. } => crate::ConvBase::native_precision(device),
            Source::Onnx(_) => Precision::Float32,
        }
    }

    /// Where this base is computed when nothing is said of the device, and of the precision what is given.
    pub fn default_device(&self, device: Device, precision: Option<Precision>) -> Device {
        match &self.source {
            Source::Catalogue { .. } if precision != Some(Precision::Int8) => device,
            Source::Catalogue { .. } | Source::Onnx(_) => Device::Cpu,
        }
    }

    /// Refuses an arithmetic that this base, or the device, does not have.
    pub fn check(&self, precision: Precision, device: Device) -> Result<(), BaseError> {
        if matches!(self.source, Source::Catalogue { .. }) {
            return Ok(crate::ConvBase::check(precision, device)?);
        }
        let found = match (precision, device) {
            (Precision::Float32, Device::Cpu) => return Ok(()),
            (Precision::Float32, device) => format!("{device:?}"),
            (precision, _) => precision.to_string(),
        };
        Err(BaseError::OnnxOn { path: self.path().to_owned(), found })
    }
}

/// Whether a base is named by the path of an ONNX file.
pub fn is_onnx_file(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case(ONNX))
}

/// Whether the base that a spec names is an ONNX file.
pub fn is_onnx_spec(spec: &FeatureSpec) -> bool {
    spec.architecture == ONNX
}

/// `weights/NAME.safetensors` under the working directory, else under a folder above the running program.
pub fn default_weights(name: &str) -> PathBuf {
    let relative = Path::new("weights").join(format!("{name}.safetensors"));
    if relative.exists() {
        return relative;
    }
    let program = std::env::current_exe().ok();
    let above = program.iter().flat_map(|program| program.ancestors().skip(1));
    above.map(|folder| folder.join(&relative)).find(|path| path.exists()).unwrap_or(relative)
}
