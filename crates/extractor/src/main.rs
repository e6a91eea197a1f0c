//! Turns folders of photographs into feature stores.

use std::process::ExitCode;

use extractor::Arguments;

fn main() -> ExitCode {
    convbase_nn::leave_quickly();
    convbase_nn::keep_freed_memory();
    convbase_cli::run("extractor", Arguments::common, extractor::run)
}
