//! From the command line to the exit code.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use convbase_core::exit::{self, Outcome};

use crate::{CommonArguments, log};

/// Parses the command line, starts the log, does the work, and turns its end into an exit code. `program` begins the
/// line of an error. A command line that cannot be parsed, or an error that is clap's, ends the
/// process with exit code 2.
pub fn run<A, E>(
    program: &str,
    common: impl FnOnce(&A) -> &CommonArguments,
    work: impl FnOnce(A) -> Result<Outcome, E>,
) -> ExitCode
where
    A: Parser,
    E: AsRef<dyn Error + Send + Sync>,
{
    let arguments = A::parse();
    let common = common(&arguments);
    log::start(common);
    let format = common.log_format;
    let result = work(arguments);
    // What only shows when the words are put together is a mistake in them all the same.
    if let Err(error) = &result
        && let Some(usage) = error.as_ref().downcast_ref::<clap::Error>()
    {
        usage.exit();
    }
    exit::code(program, format, result)
}
