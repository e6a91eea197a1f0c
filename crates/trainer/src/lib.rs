//! Fits a small classifier head on stored features and keeps the one with the lowest validation loss.

mod args;
mod curves;
mod fit;
mod probe;
mod progress;
mod run_config;
mod run_folder;
mod saving;
mod training;

use anyhow::Context;
use convbase_core::Interrupt;
use convbase_core::exit::Outcome;

pub use args::{
    Arguments, Choice, ClassWeight, Command, FitArguments, FitConfig, Judges, ProbeArguments, ProbeConfig,
    Validation,
};
pub use curves::draw_curves;
pub use fit::{Fit, fit};
pub use probe::{Probe, RowScaling, UnknownRowScaling, probe};

/// Runs the command that the arguments name.
pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let shows_progress = arguments.common().shows_progress();
    match arguments.command {
        Command::Fit(arguments) => {
            let interrupt = Interrupt::listen().context("cannot listen for signals")?;
            let fit = fit(&arguments.into_config(shows_progress, interrupt))?;
            Ok(if fit.interrupted { Outcome::Interrupted } else { Outcome::Done })
        }
        Command::Probe(arguments) => {
            probe(&arguments.into_config(shows_progress))?;
            Ok(Outcome::Done)
        }
    }
}
