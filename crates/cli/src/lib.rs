//! What the command lines of the stages share: how much is said and in what form, and how a program ends.

mod common;
mod log;
mod run;
mod stuck;

pub use common::CommonArguments;
pub use run::run;
pub use stuck::end_after;
