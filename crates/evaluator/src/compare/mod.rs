//! `evaluator compare`: reports in, which of them is better and by how much out.

mod claims;
mod comparison;
mod names;
mod page;
mod report_folder;
mod tables;
mod test_set;
mod whiskers;

use std::io::{self, IsTerminal, Write};

use anyhow::bail;
use convbase_core::exit::{Outcome, StdoutError, one_line};
use convbase_core::{Artifact, write_artifact};
use tracing::info;

use crate::args::{CompareArguments, ComparisonFormat};
use comparison::Comparison;
use names::distinct_names;
use report_folder::ReportFolder;

/// Compares reports on the same photographs, and prints or writes what differs.
pub fn compare(arguments: &CompareArguments) -> anyhow::Result<Outcome> {
    arguments.check()?;
    // Begun first: a folder that cannot be written is known before anything is read. It appears last.
    let json =
        arguments.out.as_ref().map(|out| Artifact::create(&out.join("comparison.json"))).transpose()?;
    let names = distinct_names(&arguments.reports)?;
    let reports = open_all(arguments)?;
    let comparison = Comparison::new(names, &reports)?;

    let text = comparison.to_json()?;
    if let (Some(out), Some(mut json)) = (&arguments.out, json) {
        write_artifact(&out.join("comparison.html"), page::render(&comparison)?.as_bytes())?;
        json.write_all(text.as_bytes()).map_err(|source| json.error(source))?;
        json.finish()?;
        info!("`{}`: {} reports compared", out.display(), reports.len());
    }
    let is_table = match arguments.format {
        ComparisonFormat::Auto => io::stdout().is_terminal(),
        ComparisonFormat::Table => true,
        ComparisonFormat::Json => false,
    };
    let text = if is_table { tables::tables(&comparison) } else { text };
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(StdoutError::from)?;
    Ok(Outcome::Done)
}

/// Opens every report; all that cannot be used are told together.
fn open_all(arguments: &CompareArguments) -> anyhow::Result<Vec<ReportFolder>> {
    let (mut reports, mut errors) = (Vec::new(), Vec::new());
    for folder in &arguments.reports {
        match ReportFolder::open(folder) {
            Ok(report) => reports.push(report),
            Err(error) => errors.push(error),
        }
    }
    match errors.len() {
        0 => Ok(reports),
        1 => Err(errors.remove(0)),
        _ => {
            let lines: Vec<String> = errors.iter().map(|error| one_line(error.as_ref())).collect();
            bail!(
                "{} of {} reports cannot be used: {}",
                errors.len(),
                arguments.reports.len(),
                lines.join("; ")
            )
        }
    }
}
