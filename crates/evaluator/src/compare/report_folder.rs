//! A report that was written, read back.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use convbase_core::Report;
use convbase_core::exit::{Hinted, WithHint};
use convbase_core::report::{CheckpointReference, Predictions, ReportInput};
use serde::Deserialize;
use serde_json::Value;

use super::claims::contradictions;

/// What no prediction tells and `metrics.json` is believed.
#[derive(Deserialize)]
struct Origin {
    num_rejected: u64,
    feature_id: String,
    checkpoint: CheckpointReference,
}

/// A report folder whose two files agree.
pub(super) struct ReportFolder {
    pub(super) path: PathBuf,
    pub(super) predictions: Predictions,
    /// Computed again from the predictions.
    pub(super) report: Report,
    pub(super) origin: CheckpointReference,
}

impl ReportFolder {
    /// Reads both files, and refuses what is damaged or contradicts itself.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let (metrics_path, csv_path) = (path.join("metrics.json"), path.join("predictions.csv"));
        let missing =
            "`evaluator evaluate` writes metrics.json and predictions.csv into the folder of a report";
        let read = |path: &Path| {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()));
            text.hint(|| missing)
        };
        let (text, csv) = (read(&metrics_path)?, read(&csv_path)?);
        let damaged = "evaluate again: a report of the same name is replaced";
        let context = |path: &Path| format!("`{}` is no file of a report", path.display());
        let found: Value =
            serde_json::from_str(&text).with_context(|| context(&metrics_path)).hint(|| damaged)?;
        let Origin { num_rejected, feature_id, checkpoint } =
            Origin::deserialize(&found).with_context(|| context(&metrics_path)).hint(|| damaged)?;
        let predictions = Predictions::from_csv(&csv).with_context(|| context(&csv_path)).hint(|| damaged)?;

        let classes = predictions.classes();
        let label = |name: &str| classes.iter().position(|class| class == name);
        let labels: Vec<usize> = predictions.rows().filter_map(|row| label(row.label)).collect();
        let probabilities: Vec<f64> =
            predictions.rows().flat_map(|row| row.probabilities.iter().copied()).collect();
        let report = Report::new(ReportInput {
            classes,
            labels: &labels,
            probabilities: &probabilities,
            num_rejected,
            feature_id,
            checkpoint: checkpoint.clone(),
        });
        let report = report.with_context(|| context(&csv_path)).hint(|| damaged)?;
        let expected: Value = serde_json::from_str(&report.to_json()?)?;
        let findings = contradictions(&expected, &found);
        if !findings.is_empty() {
            let error =
                anyhow!("`{}` contradicts predictions.csv: {}", metrics_path.display(), findings.join(", "));
            return Err(Hinted::new(error, damaged).into());
        }
        Ok(Self { path: path.to_owned(), predictions, report, origin: checkpoint })
    }
}
