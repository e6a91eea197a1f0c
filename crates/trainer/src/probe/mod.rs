//! `trainer probe`: a regularised linear classifier on frozen features, the way practitioners judge them.
//!
//! Rows are pooled and scaled in several ways, and each is fitted with several strengths of the penalty; what does best on
//! photographs that were left out is fitted to all of them.

mod folder;

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use convbase_core::exit::{Hinted, WithHint};
use convbase_core::store::FeatureStore;
use convbase_core::{Classes, FeatureShape};
use convbase_nn::probe::{
    Candidate, Coefficients, Gathered, Grid, Judged, RowScaling, Split, Table, best, check_memory,
    outputs_of, stratified,
};
use convbase_nn::{
    Activation, CheckpointMetadata, Device, Head, HeadShape, Input, MapPooling, MinibatchError, Preparation,
    Rows,
};
use indicatif::ProgressBar;
use tracing::info;

use crate::args::{ClassWeight, Judges, ProbeConfig};
use crate::stores::{Stores, hint_about_files, without_rows};
use folder::ProbeFolder;

/// What a probe left behind.
#[derive(Debug)]
pub struct Probe {
    /// The checkpoint.
    pub best: PathBuf,
    /// How rows were pooled.
    pub pooling: MapPooling,
    /// How rows were scaled.
    pub scaling: RowScaling,
    /// The strength of the penalty: the smaller, the stronger.
    pub c: f64,
    /// The mean cross-entropy on photographs that were left out, after calibration.
    pub val_loss: f64,
    /// The share of them that was right.
    pub val_accuracy: f64,
}

/// Fits a linear classifier, choosing what was left to it.
pub fn probe(config: &ProbeConfig) -> anyhow::Result<Probe> {
    let judges = match &config.judges {
        Judges::Store(folder) => Some(folder),
        Judges::Folds(_) => None,
    };
    let Stores { train: store, validation: judges } =
        Stores::open(&config.features, judges, config.no_verify)?;
    let spec = store.manifest().spec();
    let classes = store.manifest().classes().clone();
    let is_map = spec.shape.sides().len() == 3;
    let poolings = config.poolings(is_map).with_context(|| format!("`{}`", config.features.display()))?;
    let name = config.features.display().to_string();
    check_memory(store.rows(), &spec.shape, &poolings, config.threads)
        .with_context(|| format!("cannot fit a probe to `{name}`"))
        .hint(|| "`--pooling avg` makes rows short; fewer `--threads` need less")?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(config.threads).build();
    let threads = threads.with_context(|| format!("cannot start {} threads", config.threads))?;

    let rows = labelled(&store, &classes, &name)?;
    let folds = folds_of(config, &rows, &classes, &name)?;
    let folder = ProbeFolder::create(config, &store, judges.as_ref())?;
    let train = gathered(&rows, &spec.shape, &poolings)?;
    let judging = match &judges {
        Some(judges) => {
            let name = judges.folder().display().to_string();
            Some(gathered(&labelled(judges, &classes, &name)?, &spec.shape, &poolings)?)
        }
        None => None,
    };
    let splits = match &judging {
        Some(judging) => vec![Split::by_others(&train, judging)],
        None => Split::by_folds(&train, &folds),
    };
    let grid = Grid {
        poolings: &poolings,
        scalings: &config.scalings,
        strengths: &config.strengths,
        balances: config.class_weight == ClassWeight::Balanced,
        classes: classes.len(),
    };
    let tasks = poolings.len() * config.scalings.len() * splits.len();
    let progress = if config.shows_progress { ProgressBar::new(tasks as u64) } else { ProgressBar::hidden() };
    let judged = threads.install(|| grid.judge(&splits, || progress.inc(1)))?;
    progress.finish_and_clear();
    let Some(&Judged { candidate, .. }) = best(&judged) else { bail!("`{name}`: there is nothing to try") };
    let table = Table { grid: &grid, judged: &judged, best: candidate };
    info!(%table, "mean cross-entropy on photographs that were left out");
    folder.save_grid(&poolings, &judged)?;

    let held_out = threads.install(|| grid.all_held_out(&splits, candidate))?;
    let temperature = if config.calibrates { held_out.temperature(classes.len()) } else { 1.0 };
    folder.save_held_out(judges.as_ref().unwrap_or(&store), &classes, &held_out, temperature)?;
    let pooling = &train[candidate.pooling];
    let everything: Vec<usize> = (0..pooling.len()).collect();
    let coefficients = grid.fit(pooling, &everything, candidate)?;
    let probe = Probe {
        best: folder.best(),
        pooling: pooling.pooling(),
        scaling: candidate.scaling,
        c: candidate.c,
        val_loss: held_out.loss(temperature, classes.len()),
        val_accuracy: held_out.accuracy(),
    };
    let head = head(&store, &probe, &coefficients, temperature, classes.len())?;
    let metadata = CheckpointMetadata {
        spec: spec.clone(),
        classes,
        head: head.shape().clone(),
        epoch: 0,
        val_loss: probe.val_loss,
        val_accuracy: probe.val_accuracy,
        tail_weights: None,
        views: None,
    };
    folder.save_best(&head, &metadata)?;
    report(&probe, temperature, candidate);
    Ok(probe)
}

