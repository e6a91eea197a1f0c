//! The command line.

mod audit;
mod compare;
mod evaluate;
mod export;
mod predict;

use clap::{Parser, Subcommand, ValueEnum};
use convbase_cli::CommonArguments;

pub use audit::AuditArguments;
pub use compare::{CompareArguments, ComparisonFormat};
pub use evaluate::EvaluateArguments;
pub use export::{ExportArguments, ExportFormat};
pub(crate) use predict::is_stdin;
pub use predict::{OutputFormat, PredictArguments};

/// Say how good a checkpoint is, and what it sees in photographs.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    common: CommonArguments,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed or an image could not be predicted, 2 usage.\n\
    RUST_LOG overrides -v and -q.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure a checkpoint on a feature store: metrics.json, predictions.csv, figures, and a page to look at: report.html
    Evaluate(EvaluateArguments),
    /// Say which of several reports on the same photographs is better, and whether that may be chance
    Compare(CompareArguments),
    /// Look through feature stores for doubtful labels, twins and odd ones out
    Audit(AuditArguments),
    /// Print class probabilities of photographs, one line each
    Predict(PredictArguments),
    /// Write base and head as one file for other programs: pixels in, class probabilities out
    Export(ExportArguments),
}

/// What is asked of a photograph that has several views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ViewsUsed {
    /// View 0, the photograph itself.
    First,
    /// All of them; the probabilities are averaged.
    Mean,
}

impl Arguments {
    /// The options that every program has.
    pub fn common(&self) -> &CommonArguments {
        &self.common
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
