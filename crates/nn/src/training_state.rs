//! `last.safetensors`: everything that is needed to go on with a training exactly.

use std::fs;
use std::path::Path;

use convbase_core::differences;
use serde::{Deserialize, Serialize};
use tch::Device;

use crate::checkpoint::save_head;
use crate::head::{BackEnd, Computed, HostHead, TorchHead, needs_torch};
use crate::inference::measure;
use crate::learner::{Learner, PlainLearner};
use crate::optimizer::{Moments, Optimizer};
use crate::tensor_file::{Content, NamedBytes, bytes_of, read_float};
use crate::training::{BegunEpoch, train_epoch};
use crate::{
    CheckpointError, CheckpointMetadata, Head, HeadShape, Means, MinibatchError, OptimizerKind, Rows,
    TorchError, TrainingOptions,
};

/// Version 1 drew its random numbers from libtorch: the steps that are left would be others.
const TRAINING: Content = Content { key: "convbase-training", format: "convbase-training/2", what: "state" };

/// A training between two steps. What is random in a step depends on seed, epoch and step alone, so this is all.
#[derive(Debug)]
pub struct TrainingState {
    learner: Computed<Learner<HostHead>, Learner<TorchHead>>,
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
        shape: &HeadShape,
        kind: OptimizerKind,
        learning_rate: f64,
        seed: u64,
        device: Device,
    ) -> Result<Self, TorchError> {
        let plain = PlainLearner::begin(shape, kind, learning_rate, seed);
        Self::from_plain(plain, 0, BegunEpoch::default(), device)
    }

    /// A training that goes on from a head as it is, all moments zero.
    pub fn of(
        head: &Head,
        kind: OptimizerKind,
        learning_rate: f64,
        device: Device,
    ) -> Result<Self, TorchError> {
        let plain = PlainLearner::of(head.shape(), head.plain()?, kind, learning_rate);
        Self::from_plain(plain, 0, BegunEpoch::default(), device)
    }

    fn from_plain(
        plain: PlainLearner,
        epoch: u32,
        begun: BegunEpoch,
        device: Device,
    ) -> Result<Self, TorchError> {
        let learner = if needs_torch(&plain.shape, device) {
            Computed::Torch(plain.load(device)?)
        } else {
            Computed::Host(plain.load(device)?)
        };
        Ok(Self { learner, epoch, begun })
    }

    /// Trains the epoch after the last finished one, from the step it was left at, the rows in an order of its own.
    /// Gives the means as Keras reports them: over the steps while the head changes, dropout included.
    ///
    /// `stop` is asked before each step; when it says yes, `None` comes back and the state is between two steps, ready
    /// to be saved and gone on with exactly.
    pub fn train_epoch(
        &mut self,
        rows: &Rows,
        options: &TrainingOptions,
        stop: impl FnMut() -> bool,
    ) -> Result<Option<Means>, MinibatchError> {
        let (epoch, begun) = (self.epoch.saturating_add(1), &mut self.begun);
        match &mut self.learner {
            Computed::Host(learner) => train_epoch(learner, epoch, begun, rows, options, stop),
            Computed::Torch(learner) => train_epoch(learner, epoch, begun, rows, options, stop),
        }
    }

    /// The means of the head as it is over rows, without dropout and class weights. `stop` is asked before each pass;
    /// `None` when it said yes.
    pub fn evaluate(&self, rows: &Rows, stop: impl Fn() -> bool) -> Result<Option<Means>, MinibatchError> {
        match &self.learner {
            Computed::Host(learner) => measure(&learner.head, rows, stop),
            Computed::Torch(learner) => measure(&learner.head, rows, stop),
        }
    }

    /// Counts the epoch that was trained as finished.
    pub fn finish_epoch(&mut self) {
        self.epoch = self.epoch.saturating_add(1);
        self.begun = BegunEpoch::default();
    }

    /// A copy in the processor's memory that does not change when the training goes on.
    pub fn snapshot(&self) -> Result<Self, TorchError> {
        let learner = match &self.learner {
            Computed::Host(learner) => learner.copy()?,
            Computed::Torch(learner) => learner.copy()?,
        };
        Ok(Self { learner: Computed::Host(learner), ..*self })
    }

    /// Writes the head as a checkpoint, as [`Checkpoint::save`](crate::Checkpoint::save) does.
    pub fn save_head(&self, path: &Path, metadata: &CheckpointMetadata) -> Result<(), CheckpointError> {
        match &self.learner {
            Computed::Host(learner) => save_head(path, &learner.head, metadata),
            Computed::Torch(learner) => save_head(path, &learner.head, metadata),
        }
    }

    /// Writes head, moments, steps, epoch and what is begun of the next one, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        match &self.learner {
            Computed::Host(learner) => self.save_learner(path, learner),
            Computed::Torch(learner) => self.save_learner(path, learner),
        }
    }

    fn save_learner<B: BackEnd>(&self, path: &Path, learner: &Learner<B>) -> Result<(), CheckpointError> {
        let (head, optimizer) = (&learner.head, &learner.optimizer);
        let mut tensors: Vec<NamedBytes> = Vec::new();
        let parameters = head.parameters().as_ref().in_order().zip(optimizer.moments.in_order());
        for (tensor, (parameter, moments)) in head.shape().tensors().in_order().zip(parameters) {
            tensors.push((tensor.name.clone(), tensor.size.clone(), bytes_of(B::numbers(parameter)?)));
            for (slot, moment) in moments.iter().enumerate() {
                let name = moment_name(&tensor.name, slot);
                tensors.push((name, tensor.size.clone(), bytes_of(B::numbers(moment)?)));
            }
        }
        let metadata = Metadata {
            format: TRAINING.format.to_owned(),
            head: head.shape().clone(),
            optimizer: optimizer.moments.kind(),
            steps: optimizer.steps,
            epoch: self.epoch,
            begun: self.begun,
        };
        TRAINING.write(path, &tensors, &metadata)
    }

    /// Reads a training of this head and optimizer.
    pub fn load(
        path: &Path,
        shape: &HeadShape,
        kind: OptimizerKind,
        learning_rate: f64,
        device: Device,
    ) -> Result<Self, CheckpointError> {
        let bytes =
            fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
        let (file, metadata): (_, Metadata) = TRAINING.parse(path, &bytes)?;
        if metadata.format == "convbase-training/1" {
            let (expected, found) = (TRAINING.format, metadata.format);
            return Err(CheckpointError::OlderTraining { path: path.to_owned(), expected, found });
        }
        let mut problems = Vec::new();
        let mut check = |name: &str, expected: String, found: String| {
            if expected != found {
                problems.push(format!("{name}: expected {expected}, found {found}"));
            }
        };
        check("format", TRAINING.format.to_owned(), metadata.format);
        check("optimizer", kind.to_string(), metadata.optimizer.to_string());
        // Both are counted on from here.
        if metadata.steps < 0 {
            problems.push(format!("steps: expected at least 0, found {}", metadata.steps));
        }
        if metadata.epoch == u32::MAX {
            problems.push(format!("epoch: expected one with another behind it, found {}", metadata.epoch));
        }
        problems.extend(metadata.begun.problem());
        let heads = differences(shape, &metadata.head);
        problems.extend(heads.0.iter().map(|difference| format!("head.{difference}")));
        let parameters =
            shape.tensors().map(|tensor| read_float(&file, &tensor.name, tensor.size, &mut problems));
        let moments = Moments::new(kind, shape, |tensor, slot| {
            read_float(&file, &moment_name(&tensor.name, slot), tensor.size.clone(), &mut problems)
        });
        if !problems.is_empty() {
            return Err(CheckpointError::Contradiction {
                path: path.to_owned(),
                problems: problems.join("; "),
            });
        }
        let optimizer = Optimizer { learning_rate, steps: metadata.steps, moments };
        let plain = PlainLearner { shape: shape.clone(), parameters, optimizer };
        Ok(Self::from_plain(plain, metadata.epoch, metadata.begun, device)?)
    }
}

