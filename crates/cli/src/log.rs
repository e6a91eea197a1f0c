//! Messages to stderr.

use std::io::IsTerminal;

use convbase_core::exit::LogFormat;
use tracing_subscriber::fmt::format::debug_fn;

use crate::CommonArguments;

/// Sends all messages of this process to stderr, as the arguments say.
pub(crate) fn start(arguments: &CommonArguments) {
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
}
