//! Says how good a checkpoint is on stored features, and what it sees in new photographs.

mod args;
mod audit;
mod checkpoint_base;
mod compare;
mod confusion_figure;
mod evaluate;
mod export;
mod not_finite;
mod page;
mod predict;
mod report_page;
mod roc_figure;

use convbase_core::exit::Outcome;

pub use args::{
    Arguments, AuditArguments, Command, CompareArguments, ComparisonFormat, EvaluateArguments,
    ExportArguments, ExportFormat, OutputFormat, PredictArguments, ViewsUsed,
};
pub use audit::{Audit, audit};
pub use compare::compare;
pub use confusion_figure::draw_confusion;
pub use evaluate::evaluate;
pub use export::export;
pub use predict::predict;
pub use roc_figure::draw_roc;

/// Runs the command that the arguments name.
pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let shows_progress = arguments.common().shows_progress();
    match arguments.command {
        Command::Evaluate(arguments) => {
            evaluate(&arguments)?;
            Ok(Outcome::Done)
        }
        Command::Audit(arguments) => {
            audit(&arguments)?;
            Ok(Outcome::Done)
        }
        Command::Compare(arguments) => compare(&arguments),
        Command::Predict(arguments) => predict(&arguments, shows_progress),
        Command::Export(arguments) => {
            export(&arguments)?;
            Ok(Outcome::Done)
        }
    }
}
