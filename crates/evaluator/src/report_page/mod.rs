//! The page of a report: `report.html`, one file that tells a person what `metrics.json` tells a program, and
//! `report.json`, which holds what the page tells besides.

mod charts;
mod facts;
mod findings;
mod matrix;
mod photographs;
mod run;
mod thresholds;

use std::path::Path;

use anyhow::Context;
use askama::Template;
use convbase_core::report::Predictions;
use convbase_core::store::{FeatureStore, RowRecord, RowStatus};
use convbase_core::{Digest, Report};
use convbase_nn::Checkpoint;
use rayon::ThreadPool;
use serde::Serialize;

use crate::audit::Leak;
use crate::page::{Chart, Gallery, Photograph, Pictures, grouped, percent};
use facts::{ClassFigures, Facts};
use findings::{Finding, findings, leaked};
use matrix::{Confusion, Matrix};
use photographs::{Selection, Selections};
use run::Run;
use thresholds::Thresholds;

/// What a page is made of.
pub(crate) struct PageInput<'a> {
    pub(crate) report: &'a Report,
    pub(crate) predictions: &'a Predictions,
    pub(crate) checkpoint: &'a Checkpoint,
    pub(crate) checkpoint_path: &'a Path,
    pub(crate) store: &'a FeatureStore,
    /// All rows of the store.
    pub(crate) records: &'a [RowRecord],
    /// The folder that the store was extracted from.
    pub(crate) images: Option<&'a Path>,
    /// Photographs that the training store holds as well, where that was looked for.
    pub(crate) leaks: Option<&'a [Leak]>,
    /// What makes thumbnails.
    pub(crate) threads: &'a ThreadPool,
}

/// The two files.
pub(crate) struct Pages {
    /// `report.html`
    pub(crate) html: String,
    /// `report.json`
    pub(crate) json: String,
}

/// `report.json`.
#[derive(Serialize)]
struct Data<'a> {
    format: &'static str,
    reliability: Vec<Bin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thresholds: Option<&'a Thresholds>,
    most_confident_errors: Vec<&'a str>,
    least_certain: Vec<&'a str>,
    distrust: &'a [Finding],
}

/// A bar of the reliability diagram.
#[derive(Serialize)]
struct Bin {
    confidence_above: f64,
    confidence_to: f64,
    photographs: u64,
    mean_confidence: Option<f64>,
    accuracy: Option<f64>,
}

/// Photographs under a heading.
struct Shown<'a> {
    id: String,
    title: String,
    explanation: String,
    gallery: Gallery<'a>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'a> {
    report: &'a Report,
    /// The 95 % interval of the accuracy.
    low: String,
    high: String,
    errors: String,
    thresholds: Option<&'a Thresholds>,
    classes: Vec<ClassFigures<'a>>,
    matrix: Option<Matrix<'a>>,
    confusions: Vec<Confusion<'a>>,
    charts: Vec<Chart>,
    training: Vec<Chart>,
    has_pictures: bool,
    shown: Vec<Shown<'a>>,
    cells: Vec<Shown<'a>>,
    facts: Vec<Facts>,
    findings: &'a [Finding],
    looked_for_leaks: bool,
}

/// Makes both files.
pub(crate) fn pages(input: &PageInput) -> anyhow::Result<Pages> {
    let PageInput { report, predictions, checkpoint, .. } = *input;
    let run = Run::beside(input.checkpoint_path, checkpoint);
    let selections = Selections::of(predictions);
    let thresholds = Thresholds::of(predictions);
    let mut findings = findings(report, checkpoint.metadata(), input.records, run.history.as_ref());
    findings.extend(input.leaks.and_then(|leaks| leaked(leaks, report)));
    let pictures = pictures(input, &selections);
    let photographs = Photographs { predictions, pictures: &pictures };

    let mut charts = charts::ranking(predictions)?;
    charts.push(charts::reliability(report));
    let names = predictions.classes();
    let [low, high] = report.accuracy_wilson95();
    let cells = selections.cells.iter().map(|cell| photographs.of_cell(cell, names)).collect();
    let page = ReportPage {
        report,
        low: percent(low),
        high: percent(high),
        errors: grouped(selections.errors.all as u64),
        thresholds: thresholds.as_ref(),
        classes: facts::classes(report)?,
        matrix: Matrix::of(report, &selections.cells),
        confusions: matrix::confusions(report, &selections.cells),
        charts,
        training: run.history.as_ref().map(charts::training).unwrap_or_default(),
        has_pictures: input.images.is_some(),
        shown: photographs.headed(&selections),
        cells,
        facts: facts::facts(input, &run),
        findings: &findings,
        looked_for_leaks: input.leaks.is_some(),
    };
    let html = page.render().context("cannot make the page of the report")?;
    let json = data(input, &selections, thresholds.as_ref(), &findings)?;
    Ok(Pages { html, json })
}

