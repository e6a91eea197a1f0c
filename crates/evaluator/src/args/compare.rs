//! `evaluator compare`.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, ValueEnum};

use super::Arguments;

/// The arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// Folder for comparison.json and comparison.html
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// table for people; json, as in comparison.json; auto: table on a terminal, else json
    #[arg(long, value_enum, default_value = "auto")]
    pub format: ComparisonFormat,
    /// Two or more report folders that `evaluator evaluate` made of the same photographs
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<PathBuf>,
}

/// How a comparison is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ComparisonFormat {
    /// Tables on a terminal, else JSON.
    Auto,
    /// Tables.
    Table,
    /// What `comparison.json` holds.
    Json,
}

impl CompareArguments {
    /// Refuses a report that has nothing to be compared with.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        match self.reports.len() {
            0 | 1 => {
                let text = format!("reports: expected at least 2 folders, found {}", self.reports.len());
                Err(Arguments::command().error(ErrorKind::TooFewValues, text))
            }
            _ => Ok(()),
        }
    }
}
