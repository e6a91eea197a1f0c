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
mod tests;
