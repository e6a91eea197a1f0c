//! `extractor verify`: everything that is wrong with stores.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use convbase_core::exit::{Outcome, StdoutError};
use convbase_core::store::{self, ShardName, Task, Verification};

use crate::args::VerifyArguments;

/// Verifies stores and prints one line per finding to stdout, then one per store.
pub fn verify(arguments: &VerifyArguments) -> anyhow::Result<Outcome> {
    let mut stdout = io::stdout().lock();
    let mut findings = 0;
    for folder in &arguments.stores {
        let verification = store::verify(folder);
        findings += verification.findings.len();
        match print(&mut stdout, folder, &verification, arguments.task_count) {
            // Whoever has read enough of the findings is still told by the exit code that there are some.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && findings > 0 => break,
            printed => printed.map_err(StdoutError::from)?,
        }
    }
    Ok(if findings == 0 { Outcome::Done } else { Outcome::Findings })
}

fn print(
    out: &mut impl Write,
    folder: &Path,
    verification: &Verification,
    task_count: Option<u32>,
) -> io::Result<()> {
    for finding in &verification.findings {
        writeln!(out, "{}: {}", folder.join(&finding.file).display(), finding.problem)?;
    }
    let verdict = match verification.findings.len() {
        0 => "ok".to_owned(),
        count => format!("{count} findings"),
    };
    writeln!(
        out,
        "{}: {verdict}; {} shards, listed {} = embedded {} + rejected {}, {} bytes hashed",
        folder.display(),
        verification.shards,
        verification.images,
        verification.embedded,
        verification.rejected,
        verification.bytes
    )?;
    if !verification.missing.is_empty() {
        writeln!(out, "{}: {}", folder.display(), missing(&verification.missing, task_count))?;
    }
    Ok(())
}

/// The missing shards, and the tasks that make them, in a form that can be pasted.
fn missing(shards: &[ShardName], task_count: Option<u32>) -> String {
    // Without a count each shard counts as a task of its own.
    let count = task_count.map_or(shards.first().map_or(1, |shard| shard.count), |count| count as usize);
    let list = |numbers: &BTreeSet<usize>| numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let indices: BTreeSet<usize> = shards.iter().map(|shard| shard.index).collect();
    let tasks: BTreeSet<usize> = shards.iter().map(|shard| Task::of(*shard, count).index()).collect();
    format!(
        "missing shards {}: run again with --task-count {count} as --array={}",
        list(&indices),
        list(&tasks)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_shards_are_told_as_the_tasks_that_make_them() {
        let shards = [3, 7, 9].map(|index| ShardName { index, count: 12 });
        assert_eq!(
            missing(&shards, None),
            "missing shards 3,7,9: run again with --task-count 12 as --array=3,7,9"
        );
        assert_eq!(
            missing(&shards, Some(4)),
            "missing shards 3,7,9: run again with --task-count 4 as --array=1,3"
        );
    }
}
