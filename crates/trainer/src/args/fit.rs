//! The arguments of `fit`.

use std::path::PathBuf;

use clap::Args;
use convbase_core::Interrupt;
use convbase_nn::Activation;

use super::training::{TrainingArguments, TrainingConfig};
use super::{dropout, positive};

/// The arguments of `fit`.
#[derive(Debug, Args)]
pub struct FitArguments {
    /// Feature store to train on
    #[arg(long, value_name = "DIR")]
    features: PathBuf,
    /// Passes over the training rows
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Units of the hidden layer; 0 for a linear head
    #[arg(long, value_name = "N", default_value = "256", value_parser = clap::value_parser!(u32).range(0..=65_536))]
    hidden: u32,
    /// Activation of the hidden layer: relu or none
    #[arg(long, default_value = "relu")]
    activation: Activation,
    /// Share of hidden units (of features in a linear head) that each step leaves out
    #[arg(long, value_name = "SHARE", default_value = "0.5", value_parser = dropout)]
    dropout: f64,
    /// Step size
    #[arg(long, value_name = "RATE", default_value = "2e-5", value_parser = positive)]
    learning_rate: f64,
    #[command(flatten)]
    training: TrainingArguments,
}

/// Everything that `fit` needs to know.
#[derive(Debug, Clone)]
pub struct FitConfig {
    /// How it is trained, and on what.
    pub training: TrainingConfig,
    /// Units of the hidden layer, 0 for none.
    pub hidden: usize,
    /// Its activation.
    pub activation: Activation,
    /// Share of units that each step leaves out.
    pub dropout: f64,
}

impl FitArguments {
    /// Validates the words.
    pub fn into_config(self, shows_progress: bool, interrupt: Interrupt) -> FitConfig {
        let Self { features, epochs, learning_rate, training, .. } = self;
        FitConfig {
            training: training.into_config(features, epochs, learning_rate, shows_progress, interrupt),
            hidden: self.hidden as usize,
            activation: self.activation,
            dropout: self.dropout,
        }
    }
}
