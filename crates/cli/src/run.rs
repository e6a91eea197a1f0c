//! From the command line to the exit code.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use convbase_core::exit::{self, LogFormat, Outcome, StdoutError};

use crate::{CommonArguments, log};

/// Parses the command line, starts the log, does the work, and turns its end into an exit code. `program` begins the
/// line of an error. A command line that cannot be parsed, or an error that is clap's, gives exit code 2.
pub fn run<A, E>(
    program: &str,
    common: impl FnOnce(&A) -> &CommonArguments,
    work: impl FnOnce(A) -> Result<Outcome, E>,
) -> ExitCode
where
    A: Parser,
    E: AsRef<dyn Error + Send + Sync>,
{
    let arguments = match A::try_parse() {
        Ok(arguments) => arguments,
        Err(said) => return tell(program, &said),
    };
    let common = common(&arguments);
    log::start(common);
    let format = common.log_format;
    let result = work(arguments);
    // What only shows when the words are put together is a mistake in them all the same.
    if let Err(error) = &result
        && let Some(usage) = error.as_ref().downcast_ref::<clap::Error>()
    {
        return tell(program, usage);
    }
    exit::code(program, format, result)
}

/// Prints help, which goes to stdout, or what is wrong with the words.
fn tell(program: &str, said: &clap::Error) -> ExitCode {
    let printed = said.print().and_then(|()| io::stdout().flush());
    match printed.map_err(StdoutError::from) {
        Err(error) if !said.use_stderr() => {
            exit::code(program, LogFormat::Text, Err::<_, Box<dyn Error + Send + Sync>>(error.into()))
        }
        _ => u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
    }
}