fn moment_name(parameter: &str, slot: usize) -> String {
    format!("moment.{slot}.{parameter}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Activation;
    use convbase_core::store::{FeatureStore, Listing, Manifest, StoreWriter};
    use convbase_core::{Classes, DataType, FeatureShape, FeatureSpec, Precision, Sample, listing_digest};
    use proptest::prelude::*;
    use proptest::sample::Index;
    use std::sync::LazyLock;

    #[test]
    fn a_state_survives_the_way_through_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let shape = HeadShape::new(6, 4, Activation::Relu, 3);
        let store = store(&folder.path().join("store"));
        let rows = Rows::new(&store, store.manifest().classes()).unwrap();
        let options = TrainingOptions { batch_size: 3, dropout: 0.5, seed: 9, class_weights: None };
        for kind in [OptimizerKind::RmsProp, OptimizerKind::Adam, OptimizerKind::Sgd] {
            let mut state = TrainingState::begin(&shape, kind, 0.1, 1, Device::Cpu).unwrap();
            state.train_epoch(&rows, &options, || false).unwrap();
            state.epoch = 7;
            state.save(&path).unwrap();
            let bytes = fs::read(&path).unwrap();
            let loaded = TrainingState::load(&path, &shape, kind, 0.1, Device::Cpu).unwrap();
            assert_eq!((loaded.epoch, loaded.begun), (7, state.begun));
            loaded.save(&path).unwrap();
            assert!(fs::read(&path).unwrap() == bytes, "{kind}");
        }
        let error = TrainingState::load(&path, &shape, OptimizerKind::Adam, 0.1, Device::Cpu)
            .unwrap_err()
            .to_string();
        assert!(error.contains("optimizer: expected adam, found sgd"), "{error}");
        assert!(error.contains("moment.1.output.bias: expected F32 [3], found none"), "{error}");
    }

    #[test]
    fn another_kind_of_checkpoint_is_named_with_what_was_expected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        Content { key: "convbase", format: "", what: "head" }.write(&path, &[], &7).unwrap();
        let shape = HeadShape::new(6, 4, Activation::Relu, 3);
        let error = TrainingState::load(&path, &shape, OptimizerKind::Adam, 0.1, Device::Cpu).unwrap_err();
        let expected = "metadata `convbase-training`: expected a convbase-training/2 state, found none";
        assert!(error.to_string().ends_with(expected), "{error}");
    }

    #[test]
    fn a_state_of_the_first_format_is_refused_as_older() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let shape = HeadShape::new(6, 4, Activation::Relu, 3);
        let metadata = Metadata {
            format: "convbase-training/1".into(),
            head: shape.clone(),
            optimizer: OptimizerKind::Sgd,
            steps: 3,
            epoch: 1,
            begun: BegunEpoch::default(),
        };
        TRAINING.write(&path, &[], &metadata).unwrap();
        let error = TrainingState::load(&path, &shape, OptimizerKind::Sgd, 0.1, Device::Cpu).unwrap_err();
        assert!(matches!(error, CheckpointError::OlderTraining { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("format: expected convbase-training/2, found convbase-training/1"), "{text}");
    }

    #[test]
    fn counts_that_no_training_makes_are_refused_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let shape = HeadShape::new(6, 4, Activation::Relu, 3);
        let state = TrainingState::begin(&shape, OptimizerKind::Sgd, 0.1, 1, Device::Cpu).unwrap();
        state.save(&path).unwrap();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let start = text.find('{').unwrap();
        let forge = |from: &str, to: &str| {
            // Escaped, for it stands in a text of the header; of the same length, so that nothing moves.
            let quoted = |text: &str| text.replace('"', "\\\"");
            let (from, to) = (quoted(from), quoted(to));
            let mut bytes = fs::read(&path).unwrap();
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            bytes.splice(at..at + from.len(), to.bytes());
            let grown = (to.len() - from.len()) as u64;
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) + grown;
            bytes[..8].copy_from_slice(&length.to_le_bytes());
            let forged = folder.path().join("forged.safetensors");
            convbase_core::write_artifact(&forged, &bytes).unwrap();
            TrainingState::load(&forged, &shape, OptimizerKind::Sgd, 0.1, Device::Cpu)
                .unwrap_err()
                .to_string()
        };
        assert!(start > 0, "{text}");
        let error = forge("\"epoch\":0", "\"epoch\":4294967295");
        assert!(error.contains("epoch: expected one with another behind it, found 4294967295"), "{error}");
        let error = forge("\"steps\":0,\"epoch\"", "\"steps\":-1,\"epoch\"");
        assert!(error.contains("steps: expected at least 0, found -1"), "{error}");
        for (from, to) in [
            ("\"samples\":0", "\"samples\":18446744073709551615"),
            ("\"correct\":0", "\"correct\":18446744073709551615"),
            ("\"begun\":{\"steps\":0", "\"begun\":{\"steps\":18446744073709551615"),
        ] {
            let error = forge(from, to);
            assert!(error.contains("begun: expected sums of "), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_changed_byte_makes_loading_or_training_on_panic(at in any::<Index>(), bit in 0_u8..8, cut in any::<Index>()) {
            static STATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("last.safetensors");
                let shape = HeadShape::new(6, 4, Activation::Relu, 2);
                let state = TrainingState::begin(&shape, OptimizerKind::Adam, 0.1, 1, Device::Cpu).unwrap();
                state.save(&path).unwrap();
                fs::read(&path).unwrap()
            });
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("last.safetensors");
            let shape = HeadShape::new(6, 4, Activation::Relu, 2);
            let load = |bytes: &[u8]| {
                convbase_core::write_artifact(&path, bytes).unwrap();
                TrainingState::load(&path, &shape, OptimizerKind::Adam, 0.1, Device::Cpu)
            };
            prop_assert!(load(&STATE[..cut.index(STATE.len())]).is_err());
            let mut bytes = STATE.clone();
            bytes[at.index(STATE.len())] ^= 1 << bit;
            if let Ok(mut state) = load(&bytes) {
                state.finish_epoch();
                state.save(&path).unwrap();
            }
        }
    }

    /// A store of 20 rows of two classes.
    fn store(folder: &Path) -> FeatureStore {
        let classes = Classes::new(vec!["a".into(), "b".into()]).unwrap();
        let sample =
            |row: usize| Sample { path: format!("{row:02}"), label: classes.label_at(row % 2).unwrap() };
        let images: Vec<Sample> = (0..20).map(sample).collect();
        let spec = FeatureSpec {
            architecture: "made up".into(),
            shape: FeatureShape::new(vec![6]).unwrap(),
            ..convbase_bases::article()
        };
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
        let rows = Rows::new(&store, store.manifest().classes()).unwrap();
        let shape = HeadShape::new(6, 4, Activation::Relu, 2);
        let weights = Some(vec![0.7, 1.3]);
        let options = TrainingOptions { batch_size: 3, dropout: 0.5, seed: 9, class_weights: weights };
        for kind in [OptimizerKind::RmsProp, OptimizerKind::Adam, OptimizerKind::Sgd] {
            let train = |stops: &[usize]| {
                let mut state = TrainingState::begin(&shape, kind, 0.1, 1, Device::Cpu).unwrap();
                for stop in stops {
                    let mut steps = 0;
                    let stop = || {
                        steps += 1;
                        steps > *stop
                    };
                    assert!(state.train_epoch(&rows, &options, stop).unwrap().is_none());
                    state.save(&path).unwrap();
                    state = TrainingState::load(&path, &shape, kind, 0.1, Device::Cpu).unwrap();
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
