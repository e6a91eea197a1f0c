//! From the command line to the exit code.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use convbase_core::exit::{self, Outcome};

use crate::{CommonArguments, log};

/// Parses the command line, starts the log, does the work, and turns its end into an exit code. `program` begins the
/// line of an error. A command line that cannot be parsed ends the process with exit code 2.
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
    exit::code(program, format, work(arguments))
}
