//! What the program `evaluator` does, through its command line.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checkpoints;
mod classes;
mod evaluate;
mod features;
mod messages;
mod mismatch;
mod predict;
mod support;
mod views;
