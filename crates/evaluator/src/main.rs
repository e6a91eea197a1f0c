//! Says how good a checkpoint is, and what it sees in photographs.

use std::process::ExitCode;

use evaluator::Arguments;

fn main() -> ExitCode {
    convbase_nn::leave_quickly();
    convbase_nn::keep_freed_memory();
    convbase_cli::run("evaluator", Arguments::common, evaluator::run)
}
