//! What the program `extractor` does, through its command line.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says when it skips"
)]

mod damage;
mod exclude;
mod extract;
mod features;
mod folders;
mod hostile;
mod import;
mod machine;
mod messages;
mod plan;
mod rejected;
#[path = "../../../cli/tests/support/shell.rs"]
mod shell;
mod support;
mod tasks;
mod views;
