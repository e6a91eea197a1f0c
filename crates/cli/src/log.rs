//! Messages to stderr.

use std::io::IsTerminal;

use convbase_core::escaped;
use convbase_core::exit::LogFormat;
use tracing_subscriber::fmt::format::debug_fn;

use crate::CommonArguments;

/// Sends all messages of this process to stderr, as the arguments say.
pub(crate) fn start(arguments: &CommonArguments) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(arguments.log_filter())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // Where nobody reads stderr any more, or its disk is full, the work goes on: saying so there would panic.
        .log_internal_errors(false)
        .with_target(false);
    match arguments.log_format {
        // A message for people holds its figures already; the fields are for programs.
        // Names of files stand in messages: none of them may end a line or reach the terminal. What has lines of its own is
        // the field `table`.
        LogFormat::Text => log
            .without_time()
            .fmt_fields(debug_fn(|out, field, value| match field.name() {
                "message" => write!(out, "{}", escaped(&format!("{value:?}"))),
                "table" => {
                    format!("{value:?}").lines().try_for_each(|line| write!(out, "\n{}", escaped(line)))
                }
                _ => Ok(()),
            }))
            .init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
