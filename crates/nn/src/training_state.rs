//! `last.safetensors`: everything that is needed to go on with a training exactly.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, TchError, Tensor};

use crate::tensor_file::{Content, float_bytes, read_float};
use crate::training::BegunEpoch;
use crate::{CheckpointError, Head, HeadShape, Optimizer, OptimizerKind, TorchError};

const TRAINING: Content = Content { key: "convbase-training", format: "convbase-training/1", what: "state" };

/// A training between two steps. What is random in a step depends on seed, epoch and step alone, so this is all.
#[derive(Debug)]
pub struct TrainingState {
    /// The head.
    pub head: Head,
    /// The optimizer with its moments.
    pub optimizer: Optimizer,
    /// The last epoch that was finished.
    pub epoch: u32,
    /// How far the next one is.
    pub begun: BegunEpoch,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    format: String,
    head: HeadShape,
    optimizer: OptimizerKind,
    steps: i32,
    epoch: u32,
    begun: BegunEpoch,
}

impl TrainingState {
    /// A training that has not begun.
    pub fn begin(
        shape: HeadShape,
        kind: OptimizerKind,
        learning_rate: f64,
        seed: u64,
        device: Device,
    ) -> Result<Self, TorchError> {
        let head = Head::new(shape, seed, device)?;
        let optimizer = Optimizer::new(kind, learning_rate, head.parameters())?;
        Ok(Self { head, optimizer, epoch: 0, begun: BegunEpoch::default() })
    }

    /// Counts the epoch that was trained as finished.
    pub fn finish_epoch(&mut self) {
        self.epoch += 1;
        self.begun = BegunEpoch::default();
    }

    /// A copy in the processor's memory that does not change when the training goes on.
    pub fn snapshot(&self) -> Result<Self, TorchError> {
        let copy = |tensors: &[Tensor]| {
            tensors
                .iter()
                .map(|tensor| tensor.f_detach()?.f_internal_to_copy((Kind::Float, Device::Cpu), false))
                .collect::<Result<Vec<_>, TchError>>()
        };
        let optimizer = &self.optimizer;
        let moments = optimizer.moments().iter().map(|moments| copy(moments)).collect::<Result<_, _>>()?;
        Ok(Self {
            head: Head::from_tensors(self.head.shape(), copy(self.head.parameters())?, Device::Cpu)?,
            optimizer: optimizer.with_moments(moments),
            ..*self
        })
    }

    /// Writes head, moments, steps, epoch and what is begun of the next one, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let mut tensors = Vec::new();
        let shape = self.head.shape();
        let parameters = self.head.parameters().iter().zip(self.optimizer.moments());
        for ((name, size), (parameter, moments)) in shape.tensors().into_iter().zip(parameters) {
            tensors.push((name.to_owned(), size.clone(), float_bytes(parameter)?));
            for (slot, moment) in moments.iter().enumerate() {
                tensors.push((moment_name(name, slot), size.clone(), float_bytes(moment)?));
            }
        }
        let metadata = Metadata {
            format: TRAINING.format.to_owned(),
            head: shape,
            optimizer: self.optimizer.kind(),
            steps: self.optimizer.steps(),
            epoch: self.epoch,
            begun: self.begun,
        };
        TRAINING.write(path, &tensors, &metadata)
    }

    /// Reads a training of this head and optimizer.
    pub fn load(
        path: &Path,
        shape: HeadShape,
        kind: OptimizerKind,
        learning_rate: f64,
        device: Device,
    ) -> Result<Self, CheckpointError> {
        let bytes =
            fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
        let (file, metadata): (_, Metadata) = TRAINING.parse(path, &bytes)?;
        let mut problems = Vec::new();
        let mut check = |name: &str, expected: String, found: String| {
            if expected != found {
                problems.push(format!("{name}: expected {expected}, found {found}"));
            }
        };
        check("format", TRAINING.format.to_owned(), metadata.format.clone());
        check("head", format!("{shape:?}"), format!("{:?}", metadata.head));
        check("optimizer", kind.to_string(), metadata.optimizer.to_string());
        let (mut parameters, mut moments) = (Vec::new(), Vec::new());
        for (name, size) in shape.tensors() {
            parameters.extend(read_float(&file, name, &size, &mut problems)?);
            let mut slots: Vec<Tensor> = Vec::new();
            for slot in 0..kind.slots() {
                if let Some(moment) = read_float(&file, &moment_name(name, slot), &size, &mut problems)? {
                    slots.push(moment.f_to_device(device).map_err(TorchError::from)?);
                }
            }
            moments.push(slots);
        }
        if !problems.is_empty() {
            return Err(CheckpointError::Contradiction {
                path: path.to_owned(),
                problems: problems.join("; "),
            });
        }
        let head = Head::from_tensors(shape, parameters, device)?;
        let optimizer = Optimizer::from_moments(kind, learning_rate, moments, metadata.steps);
        Ok(Self { head, optimizer, epoch: metadata.epoch, begun: metadata.begun })
    }
}

