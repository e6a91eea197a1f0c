//! `trainer probe`: a regularised linear classifier on frozen features, the way practitioners judge them.
//!
//! Rows are pooled and scaled in several ways, and each is fitted with several strengths of the penalty; what does best on
//! photographs that were left out is fitted to all of them.

mod folder;
mod folds;
mod gathered;
mod grid;
mod loss;
mod regression;
mod scaling;
mod temperature;

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use convbase_core::Classes;
use convbase_core::exit::WithHint;
use convbase_core::store::FeatureStore;
use convbase_nn::{
    Activation, CheckpointMetadata, Device, Head, HeadShape, Input, MapPooling, Preparation, Rows,
};
use indicatif::ProgressBar;
use tracing::info;

pub use scaling::{RowScaling, UnknownRowScaling};

use crate::args::{Judges, ProbeConfig};
use crate::stores::{Stores, hint_about_files, without_rows};
use folder::ProbeFolder;
use gathered::{Gathered, check_memory};
use grid::{Candidate, Grid, Judged, Split, Table, best};
use loss::{is_right, outputs_of};
use regression::Coefficients;

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
    check_memory(store.rows(), &spec.shape, &poolings, config.threads, &name)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(config.threads).build();
    let threads = threads.with_context(|| format!("cannot start {} threads", config.threads))?;

    let rows = labelled(&store, &classes, &name)?;
    let folds = folds_of(config, &rows, &classes, &name)?;
    let folder = ProbeFolder::create(config, &store, judges.as_ref())?;
    let train = Gathered::all(&rows, &spec.shape, &poolings, &name)?;
    let judging = match &judges {
        Some(judges) => {
            let name = judges.folder().display().to_string();
            Some(Gathered::all(&labelled(judges, &classes, &name)?, &spec.shape, &poolings, &name)?)
        }
        None => None,
    };
    let splits = splits(&train, judging.as_deref(), &folds);
    let grid = Grid {
        poolings: &poolings,
        scalings: &config.scalings,
        strengths: &config.strengths,
        class_weight: config.class_weight,
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
    let right =
        held_out.logits.iter().zip(&held_out.labels).filter(|(logits, label)| is_right(logits, **label));
    let pooling = &train[candidate.pooling];
    let everything: Vec<usize> = (0..pooling.len()).collect();
    let coefficients = grid.fit(pooling, &everything, candidate)?;
    let probe = Probe {
        best: folder.best(),
        pooling: pooling.pooling,
        scaling: candidate.scaling,
        c: candidate.c,
        val_loss: held_out.loss(temperature, classes.len()),
        val_accuracy: right.count() as f64 / held_out.labels.len().max(1) as f64,
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
    Ok(folds::stratified(rows.labels(), classes.names(), folds, config.seed)
        .with_context(|| format!("`{name}`"))
        .hint(|| "lower `--folds`, or judge by a store of its own: `--validation DIR`")?)
}

/// Each fold judges what was fitted to the others, or a store of its own what was fitted to all rows.
fn splits<'a>(train: &'a [Gathered], judges: Option<&'a [Gathered]>, folds: &[usize]) -> Vec<Split<'a>> {
    let all = |rows: &[Gathered]| (0..rows.first().map_or(0, Gathered::len)).collect();
    if let Some(judges) = judges {
        return vec![Split { train, trained: all(train), judges, judging: all(judges) }];
    }
    let count = folds.iter().max().map_or(0, |last| last + 1);
    let positions = |keep: &dyn Fn(usize) -> bool| (0..folds.len()).filter(|&row| keep(folds[row])).collect();
    (0..count)
        .map(|fold| Split {
            train,
            trained: positions(&|found| found != fold),
            judges: train,
            judging: positions(&|found| found == fold),
        })
        .collect()
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
