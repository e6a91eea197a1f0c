//! What the program `evaluator` does, through its command line.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says when it skips"
)]

mod audit;
mod audit_store;
mod checkpoints;
mod classes;
mod compare;
mod evaluate;
mod export;
mod features;
mod machine;
mod messages;
mod mismatch;
mod numbers;
mod page;
mod predict;
#[path = "../../../cli/tests/support/shell.rs"]
mod shell;
mod support;
mod views;
