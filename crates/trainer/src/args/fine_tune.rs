//! The arguments of `fine-tune`.

use std::path::PathBuf;

use clap::Args;
use convbase_core::{Interrupt, processors};
use convbase_nn::{DeviceChoice, OptimizerKind, ViewChoice};

use super::{ClassWeight, Validation, dropout, open_share, positive};

/// The arguments of `fine-tune`.
#[derive(Debug, Args)]
pub struct FineTuneArguments {
    /// Feature store of an inner layer, unpooled: `extractor extract --layer block4_pool`, for instance
    #[arg(long, value_name = "DIR")]
    features: PathBuf,
    /// Feature store of the same layer to validate on
    #[arg(long, value_name = "DIR", conflicts_with = "validation_split")]
    validation: Option<PathBuf>,
    /// Without --validation: the share of each class, in listing order, that validates, as in Keras
    #[arg(long, value_name = "SHARE", default_value = "0.3", value_parser = open_share)]
    validation_split: f64,
    /// Checkpoint of `trainer fit` or `trainer probe` on the same base, whose head goes on
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// Weights that the features were made with [default: weights/NAME.safetensors of the base that the store names, in
    /// the working directory or above the program]
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// First layer that is trained; those between the store's layer and it stay as they are [default: the first behind
    /// the store's layer]
    #[arg(long, value_name = "LAYER")]
    from: Option<String>,
    /// Folder of the run: config.json, history.csv, best and last.safetensors, curves.svg and .png
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Passes over the training rows
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Rows per step; an epoch's last step may have fewer
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_size: u32,
    /// Share of hidden units (of features in a linear head) that each step leaves out [default: 0.5, of a linear head 0]
    #[arg(long, value_name = "SHARE", value_parser = dropout)]
    dropout: Option<f64>,
    /// rmsprop, adam or sgd, with Keras' formulas
    #[arg(long, default_value = "rmsprop")]
    optimizer: OptimizerKind,
    /// Step size
    #[arg(long, value_name = "RATE", default_value = "1e-5", value_parser = positive)]
    learning_rate: f64,
    /// Decides the order of rows and the dropout
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
    /// Do not compare the stores' files with the hashes in their receipts
    #[arg(long)]
    no_verify: bool,
}

/// Everything that `fine-tune` needs to know.
#[derive(Debug, Clone)]
pub struct FineTuneConfig {
    /// The training store.
    pub features: PathBuf,
    /// Where validation rows come from.
    pub validation: Validation,
    /// The head that goes on.
    pub checkpoint: PathBuf,
    /// The base's weights; `None` for those beside the program.
    pub weights: Option<PathBuf>,
    /// The first layer that is trained; `None` for the first behind the store's.
    pub from: Option<String>,
    /// The run's folder.
    pub out: PathBuf,
    /// Passes over the training rows.
    pub epochs: u32,
    /// Rows per step.
    pub batch_size: usize,
    /// Share of units that each step leaves out; `None` for 0.5, of a linear head 0.
    pub dropout: Option<f64>,
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
    /// Which views of a photograph an epoch sees.
    pub views: ViewChoice,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Threads that compute.
    pub threads: usize,
    /// Go on where the run was left.
    pub resume: bool,
    /// Believe the stores' files without hashing them.
    pub no_verify: bool,
    /// Set when a signal asks to stop.
    pub interrupt: Interrupt,
    /// Show a progress bar.
    pub shows_progress: bool,
}

impl FineTuneArguments {
    /// Validates the words.
    pub fn into_config(self, shows_progress: bool, interrupt: Interrupt) -> FineTuneConfig {
        FineTuneConfig {
            features: self.features,
            validation: self.validation.map_or(Validation::Split(self.validation_split), Validation::Store),
            checkpoint: self.checkpoint,
            weights: self.weights,
            from: self.from,
            out: self.out,
            epochs: self.epochs,
            batch_size: self.batch_size as usize,
            dropout: self.dropout,
            optimizer: self.optimizer,
            learning_rate: self.learning_rate,
            seed: self.seed,
            patience: self.patience,
            class_weight: self.class_weight,
            views: self.views,
            device: self.device,
            threads: self.threads.map_or_else(processors, |threads| threads as usize),
            resume: self.resume,
            no_verify: self.no_verify,
            interrupt,
            shows_progress,
        }
    }
}