fn moment_name(parameter: &str, slot: usize) -> String {
    format!("moment.{slot}.{parameter}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Rows, TrainingOptions};
    use convbase_core::store::{FeatureStore, Listing, Manifest, StoreWriter};
    use convbase_core::{Classes, DataType, FeatureShape, FeatureSpec, Precision, Sample, listing_digest};

    #[test]
    fn a_state_survives_the_way_through_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let shape = HeadShape { features: 6, hidden: 4, activation: Activation::Relu, classes: 3 };
        for kind in [OptimizerKind::RmsProp, OptimizerKind::Adam, OptimizerKind::Sgd] {
            let mut state = TrainingState::begin(shape, kind, 0.1, 1, Device::Cpu).unwrap();
            let gradients: Vec<Tensor> =
                state.head.parameters().iter().map(|p| p.detach() * 0.5 + 1.0).collect();
            state.optimizer.step(state.head.parameters_mut(), &gradients).unwrap();
            state.epoch = 7;
            state.save(&path).unwrap();
            let bytes = fs::read(&path).unwrap();
            let loaded = TrainingState::load(&path, shape, kind, 0.1, Device::Cpu).unwrap();
            assert_eq!((loaded.epoch, loaded.optimizer.steps()), (7, 1));
            loaded.save(&path).unwrap();
            assert!(fs::read(&path).unwrap() == bytes, "{kind}");
        }
        let error =
            TrainingState::load(&path, shape, OptimizerKind::Adam, 0.1, Device::Cpu).unwrap_err().to_string();
        assert!(error.contains("optimizer: expected adam, found sgd"), "{error}");
        assert!(error.contains("moment.1.output.bias: expected F32 [3], found none"), "{error}");
    }

    #[test]
    fn another_kind_of_checkpoint_is_named_with_what_was_expected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        Content { key: "convbase", format: "", what: "head" }.write(&path, &[], &7).unwrap();
        let shape = HeadShape { features: 6, hidden: 4, activation: Activation::Relu, classes: 3 };
        let error = TrainingState::load(&path, shape, OptimizerKind::Adam, 0.1, Device::Cpu).unwrap_err();
        let expected = "metadata `convbase-training`: expected a convbase-training/1 state, found none";
        assert!(error.to_string().ends_with(expected), "{error}");
    }

    /// A store of 20 rows of two classes.
    fn store(folder: &Path) -> FeatureStore {
        let images: Vec<Sample> =
            (0..20).map(|row| Sample { path: format!("{row:02}"), label: row % 2 }).collect();
        let spec = FeatureSpec {
            architecture: "made up".into(),
            shape: FeatureShape::new(vec![6]).unwrap(),
            ..convbase_bases::article()
        };
        let classes = Classes::new(vec!["a".into(), "b".into()]).unwrap();
        let listing = Listing { images: 20, sha256: listing_digest(&images) };
        let manifest = Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, 20);
        let store = StoreWriter::create(folder, manifest, false).unwrap();
        let mut writer = store.shard(store.manifest().shards().next().unwrap()).unwrap();
        for (row, sample) in images.iter().enumerate() {
            let numbers = (0..6).map(|column| ((row * 7 + column * 3) % 11) as f32 / 11.0);
            let bytes: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
            writer.append(&[(sample, Ok(None))], &bytes).unwrap();
        }
        writer.finish(None).unwrap();
        FeatureStore::open(folder).unwrap()
    }

    #[test]
    fn a_training_that_stops_after_any_step_goes_on_at_the_same_bytes_and_means() {
        let folder = tempfile::tempdir().unwrap();
        let (store, path) = (store(&folder.path().join("store")), folder.path().join("last.safetensors"));
        let rows = Rows::new(&store, store.manifest().classes(), Device::Cpu).unwrap();
        let shape = HeadShape { features: 6, hidden: 4, activation: Activation::Relu, classes: 2 };
        let weights = Some(vec![0.7, 1.3]);
        let options = TrainingOptions { batch_size: 3, dropout: 0.5, seed: 9, class_weights: weights };
        for kind in [OptimizerKind::RmsProp, OptimizerKind::Adam, OptimizerKind::Sgd] {
            let train = |stops: &[usize]| {
                let mut state = TrainingState::begin(shape, kind, 0.1, 1, Device::Cpu).unwrap();
                for stop in stops {
                    let mut steps = 0;
                    let stop = || {
                        steps += 1;
                        steps > *stop
                    };
                    assert!(state.train_epoch(&rows, &options, stop).unwrap().is_none());
                    state.save(&path).unwrap();
                    state = TrainingState::load(&path, shape, kind, 0.1, Device::Cpu).unwrap();
                }
                let means = state.train_epoch(&rows, &options, || false).unwrap().unwrap();
                assert_eq!(state.begun.steps, 7, "20 rows are six steps of three rows and one of two");
                state.finish_epoch();
                state.save(&path).unwrap();
                (means, fs::read(&path).unwrap())
            };
            let expected = train(&[]);
            for stops in [&[0][..], &[1], &[3, 2], &[6]] {
                assert!(train(stops) == expected, "{kind}: stopped after {stops:?} steps");
            }
        }
    }
}
