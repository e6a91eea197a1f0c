//! Turns folders of photographs into feature stores.
//!
//! Four commands: [`extract`] decodes, embeds and writes; [`import`] takes what another program saved; [`verify`]
//! re-reads and re-hashes; [`inspect`] tells what a store holds.

mod args;
mod disk;
mod extract;
mod import;
mod inspect;
mod pipeline;
mod progress;
mod rejection_limit;
mod task_arguments;
mod verify;
mod view_arguments;

use anyhow::Context;
use convbase_core::Interrupt;
use convbase_core::exit::Outcome;

pub use args::{
    Arguments, Choice, Command, ExtractArguments, ExtractConfig, ImportArguments, InspectArguments,
    VerifyArguments,
};
pub use extract::{Extraction, extract};
pub use import::{Import, import};
pub use inspect::inspect;
pub use task_arguments::{TaskArguments, TaskArgumentsError};
pub use verify::verify;
pub use view_arguments::ViewArguments;

/// Runs the command that the arguments name.
pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let shows_progress = arguments.common().shows_progress();
    match arguments.command {
        Command::Extract(arguments) => {
            let interrupt = Interrupt::listen().context("cannot listen for signals")?;
            let extraction = extract(&arguments.into_config(shows_progress, interrupt)?)?;
            Ok(if extraction.interrupted { Outcome::Interrupted } else { Outcome::Done })
        }
        Command::Import(arguments) => {
            let interrupt = Interrupt::listen().context("cannot listen for signals")?;
            let import = import(&arguments, &interrupt)?;
            Ok(if import.interrupted { Outcome::Interrupted } else { Outcome::Done })
        }
        Command::Verify(arguments) => verify(&arguments),
        Command::Inspect(arguments) => inspect(&arguments),
    }
}
