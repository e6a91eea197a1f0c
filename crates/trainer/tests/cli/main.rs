//! What the program `trainer` does, through its command line, on stores of made-up features.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says when it skips"
)]

mod damage;
mod divergence;
mod fine_tune;
mod machine;
mod messages;
mod numbers;
mod options;
mod probe;
mod resume;
mod run;
#[path = "../../../cli/tests/support/shell.rs"]
mod shell;
mod support;
mod tensorboard;
mod validation;
mod views;