/// The rows of a store, of which every class has some.
fn labelled<'store>(
    store: &'store FeatureStore,
    classes: &Classes,
    name: &str,
) -> anyhow::Result<Rows<'store>> {
    let rows = Rows::new(store, classes).with_context(|| format!("cannot use `{name}`"))?;
    ensure!(classes.len() >= 2, "`{name}`: classes: expected at least 2, found {}", classes.len());
    ensure!(!rows.is_empty(), "`{name}`: expected rows, found none");
    Ok(rows)
}

/// The fold of each row; none where a store of its own judges.
fn folds_of(config: &ProbeConfig, rows: &Rows, classes: &Classes, name: &str) -> anyhow::Result<Vec<usize>> {
    if let Some(class) = without_rows(rows, classes).next() {
        Err(anyhow::anyhow!("`{name}`: class `{class}`: expected photographs, found none"))
            .hint(hint_about_files)?;
    }
    let Judges::Folds(folds) = config.judges else { return Ok(Vec::new()) };
    Ok(stratified(rows.labels(), classes.names(), folds, config.seed)
        .with_context(|| format!("`{name}`"))
        .hint(|| "lower `--folds`, or judge by a store of its own: `--validation DIR`")?)
}

/// The rows, pooled in each way.
fn gathered(rows: &Rows, shape: &FeatureShape, poolings: &[MapPooling]) -> anyhow::Result<Vec<Gathered>> {
    Gathered::all(rows, shape, poolings).map_err(|error| match error {
        MinibatchError::NotFinite { .. } => Hinted::new(error, "`extractor verify` finds all of them").into(),
        _ => error.into(),
    })
}

/// The classifier as a linear head that pools and scales by itself, its logits divided by the temperature.
fn head(
    store: &FeatureStore,
    probe: &Probe,
    coefficients: &Coefficients,
    temperature: f64,
    classes: usize,
) -> anyhow::Result<Head> {
    let shape = &store.manifest().spec().shape;
    let preparation = Preparation::new(shape, probe.pooling, probe.scaling == RowScaling::UnitLength);
    let input = Input { tail: None, preparation: Some(preparation) };
    let shape = HeadShape { input, ..HeadShape::new(preparation.width(), 0, Activation::None, classes) };
    debug_assert_eq!(coefficients.bias.len(), outputs_of(classes));
    let calm = |numbers: &[f64]| numbers.iter().map(|number| (number / temperature) as f32).collect();
    Ok(Head::linear(shape, calm(&coefficients.weight), calm(&coefficients.bias), Device::Cpu)?)
}

fn report(probe: &Probe, temperature: f64, candidate: Candidate) {
    info!(
        val_loss = probe.val_loss,
        val_accuracy = probe.val_accuracy,
        "`{}`: pooling {}, scaling {}, C {}, temperature {temperature:.3}: val_loss {:.4}, val_accuracy {:.4}",
        probe.best.display(),
        probe.pooling,
        candidate.scaling,
        candidate.c,
        probe.val_loss,
        probe.val_accuracy
    );
}
