//! The command line, and its words turned once into a validated configuration.

mod fine_tune;
mod fit;
mod probe;
mod training;

use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};
use convbase_cli::CommonArguments;
use serde::Serialize;

pub use fine_tune::{FineTuneArguments, FineTuneConfig};
pub use fit::{FitArguments, FitConfig};
pub use probe::{Judges, ProbeArguments, ProbeConfig};
pub use training::{TrainingConfig, Validation};

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

impl Arguments {
    /// The options that every program has.
    pub fn common(&self) -> &CommonArguments {
        &self.common
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
