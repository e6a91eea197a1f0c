//! `evaluator audit`: doubtful labels, twins and odd ones out, from frozen features alone.

mod confident;
mod directions;
mod exclusion_list;
mod findings;
mod held_out;
mod leakage;
mod nearest;
mod neighbours;
mod outliers;
mod page;
mod photographs;
mod products;
mod rounding;
mod shown;
mod summary;
mod tables;
mod twins;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, ensure};
use convbase_core::{Artifact, processors, write_artifact};
use tracing::info;

use crate::args::AuditArguments;
pub(crate) use leakage::{Leak, leaks};

use exclusion_list::Proposal;
use findings::Findings;
use photographs::Photographs;
use summary::{Summary, exclusions_name, is_exclusions_name};

/// What an audit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// Photographs that were looked at.
    pub photographs: usize,
    /// Those whose labels are doubtful.
    pub doubtful: usize,
    /// Those that are twins of earlier ones.
    pub twins: usize,
    /// Sets of twins with photographs of more than one store.
    pub sets_between_stores: usize,
    /// Those that are far from all others.
    pub outliers: usize,
}

/// Audits stores together and writes what it found. Never changes them.
pub fn audit(arguments: &AuditArguments) -> anyhow::Result<Audit> {
    // Begun first: a folder that cannot be written is known before anything is computed. It appears last.
    let mut json = Artifact::create(&arguments.out.join("audit.json"))?;
    check_images(arguments)?;
    let threads = arguments.threads.map_or_else(processors, |threads| threads as usize);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.with_context(|| format!("cannot start {threads} threads"))?;
    let photographs = Photographs::open(arguments, threads)?;
    let spec = photographs.spec().context("expected a store, found none")?;
    let findings = pool.install(|| Findings::new(&photographs, arguments))?;
    let proposal = Proposal::new(findings.doubtful(), &findings.sets());
    let summary = Summary::new(arguments, &photographs, spec, &findings, &proposal);

    let out = &arguments.out;
    for (name, text) in [
        ("labels.csv", tables::labels(&photographs, &findings)),
        ("twins.csv", tables::twins(&photographs, &findings)),
        ("outliers.csv", tables::outliers(&photographs, &findings)),
        ("held_out.csv", tables::held_out(&photographs, &findings)),
    ] {
        write_artifact(&out.join(name), text.as_bytes())?;
    }
    if !arguments.no_page {
        let page = page::page(arguments, &photographs, &findings, &proposal, &summary)?;
        write_artifact(&out.join("audit.html"), page.as_bytes())?;
    }
    write_exclusions(out, &photographs, &findings, &proposal)?;
    json.write_all(&as_json(&summary)?).map_err(|source| json.error(source))?;
    json.finish()?;
    Ok(report(out, &photographs, &summary))
}

/// The folders of photographs, if any are given, are one for each store.
fn check_images(arguments: &AuditArguments) -> anyhow::Result<()> {
    let (found, expected) = (arguments.images.len(), arguments.stores.len());
    ensure!(
        found == 0 || found == expected,
        "`--images`: expected one folder for each of {expected} stores, found {found}"
    );
    for folder in &arguments.images {
        fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
    }
    Ok(())
}

/// A list for each store. Those of an earlier audit of other stores go.
fn write_exclusions(
    out: &Path,
    photographs: &Photographs,
    findings: &Findings,
    proposal: &Proposal,
) -> anyhow::Result<()> {
    let entries = fs::read_dir(out).with_context(|| format!("cannot list `{}`", out.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot list `{}`", out.display()))?.path();
        let is_list = path.file_name().and_then(OsStr::to_str).is_some_and(is_exclusions_name);
        if is_list && exclusion_list::is_proposed(&path) {
            fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
        }
    }
    let count = photographs.stores.len();
    for store in 0..count {
        let text = proposal.list(store, photographs, findings);
        write_artifact(&out.join(exclusions_name(store, count)), text.as_bytes())?;
    }
    Ok(())
}

fn as_json(summary: &Summary) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(summary)?;
    text.push(b'\n');
    Ok(text)
}

fn report(out: &Path, photographs: &Photographs, summary: &Summary) -> Audit {
    let audit = Audit {
        photographs: photographs.all.len(),
        doubtful: summary.labels.as_ref().map_or(0, |labels| labels.doubtful),
        twins: summary.twins.photographs,
        sets_between_stores: summary.twins.sets_between_stores,
        outliers: summary.outliers.photographs,
    };
    info!(
        photographs = audit.photographs,
        doubtful = audit.doubtful,
        twins = audit.twins,
        sets_between_stores = audit.sets_between_stores,
        outliers = audit.outliers,
        "`{}`: of {} photographs {} have doubtful labels, {} are twins of others ({} sets, {} of them between stores), {} \
         are odd",
        out.display(),
        audit.photographs,
        audit.doubtful,
        audit.twins,
        summary.twins.sets,
        audit.sets_between_stores,
        audit.outliers
    );
    audit
}
