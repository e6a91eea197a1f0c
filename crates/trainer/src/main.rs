//! Fits a small classifier head on stored features.

use std::process::ExitCode;

use trainer::Arguments;

fn main() -> ExitCode {
    convbase_nn::leave_quickly();
    convbase_nn::keep_freed_memory();
    convbase_cli::run("trainer", Arguments::common, trainer::run)
}
