//! Says how good a checkpoint is, and what it sees in photographs.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use convbase_core::exit::{self, LogFormat};
use evaluator::Arguments;
use tracing_subscriber::fmt::format::debug_fn;

fn main() -> ExitCode {
    convbase_nn::leave_quickly();
    let arguments = Arguments::parse();
    let log = tracing_subscriber::fmt()
        .with_env_filter(arguments.log_filter())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match arguments.log_format {
        // A message for people holds its figures already; the fields are for programs.
        LogFormat::Text => log
            .without_time()
            .fmt_fields(debug_fn(|out, field, value| match field.name() {
                "message" => write!(out, "{value:?}"),
                _ => Ok(()),
            }))
            .init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    exit::code("evaluator", arguments.log_format, evaluator::run(arguments))
}
