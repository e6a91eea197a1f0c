//! What the program `trainer` does, through its command line, on stores of made-up features.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod divergence;
mod fine_tune;
mod messages;
mod options;
mod probe;
mod resume;
mod run;
mod support;
mod validation;
mod views;
