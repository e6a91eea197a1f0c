//! The arguments of `fine-tune`.

use std::path::PathBuf;

use clap::Args;
use convbase_core::Interrupt;

use super::training::{TrainingArguments, TrainingConfig};
use super::{dropout, positive};

/// The arguments of `fine-tune`.
#[derive(Debug, Args)]
pub struct FineTuneArguments {
    /// Feature store of an inner layer, unpooled: `extractor extract --layer block4_pool`, for instance
    #[arg(long, value_name = "DIR")]
    features: PathBuf,
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
    /// Passes over the training rows
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Share of hidden units (of features in a linear head) that each step leaves out [default: 0.5, of a linear head 0]
    #[arg(long, value_name = "SHARE", value_parser = dropout)]
    dropout: Option<f64>,
    /// Step size
    #[arg(long, value_name = "RATE", default_value = "1e-5", value_parser = positive)]
    learning_rate: f64,
    #[command(flatten)]
    training: TrainingArguments,
}

/// Everything that `fine-tune` needs to know.
#[derive(Debug, Clone)]
pub struct FineTuneConfig {
    /// How it is trained, and on what.
    pub training: TrainingConfig,
    /// The head that goes on.
    pub checkpoint: PathBuf,
    /// The base's weights; `None` for those beside the program.
    pub weights: Option<PathBuf>,
    /// The first layer that is trained; `None` for the first behind the store's.
    pub from: Option<String>,
    /// Share of units that each step leaves out; `None` for 0.5, of a linear head 0.
    pub dropout: Option<f64>,
}

impl FineTuneArguments {
    /// Validates the words.
    pub fn into_config(self, shows_progress: bool, interrupt: Interrupt) -> FineTuneConfig {
        let Self { features, epochs, learning_rate, training, .. } = self;
        FineTuneConfig {
            training: training.into_config(features, epochs, learning_rate, shows_progress, interrupt),
            checkpoint: self.checkpoint,
            weights: self.weights,
            from: self.from,
            dropout: self.dropout,
        }
    }
}
