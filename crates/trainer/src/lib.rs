//! Fits a small classifier head on stored features and keeps the one with the lowest validation loss.

mod args;
mod curves;
mod fit;
mod progress;
mod run_folder;
mod saving;
mod training;

use anyhow::Context;
use convbase_core::Interrupt;
use convbase_core::exit::Outcome;

pub use args::{Arguments, ClassWeight, Command, FitArguments, FitConfig, Validation};
pub use curves::draw_curves;
pub use fit::{Fit, fit};

/// Runs the command that the arguments name.
pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let shows_progress = arguments.common().shows_progress();
    match arguments.command {
        Command::Fit(arguments) => {
            let interrupt = Interrupt::listen().context("cannot listen for signals")?;
            let fit = fit(&arguments.into_config(shows_progress, interrupt))?;
            Ok(if fit.interrupted { Outcome::Interrupted } else { Outcome::Done })
        }
    }
}
