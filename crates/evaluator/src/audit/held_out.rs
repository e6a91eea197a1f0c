//! What a linear probe says of each photograph, fitted to the others.

use std::fmt;

use anyhow::Context;
use convbase_core::Classes;
use convbase_nn::MapPooling;
use convbase_nn::probe::{Gathered, Grid, HeldOutRow, RowScaling, STRENGTHS, Split, best, stratified};
use serde::Serialize;
use tracing::{info, warn};

use super::photographs::Photographs;

/// The probe that the folds chose, and how it did on photographs that were left out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Chosen {
    pooling: MapPooling,
    scaling: RowScaling,
    c: f64,
    temperature: f64,
    /// The mean cross-entropy, after calibration.
    loss: f64,
    accuracy: f64,
}

impl fmt::Display for Chosen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pooling, scaling, c, loss, accuracy, .. } = self;
        write!(
            formatter,
            "a linear probe (pooling {pooling}, scaling {scaling}, C {c}, held-out loss {loss:.4}, accuracy {accuracy:.4})"
        )
    }
}

/// Probabilities of photographs by probes that did not see them.
pub(super) struct HeldOut {
    pub(super) chosen: Chosen,
    /// The classes that are judged: those with a photograph for every fold.
    pub(super) classes: Classes,
    /// The photographs of these classes, in order; their labels and probabilities are over these classes.
    pub(super) rows: Vec<HeldOutRow>,
}

impl HeldOut {
    /// Judges all photographs; none where there are not two classes with as many photographs as folds.
    pub(super) fn new(photographs: &Photographs, folds: usize, seed: u64) -> anyhow::Result<Option<Self>> {
        let classes = judged_classes(photographs, folds);
        if classes.len() < 2 {
            warn!("labels are not audited: that takes two classes with at least {folds} photographs");
            return Ok(None);
        }
        let place = |row: usize| classes.iter().position(|&class| class == photographs.all[row].label);
        let (positions, labels): (Vec<usize>, Vec<usize>) =
            (0..photographs.all.len()).filter_map(|row| Some((row, place(row)?))).unzip();
        let name = |&class: &usize| photographs.classes.names()[class].clone();
        let classes = Classes::new(classes.iter().map(name).collect())?;
        let fold_of = stratified(&labels, classes.names(), folds, seed)?;
        let features = [photographs.features.select(&positions, labels)];
        let splits = Split::by_folds(&features, &fold_of);
        let poolings = features.each_ref().map(Gathered::pooling);
        let grid = Grid {
            poolings: &poolings,
            scalings: &RowScaling::ALL,
            strengths: &STRENGTHS,
            balances: false,
            classes: classes.len(),
        };
        let judged = grid.judge(&splits, || ())?;
        let candidate = best(&judged).context("there is nothing to try")?.candidate;
        let held_out = grid.all_held_out(&splits, candidate)?;
        let temperature = held_out.temperature(classes.len());
        let chosen = Chosen {
            pooling: poolings[candidate.pooling],
            scaling: candidate.scaling,
            c: candidate.c,
            temperature,
            loss: held_out.loss(temperature, classes.len()),
            accuracy: held_out.accuracy(),
        };
        info!(
            "probe of {} photographs: scaling {}, C {}, temperature {temperature:.3}: held out, loss {:.4}, accuracy {:.4}",
            positions.len(),
            chosen.scaling,
            chosen.c,
            chosen.loss,
            chosen.accuracy
        );
        let mut rows = held_out.by_row(temperature);
        rows.iter_mut().for_each(|row| row.row = positions[row.row]);
        Ok(Some(Self { chosen, classes, rows }))
    }
}

/// Classes with a photograph for every fold. The others cannot be judged, and are told.
fn judged_classes(photographs: &Photographs, folds: usize) -> Vec<usize> {
    let mut counts = vec![0_usize; photographs.classes.len()];
    photographs.all.iter().for_each(|photograph| counts[photograph.label] += 1);
    for (name, &count) in photographs.classes.names().iter().zip(&counts) {
        if count < folds {
            warn!(
                "class `{name}`: {count} photographs are too few for {folds} folds: its labels are not audited"
            );
        }
    }
    (0..counts.len()).filter(|&class| counts[class] >= folds).collect()
}
