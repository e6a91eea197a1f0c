//! audit.json: counts, settings, and the digests of what was audited.

use convbase_core::store::FeatureStore;
use convbase_core::{Classes, Digest, FeatureId, FeatureSpec};
use serde::Serialize;

use super::exclusion_list::Proposal;
use super::findings::Findings;
use super::held_out::Chosen;
use super::outliers::Usual;
use super::photographs::Photographs;
use crate::args::AuditArguments;

/// `audit.json`.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    format: &'static str,
    folds: u32,
    seed: u64,
    twins_cosine: f64,
    neighbours: u32,
    outlier_deviations: f64,
    feature_id: FeatureId,
    spec: &'a FeatureSpec,
    classes: &'a Classes,
    stores: Vec<Store>,
    pub(super) labels: Option<Labels<'a>>,
    pub(super) twins: Twins,
    pub(super) outliers: Outliers<'a>,
    /// Photographs that the lists of exclusions name.
    pub(super) excluded: usize,
}

/// One store and what was found in it.
#[derive(Debug, Serialize)]
pub(super) struct Store {
    pub(super) features: Digest,
    pub(super) photographs: usize,
    pub(super) rejected: usize,
    doubtful: usize,
    /// Photographs that are twins of earlier ones.
    twins: usize,
    /// Those of them whose first is in another store.
    twins_of_other_stores: usize,
    outliers: usize,
    pub(super) exclusions: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Labels<'a> {
    probe: &'a Chosen,
    classes: &'a Classes,
    pub(super) photographs: usize,
    pub(super) doubtful: usize,
    /// Of each class: the mean probability of the label.
    thresholds: &'a [f64],
    /// Photographs by label (row) and estimated class (column).
    confident_joint: &'a [Vec<i64>],
}

#[derive(Debug, Serialize)]
pub(super) struct Twins {
    pub(super) sets: usize,
    /// Photographs that are twins of earlier ones.
    pub(super) photographs: usize,
    pub(super) same_file: usize,
    pub(super) similar: usize,
    /// Sets with photographs of more than one store.
    pub(super) sets_between_stores: usize,
    /// Sets with more than one label.
    pub(super) sets_of_several_labels: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Outliers<'a> {
    pub(super) photographs: usize,
    /// Of each class.
    distances: &'a [Usual],
}

impl<'a> Summary<'a> {
    pub(super) fn new(
        arguments: &AuditArguments,
        photographs: &'a Photographs,
        spec: &'a FeatureSpec,
        findings: &'a Findings,
        proposal: &Proposal,
    ) -> Self {
        let sets = findings.sets();
        let differing = |of: &dyn Fn(usize) -> usize| {
            sets.iter().filter(|set| set.iter().any(|&row| of(row) != of(set[0]))).count()
        };
        let twins = findings.twins.iter().flatten();
        let (exact, all) = (twins.clone().filter(|twin| twin.is_exact).count(), twins.count());
        Self {
            format: "convbase-audit/1",
            folds: arguments.folds,
            seed: arguments.seed,
            twins_cosine: arguments.twins,
            neighbours: arguments.neighbours,
            outlier_deviations: arguments.outliers,
            feature_id: spec.id(),
            spec,
            classes: &photographs.classes,
            stores: stores(photographs, findings),
            labels: findings.labels.as_ref().map(|(held_out, learning)| Labels {
                probe: &held_out.chosen,
                classes: &held_out.classes,
                photographs: held_out.rows.len(),
                doubtful: learning.doubtful.len(),
                thresholds: &learning.thresholds,
                confident_joint: &learning.joint,
            }),
            twins: Twins {
                sets: sets.len(),
                photographs: all,
                same_file: exact,
                similar: all - exact,
                sets_between_stores: differing(&|row| photographs.all[row].store),
                sets_of_several_labels: differing(&|row| photographs.all[row].label),
            },
            outliers: Outliers { photographs: findings.odd.len(), distances: &findings.usual },
            excluded: proposal.doubtful.len() + proposal.twins.len(),
        }
    }
}

impl Summary<'_> {
    /// The stores in their order.
    pub(super) fn stores(&self) -> impl Iterator<Item = (usize, &Store)> {
        self.stores.iter().enumerate()
    }

    /// How it was made, for people.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        let Self { spec, folds, seed, neighbours, .. } = self;
        let mut settings = vec![
            (
                "features",
                format!(
                    "{} of {}, {} pixels, {}",
                    spec.layer, spec.architecture, spec.image_size, spec.preprocess
                ),
            ),
            (
                "twins",
                format!("cosine of whitened features of at least {}, or the same file", self.twins_cosine),
            ),
            (
                "odd ones out",
                format!(
                    "mean cosine distance to the {neighbours} nearest, at least {} robust standard deviations above the \
                     median of the class",
                    self.outlier_deviations
                ),
            ),
        ];
        if let Some(Labels { probe, photographs, .. }) = &self.labels {
            settings.push((
                "labels",
                format!(
                    "confident learning on what {probe} said of {photographs} photographs that it was not fitted to ({folds} \
                     folds, seed {seed})"
                ),
            ));
        }
        settings
    }
}

/// The name of a store's list of exclusions.
pub(super) fn exclusions_name(store: usize, stores: usize) -> String {
    if stores == 1 { "exclude.txt".to_owned() } else { format!("exclude-{}.txt", store + 1) }
}

/// Whether an audit of any stores writes a list of this name.
pub(super) fn is_exclusions_name(name: &str) -> bool {
    let number = name.strip_prefix("exclude-").and_then(|rest| rest.strip_suffix(".txt"));
    name == "exclude.txt" || number.is_some_and(|number| number.parse::<usize>().is_ok())
}

fn stores(photographs: &Photographs, findings: &Findings) -> Vec<Store> {
    let (all, doubtful) = (&photographs.all, findings.doubtful());
    let store = |(number, store): (usize, &FeatureStore)| {
        let is_here = |row: usize| all[row].store == number;
        let twins = || findings.twins.iter().enumerate().filter(|(row, _)| is_here(*row));
        let twins = || twins().filter_map(|(_, twin)| *twin);
        Store {
            features: store.digest(),
            photographs: store.photographs(),
            rejected: store.rejected(),
            doubtful: doubtful.iter().filter(|&&row| is_here(row)).count(),
            twins: twins().count(),
            twins_of_other_stores: twins().filter(|twin| !is_here(twin.first)).count(),
            outliers: findings.odd.iter().filter(|odd| is_here(odd.row)).count(),
            exclusions: exclusions_name(number, photographs.stores.len()),
        }
    };
    photographs.stores.iter().enumerate().map(store).collect()
}
