//! `extractor inspect`: what a store holds, for people and for programs.

use std::io::{self, Write};

use convbase_core::Label;
use convbase_core::exit::{Outcome, StdoutError};
use convbase_core::store::{FeatureStore, Manifest, RowStatus};
use serde::Serialize;

use crate::args::InspectArguments;

#[derive(Serialize)]
struct Inspection<'a> {
    manifest: &'a Manifest,
    listed: usize,
    embedded: usize,
    rows: usize,
    rejected: Vec<Rejected>,
    rows_per_class: Vec<ClassRows<'a>>,
    digest: String,
}

#[derive(Serialize)]
struct Rejected {
    path: String,
    error: String,
}

#[derive(Serialize)]
struct ClassRows<'a> {
    class: &'a str,
    rows: usize,
}

/// Prints what a finished store holds to stdout.
pub fn inspect(arguments: &InspectArguments) -> anyhow::Result<Outcome> {
    let store = FeatureStore::open(&arguments.store)?;
    let manifest = store.manifest();
    let rejected: Vec<Rejected> = store
        .records()?
        .into_iter()
        .filter_map(|record| match record.status {
            RowStatus::Rejected { error } => Some(Rejected { path: record.path, error }),
            RowStatus::Ok { .. } => None,
        })
        .collect();
    let count = |wanted: Label| store.labels().iter().filter(|label| **label == wanted).count();
    let classes = manifest.classes().labelled();
    let inspection = Inspection {
        manifest,
        listed: manifest.listing().images,
        embedded: store.photographs(),
        rows: store.rows(),
        rejected,
        rows_per_class: classes.map(|(label, class)| ClassRows { class, rows: count(label) }).collect(),
        digest: store.digest().to_string(),
    };
    let mut stdout = io::stdout().lock();
    let printed =
        if arguments.json { print_json(&inspection, &mut stdout) } else { print(&inspection, &mut stdout) };
    printed.map_err(StdoutError::from)?;
    Ok(Outcome::Done)
}

fn print_json(inspection: &Inspection, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, inspection)?;
    writeln!(out)
}

fn print(inspection: &Inspection, out: &mut impl Write) -> io::Result<()> {
    let manifest = inspection.manifest;
    let spec = manifest.spec();
    writeln!(
        out,
        "features       {} {} of {}, {} per image",
        spec.layer, spec.pooling, spec.architecture, spec.shape
    )?;
    writeln!(
        out,
        "photographs    {}, {}, preprocess {}",
        spec.image_size, spec.interpolation, spec.preprocess
    )?;
    writeln!(out, "numbers        {}, computed in {}", manifest.dtype(), manifest.precision())?;
    writeln!(out, "weights        {}", spec.weights)?;
    writeln!(out, "feature id     {}", manifest.feature_id())?;
    writeln!(out, "store digest   {}", inspection.digest)?;
    writeln!(out, "shards         {} of {} listed images", manifest.shards().len(), manifest.shard_size())?;
    let (listed, embedded, rejected) = (inspection.listed, inspection.embedded, inspection.rejected.len());
    writeln!(out, "images         listed {listed} = embedded {embedded} + rejected {rejected}")?;
    if let Some(views) = manifest.views() {
        writeln!(out, "rows           {}: of each photograph {views}", inspection.rows)?;
    }
    for ClassRows { class, rows } in &inspection.rows_per_class {
        writeln!(out, "class          {rows:>7} rows  {class}")?;
    }
    for Rejected { path, error } in &inspection.rejected {
        writeln!(out, "rejected       {path}: {error}")?;
    }
    Ok(())
}