fn data(
    input: &PageInput,
    selections: &Selections,
    thresholds: Option<&Thresholds>,
    distrust: &[Finding],
) -> anyhow::Result<String> {
    let paths: Vec<&str> = input.predictions.rows().map(|row| row.path).collect();
    let named =
        |selection: &Selection| selection.rows.iter().filter_map(|&row| paths.get(row).copied()).collect();
    let bins = input.report.calibration().bins().iter().map(|bin| Bin {
        confidence_above: bin.low,
        confidence_to: bin.high,
        photographs: bin.count,
        mean_confidence: bin.confidence,
        accuracy: bin.accuracy,
    });
    let data = Data {
        format: "convbase-report/1",
        reliability: bins.collect(),
        thresholds,
        most_confident_errors: named(&selections.errors),
        least_certain: named(&selections.uncertain),
        distrust,
    };
    Ok(serde_json::to_string(&data).context("cannot write the report's data as JSON")? + "\n")
}

/// Thumbnails of all photographs that are shown, where their folder is known.
fn pictures(input: &PageInput, selections: &Selections) -> Pictures {
    let Some(folder) = input.images else { return Pictures::default() };
    let embedded: Vec<(&str, Option<Digest>)> = input
        .records
        .iter()
        .filter(|record| record.is_row() && record.is_first())
        .map(|record| match &record.status {
            RowStatus::Ok { photograph: Some(photograph), .. } => {
                (record.path.as_str(), Some(photograph.sha256))
            }
            _ => (record.path.as_str(), None),
        })
        .collect();
    let wanted = selections.rows().filter_map(|row| embedded.get(row).copied());
    let (wanted, turns) = (wanted.collect::<Vec<_>>(), input.store.manifest().spec().exif_orientation);
    input.threads.install(|| Pictures::of(folder, wanted, turns))
}

/// Turns rows into photographs with their captions.
struct Photographs<'a> {
    predictions: &'a Predictions,
    pictures: &'a Pictures,
}

impl<'a> Photographs<'a> {
    fn gallery(&self, selection: &Selection) -> Gallery<'a> {
        let rows = selection.rows.iter().filter_map(|&row| self.predictions.rows().nth(row));
        let photographs = rows.map(|row| {
            let confidence = row.probabilities.iter().copied().fold(0.0, f64::max);
            let mut lines = vec![format!("{} {}", row.prediction, percent(confidence))];
            if !row.correct {
                lines.push(format!("but labelled {}", row.label));
            }
            Photograph { path: row.path, lines, picture: self.pictures.get(row.path) }
        });
        Gallery { photographs: photographs.collect() }
    }

    fn headed(&self, selections: &Selections) -> Vec<Shown<'a>> {
        let Selections { errors, uncertain, .. } = selections;
        let mut shown = Vec::new();
        if errors.all > 0 {
            shown.push(Shown {
                id: "errors".to_owned(),
                title: "The most confident errors".to_owned(),
                explanation: format!(
                    "{} of {} wrong predictions, the most confident first. Look for wrong labels among them.",
                    errors.rows.len(),
                    grouped(errors.all as u64)
                ),
                gallery: self.gallery(errors),
            });
        }
        shown.push(Shown {
            id: "uncertain".to_owned(),
            title: "The least certain predictions".to_owned(),
            explanation: "Right or wrong: two classes are nearly as probable as one another.".to_owned(),
            gallery: self.gallery(uncertain),
        });
        shown
    }

    fn of_cell(&self, cell: &photographs::Cell, names: &'a [String]) -> Shown<'a> {
        let name = |class: usize| names.get(class).map_or("", String::as_str);
        let (label, prediction, selection) = (name(cell.label), name(cell.prediction), &cell.selection);
        let (title, order) = if cell.label == cell.prediction {
            (format!("{label}, recognised"), "the least confident first")
        } else {
            (format!("{label}, taken for {prediction}"), "the most confident first")
        };
        let explanation = format!("{} of {}, {order}.", selection.rows.len(), grouped(selection.all as u64));
        let id = matrix::cell_id(cell.label, cell.prediction);
        Shown { id, title, explanation, gallery: self.gallery(selection) }
    }
}
