//! `extractor verify`: everything that is wrong with stores.

use std::io::{self, Write};

use convbase_core::exit::Outcome;
use convbase_core::store;

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
            verification.rows,
            verification.rejected,
            verification.bytes
        )?;
        findings += verification.findings.len();
    }
    Ok(if findings == 0 { Outcome::Done } else { Outcome::Findings })
}
