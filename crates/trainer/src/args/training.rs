//! The arguments of everything that trains epoch by epoch.

use std::path::PathBuf;

use clap::Args;
use convbase_core::{Interrupt, processors};
use convbase_nn::{DeviceChoice, OptimizerKind, ViewChoice};

use super::{ClassWeight, open_share};

/// What `fit` and `fine-tune` have in common.
#[derive(Debug, Args)]
pub struct TrainingArguments {
    /// Feature store to validate on
    #[arg(long, value_name = "DIR", conflicts_with = "validation_split")]
    validation: Option<PathBuf>,
    /// Without --validation: the share of each class, in listing order, that validates, as in Keras
    #[arg(long, value_name = "SHARE", default_value = "0.3", value_parser = open_share)]
    validation_split: f64,
    /// Folder of the run: config.json, history.csv, best and last.safetensors, curves.svg and .png
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Rows per step; an epoch's last step may have fewer
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_size: u32,
    /// rmsprop, adam or sgd, with Keras' formulas
    #[arg(long, default_value = "rmsprop")]
    optimizer: OptimizerKind,
    /// Decides what is random: starting weights, the order of rows and the dropout
    #[arg(long, value_name = "N", default_value = "42")]
    seed: u64,
    /// Stop after so many epochs without a lower validation loss
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    patience: Option<u32>,
    /// none, or balanced to weigh each class by the inverse of its rows
    #[arg(long, value_enum, default_value = "none")]
    class_weight: ClassWeight,
    /// What an epoch sees of each training photograph that has views: all of them, or one that is drawn; validation is on
    /// the photograph itself
    #[arg(long, default_value = "all")]
    views: ViewChoice,
    /// auto, cpu, cuda or cuda:N; cuda fails where there is none
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Threads that compute [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    threads: Option<u32>,
    /// Go on with the run in --out where it was left, if there is one, to the same result
    #[arg(long)]
    resume: bool,
    /// Write loss and accuracy also for TensorBoard: events.out.tfevents.convbase in --out, after each epoch
    #[arg(long)]
    tensorboard: bool,
    /// Do not compare the stores' files with the hashes in their receipts
    #[arg(long)]
    no_verify: bool,
}

/// Where validation rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Validation {
    /// A store of their own.
    Store(PathBuf),
    /// This share of each class of the training store.
    Split(f64),
}

/// Everything that a training needs to know, whatever is trained.
#[derive(Debug, Clone)]
pub struct TrainingConfig {
    /// The training store.
    pub features: PathBuf,
    /// Where validation rows come from.
    pub validation: Validation,
    /// The run's folder.
    pub out: PathBuf,
    /// Passes over the training rows.
    pub epochs: u32,
    /// Rows per step.
    pub batch_size: usize,
    /// The formula.
    pub optimizer: OptimizerKind,
    /// Its step size.
    pub learning_rate: f64,
    /// Decides everything random.
    pub seed: u64,
    /// Epochs without improvement after which training stops.
    pub patience: Option<u32>,
    /// How classes are weighed.
    pub class_weight: ClassWeight,
    /// What an epoch sees of photographs that have several views.
    pub views: ViewChoice,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Threads that compute.
    pub threads: usize,
    /// Go on where the run was left.
    pub resume: bool,
    /// Write the figures of each epoch for TensorBoard too.
    pub tensorboard: bool,
    /// Believe the stores' files without hashing them.
    pub no_verify: bool,
    /// Set when a signal asks to stop.
    pub interrupt: Interrupt,
    /// Show a progress bar.
    pub shows_progress: bool,
}

impl Validation {
    /// The share of the training rows that validates, where no store of its own does.
    pub fn share(&self) -> Option<f64> {
        match self {
            Self::Split(share) => Some(*share),
            Self::Store(_) => None,
        }
    }

    /// The store that validates, where there is one.
    pub fn store(&self) -> Option<&PathBuf> {
        match self {
            Self::Store(folder) => Some(folder),
            Self::Split(_) => None,
        }
    }
}

impl TrainingArguments {
    /// Validates the words.
    pub(super) fn into_config(
        self,
        features: PathBuf,
        epochs: u32,
        learning_rate: f64,
        shows_progress: bool,
        interrupt: Interrupt,
    ) -> TrainingConfig {
        TrainingConfig {
            features,
            validation: self.validation.map_or(Validation::Split(self.validation_split), Validation::Store),
            out: self.out,
            epochs,
            batch_size: self.batch_size as usize,
            optimizer: self.optimizer,
            learning_rate,
            seed: self.seed,
            patience: self.patience,
            class_weight: self.class_weight,
            views: self.views,
            device: self.device,
            threads: self.threads.map_or_else(processors, |threads| threads as usize),
            resume: self.resume,
            tensorboard: self.tensorboard,
            no_verify: self.no_verify,
            interrupt,
            shows_progress,
        }
    }
}
