//! Turns folders of photographs into feature stores.
//!
//! Five commands: [`check`] looks through a folder of photographs; [`extract`] decodes, embeds and writes; [`import`]
//! takes what another program saved; [`verify`] re-reads and re-hashes; [`inspect`] tells what a store holds.

mod args;
mod check;
mod disk;
mod extract;
mod images_folder;
mod import;
mod inspect;
mod machine_failure;
mod pipeline;
mod progress;
mod rejection_limit;
mod task_arguments;
mod verify;
mod view_arguments;

use std::time::Duration;

use anyhow::Context;
use convbase_cli::end_after;
use convbase_core::Interrupt;
use convbase_core::exit::Outcome;

pub use args::{
    Arguments, CheckArguments, Choice, Command, ExtractArguments, ExtractConfig, ImportArguments,
    InspectArguments, VerifyArguments,
};
pub use check::check;
pub use extract::{Extraction, extract};
pub use import::{Import, import};
pub use inspect::inspect;
pub use task_arguments::{TaskArguments, TaskArgumentsError};
pub use verify::verify;
pub use view_arguments::ViewArguments;

/// How long a batch or the syncing of a shard that is under way may take after a signal: a shard that is nearly finished
/// is not to be lost on a slow disk. Slurm kills after 30 s.
const GRACE: Duration = Duration::from_secs(20);

/// Runs the command that the arguments name.
pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let shows_progress = arguments.common().shows_progress();
    match arguments.command {
        Command::Extract(arguments) => {
            let interrupt = Interrupt::listen().context("cannot listen for signals")?;
            // What is read may lie on a disk that has gone away.
            end_after(&interrupt, GRACE).context("cannot start a thread")?;
            let extraction = extract(&arguments.into_config(shows_progress, interrupt)?)?;
            Ok(if extraction.interrupted { Outcome::Interrupted } else { Outcome::Done })
        }
        Command::Import(arguments) => {
            let interrupt = Interrupt::listen().context("cannot listen for signals")?;
            let import = import(&arguments, &interrupt)?;
            Ok(if import.interrupted { Outcome::Interrupted } else { Outcome::Done })
        }
        Command::Check(arguments) => {
            let interrupt = Interrupt::listen().context("cannot listen for signals")?;
            end_after(&interrupt, GRACE).context("cannot start a thread")?;
            check(&arguments, shows_progress, &interrupt)
        }
        Command::Verify(arguments) => verify(&arguments),
        Command::Inspect(arguments) => inspect(&arguments),
    }
}
