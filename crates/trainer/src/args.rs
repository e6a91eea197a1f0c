//! The command line, and its words turned once into a validated configuration.

mod fine_tune;
mod probe;

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use convbase_cli::CommonArguments;
use convbase_core::{Interrupt, processors};
use convbase_nn::{Activation, DeviceChoice, OptimizerKind, ViewChoice};
use serde::Serialize;

pub use fine_tune::{FineTuneArguments, FineTuneConfig};
pub use probe::{Judges, ProbeArguments, ProbeConfig};

/// Fit a small classifier head on stored features.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    common: CommonArguments,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage, 75 interrupted by SIGTERM or SIGINT: run again with --resume.\nRUST_LOG overrides -v and -q.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a head and keep it at its lowest validation loss
    Fit(FitArguments),
    /// Fit a regularised linear classifier: logistic regression on pooled features, chosen by cross-validation
    Probe(ProbeArguments),
    /// Train the last layers of the base on with a head, from the stored maps of the layer before them
    FineTune(FineTuneArguments),
}

/// The arguments of `fit`.
#[derive(Debug, Args)]
pub struct FitArguments {
    /// Feature store to train on
    #[arg(long, value_name = "DIR")]
    features: PathBuf,
    /// Feature store to validate on
    #[arg(long, value_name = "DIR", conflicts_with = "validation_split")]
    validation: Option<PathBuf>,
    /// Without --validation: the share of each class, in listing order, that validates, as in Keras
    #[arg(long, value_name = "SHARE", default_value = "0.3", value_parser = open_share)]
    validation_split: f64,
    /// Folder of the run: config.json, history.csv, best and last.safetensors, curves.svg and .png
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Passes over the training rows
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Rows per step; an epoch's last step may have fewer
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_size: u32,
    /// Units of the hidden layer; 0 for a linear head
    #[arg(long, value_name = "N", default_value = "256", value_parser = clap::value_parser!(u32).range(0..=65_536))]
    hidden: u32,
    /// Activation of the hidden layer: relu or none
    #[arg(long, default_value = "relu")]
    activation: Activation,
    /// Share of hidden units (of features in a linear head) that each step leaves out
    #[arg(long, value_name = "SHARE", default_value = "0.5", value_parser = dropout)]
    dropout: f64,
    /// rmsprop, adam or sgd, with Keras' formulas
    #[arg(long, default_value = "rmsprop")]
    optimizer: OptimizerKind,
    /// Step size
    #[arg(long, value_name = "RATE", default_value = "2e-5", value_parser = positive)]
    learning_rate: f64,
    /// Decides the starting weights, the order of rows and the dropout
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
    /// Threads that compute; the result is the same for any number [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    threads: Option<u32>,
    /// Go on with the run in --out where it was left, if there is one, to the same result
    #[arg(long)]
    resume: bool,
    /// Do not compare the stores' files with the hashes in their receipts
    #[arg(long)]
    no_verify: bool,
}

/// A value, or the choice among several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choice<T> {
    /// What does best.
    Auto,
    /// This one.
    This(T),
}

impl<T: FromStr> FromStr for Choice<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::This) }
    }
}

/// How classes of different sizes are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeight {
    /// All rows alike.
    None,
    /// rows / (classes × rows of the class), as scikit-learn's `compute_class_weight("balanced")`.
    Balanced,
}

/// Where validation rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Validation {
    /// A store of their own.
    Store(PathBuf),
    /// This share of each class of the training store.
    Split(f64),
}

impl Validation {
    /// The share of the training rows that validates, where no store of its own does.
    pub fn share(&self) -> Option<f64> {
        match self {
            Self::Split(share) => Some(*share),
            Self::Store(_) => None,
        }
    }
}

/// Everything that `fit` needs to know.
#[derive(Debug, Clone)]
pub struct FitConfig {
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
    /// Units of the hidden layer, 0 for none.
    pub hidden: usize,
    /// Its activation.
    pub activation: Activation,
    /// Share of units that each step leaves out.
    pub dropout: f64,
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
    /// Believe the stores' files without hashing them.
    pub no_verify: bool,
    /// Set when a signal asks to stop.
    pub interrupt: Interrupt,
    /// Show a progress bar.
    pub shows_progress: bool,
}

impl Arguments {
    /// The options that every program has.
    pub fn common(&self) -> &CommonArguments {
        &self.common
    }
}

impl FitArguments {
    /// Validates the words.
    pub fn into_config(self, shows_progress: bool, interrupt: Interrupt) -> FitConfig {
        FitConfig {
            features: self.features,
            validation: self.validation.map_or(Validation::Split(self.validation_split), Validation::Store),
            out: self.out,
            epochs: self.epochs,
            batch_size: self.batch_size as usize,
            hidden: self.hidden as usize,
            activation: self.activation,
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

fn number(text: &str, allowed: impl Fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    text.parse().ok().filter(|&number: &f64| allowed(number)).ok_or_else(|| format!("expected {expected}"))
}

fn open_share(text: &str) -> Result<f64, String> {
    number(text, |share| share > 0.0 && share < 1.0, "a share between 0 and 1")
}

fn dropout(text: &str) -> Result<f64, String> {
    number(text, |share| (0.0..1.0).contains(&share), "a share from 0 to below 1")
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, |rate| rate > 0.0 && rate.is_finite(), "a number above 0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        for (parse, texts) in [
            (open_share as fn(&str) -> Result<f64, String>, ["0", "1", "-1", "nan", "x"]),
            (dropout, ["1", "-0.1", "nan", "inf", ""]),
            (positive, ["0", "-1", "nan", "inf", "x"]),
        ] {
            texts.iter().for_each(|text| assert!(parse(text).is_err(), "{text}"));
        }
        assert_eq!(positive("2e-5"), Ok(2e-5));
    }
}
