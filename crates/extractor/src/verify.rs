//! `extractor verify`: everything that is wrong with stores.

use std::collections::BTreeSet;
use std::io::{self, Write};

use convbase_core::exit::Outcome;
use convbase_core::store::{self, ShardName, Task};

use crate::args::VerifyArguments;

/// Verifies stores and prints one line per finding to stdout, then one per store.
pub fn verify(arguments: &VerifyArguments) -> anyhow::Result<Outcome> {
    let mut stdout = io::stdout().lock();
    let mut findings = 0;
    for folder in &arguments.stores {
        let verification = store::verify(folder);
        for finding in &verification.findings {
            writeln!(
                stdout,
                "{}",
                folder.join(&finding.file).display().to_string() + ": " + &finding.problem
            )?;
        }
        let verdict = match verification.findings.len() {
            0 => "ok".to_owned(),
            count => format!("{count} findings"),
        };
        writeln!(
            stdout,
            "{}: {verdict}; {} shards, listed {} = embedded {} + rejected {}, {} bytes hashed",
            folder.display(),
            verification.shards,
            verification.images,
            verification.embedded,
            verification.rejected,
            verification.bytes
        )?;
        if !verification.missing.is_empty() {
            writeln!(
                stdout,
                "{}: {}",
                folder.display(),
                missing(&verification.missing, arguments.task_count)
            )?;
        }
        findings += verification.findings.len();
    }
    Ok(if findings == 0 { Outcome::Done } else { Outcome::Findings })
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
