//! Fits a small classifier head on stored features and keeps the one with the lowest validation loss ([`fit`]), chooses
//! a regularised linear one ([`probe()`]), or trains the last layers of the base on ([`fine_tune()`]).

mod args;
mod curves;
mod event_file;
mod fine_tune;
mod fit;
mod probe;
mod progress;
mod run_config;
mod run_folder;
mod saving;
mod stores;
mod training;

use anyhow::Context;
use convbase_core::Interrupt;
use convbase_core::exit::Outcome;

pub use args::{
    Arguments, Choice, ClassWeight, Command, FineTuneArguments, FineTuneConfig, FitArguments, FitConfig,
    Judges, ProbeArguments, ProbeConfig, TrainingConfig, Validation,
};
pub use convbase_nn::probe::{RowScaling, UnknownRowScaling};
pub use curves::draw_curves;
pub use fine_tune::fine_tune;
pub use fit::{Fit, fit};
pub use probe::{Probe, probe};

/// Runs the command that the arguments name.
pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let shows_progress = arguments.common().shows_progress();
    match arguments.command {
        Command::Fit(arguments) => {
            let fit = fit(&arguments.into_config(shows_progress, interrupt()?))?;
            Ok(fit.outcome())
        }
        Command::FineTune(arguments) => {
            let fit = fine_tune(&arguments.into_config(shows_progress, interrupt()?))?;
            Ok(fit.outcome())
        }
        Command::Probe(arguments) => {
            probe(&arguments.into_config(shows_progress))?;
            Ok(Outcome::Done)
        }
    }
}

fn interrupt() -> anyhow::Result<Interrupt> {
    Interrupt::listen().context("cannot listen for signals")
}
