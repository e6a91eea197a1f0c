//! The folder of a probe: config.json, grid.csv, held_out.csv and the checkpoint.

use std::path::PathBuf;

use convbase_core::store::FeatureStore;
use convbase_core::{Classes, DataType, Digest, FeatureSpec, Precision, csv_line, write_artifact};
use convbase_nn::probe::{HeldOut, HeldOutRow, Judged, RowScaling};
use convbase_nn::{Checkpoint, CheckpointMetadata, Head, MapPooling};
use serde::Serialize;

use crate::args::{ClassWeight, Judges, ProbeConfig};
use crate::run_folder::RunFolder;

/// `config.json`: everything that decides a probe's result.
#[derive(Debug, Serialize)]
struct RunConfig<'a> {
    format: &'static str,
    pooling: Option<MapPooling>,
    scaling: &'a [RowScaling],
    c: &'a [f64],
    class_weight: ClassWeight,
    folds: Option<usize>,
    seed: u64,
    calibration: bool,
    classes: &'a Classes,
    spec: &'a FeatureSpec,
    precision: Precision,
    dtype: DataType,
    features: Digest,
    validation: Option<Digest>,
}

/// The folder that a probe is written to.
pub(super) struct ProbeFolder(RunFolder);

impl ProbeFolder {
    /// Writes the configuration, or checks that the one that is there is the same.
    pub(super) fn create(
        config: &ProbeConfig,
        store: &FeatureStore,
        judges: Option<&FeatureStore>,
    ) -> anyhow::Result<Self> {
        let manifest = store.manifest();
        let run = RunConfig {
            format: "convbase-probe/1",
            pooling: config.pooling,
            scaling: &config.scalings,
            c: &config.strengths,
            class_weight: config.class_weight,
            folds: match config.judges {
                Judges::Folds(folds) => Some(folds),
                Judges::Store(_) => None,
            },
            seed: config.seed,
            calibration: config.calibrates,
            classes: manifest.classes(),
            spec: manifest.spec(),
            precision: manifest.precision(),
            dtype: manifest.dtype(),
            features: store.digest(),
            validation: judges.map(FeatureStore::digest),
        };
        Ok(Self(RunFolder::create(&config.out, &run)?))
    }

    /// The checkpoint's path.
    pub(super) fn best(&self) -> PathBuf {
        self.0.best()
    }

    /// Writes what every combination is worth.
    pub(super) fn save_grid(&self, poolings: &[MapPooling], judged: &[Judged]) -> anyhow::Result<()> {
        let mut text = csv_line(["pooling", "scaling", "c", "val_loss", "val_accuracy"]);
        for Judged { candidate, val_loss, val_accuracy } in judged {
            let (pooling, scaling) = (poolings[candidate.pooling].to_string(), candidate.scaling.to_string());
            let numbers = [candidate.c, *val_loss, *val_accuracy].map(|number| number.to_string());
            text += &csv_line([pooling, scaling].into_iter().chain(numbers));
        }
        Ok(write_artifact(&self.0.path().join("grid.csv"), text.as_bytes())?)
    }

    /// Writes what was said of each photograph by a classifier that was not fitted to it: `judges` are the photographs
    /// in the order of their rows.
    pub(super) fn save_held_out(
        &self,
        judges: &FeatureStore,
        classes: &Classes,
        held_out: &HeldOut,
        temperature: f64,
    ) -> anyhow::Result<()> {
        let paths: Vec<String> = judges
            .records()?
            .into_iter()
            .filter(|record| record.is_row() && record.is_first())
            .map(|record| record.path)
            .collect();
        let mut text = csv_line(HeldOutRow::header(classes));
        for row in held_out.by_row(temperature) {
            let path = paths.get(row.row).map_or("", String::as_str);
            text += &csv_line(row.fields(path, classes));
        }
        Ok(write_artifact(&self.0.path().join("held_out.csv"), text.as_bytes())?)
    }

    /// Writes the checkpoint.
    pub(super) fn save_best(&self, head: &Head, metadata: &CheckpointMetadata) -> anyhow::Result<()> {
        Ok(Checkpoint::save(&self.best(), head, metadata)?)
    }
}
