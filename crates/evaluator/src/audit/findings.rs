//! What an audit found, as numbers.

use convbase_core::Digest;

use super::confident::ConfidentLearning;
use super::directions::Directions;
use super::held_out::HeldOut;
use super::neighbours::distances;
use super::outliers::{Odd, Usual, outliers};
use super::photographs::Photographs;
use super::twins::{Twin, twins};
use crate::args::AuditArguments;
use crate::page::percent;

/// What an audit found. Photographs are positions among all.
pub(super) struct Findings {
    /// What was said of labels; none where they could not be audited.
    pub(super) labels: Option<(HeldOut, ConfidentLearning)>,
    /// For each photograph the earlier one that it is a twin of.
    pub(super) twins: Vec<Option<Twin>>,
    /// What is usual in each class.
    pub(super) usual: Vec<Usual>,
    /// Photographs far from all others, the oddest first.
    pub(super) odd: Vec<Odd>,
}

impl Findings {
    /// Audits all photographs, on the threads of the pool that this is called in.
    pub(super) fn new(photographs: &Photographs, arguments: &AuditArguments) -> anyhow::Result<Self> {
        let held_out = HeldOut::new(photographs, arguments.folds as usize, arguments.seed)?;
        let labels = held_out.map(|held_out| {
            let labels: Vec<usize> = held_out.rows.iter().map(|row| row.label).collect();
            let probabilities: Vec<Vec<f64>> =
                held_out.rows.iter().map(|row| row.probabilities.clone()).collect();
            let learning = ConfidentLearning::new(&labels, &probabilities, held_out.classes.len());
            (held_out, learning)
        });
        let features = &photographs.features;
        let (numbers, width) = (features.numbers(), features.width());
        let digests: Vec<Option<Digest>> =
            photographs.all.iter().map(|photograph| photograph.sha256).collect();
        let twins = twins(&Directions::whitened(numbers, width), &digests, arguments.twins);
        let centred = Directions::centred(numbers, width);
        let distances = distances(&centred, &twins, arguments.neighbours as usize);
        let labels_of_all: Vec<usize> = photographs.all.iter().map(|photograph| photograph.label).collect();
        let (usual, odd) =
            outliers(&distances, &labels_of_all, photographs.classes.len(), arguments.outliers);
        Ok(Self { labels, twins, usual, odd })
    }

    /// Photographs whose labels are doubtful, the most doubtful first.
    pub(super) fn doubtful(&self) -> Vec<usize> {
        self.labels
            .iter()
            .flat_map(|(held_out, learning)| {
                learning.doubtful.iter().map(|doubt| held_out.rows[doubt.row].row)
            })
            .collect()
    }

    /// The class that a photograph is more probably of than of its own; its own where nothing is said of it.
    pub(super) fn suggestion<'a>(&'a self, photographs: &'a Photographs, row: usize) -> &'a str {
        let suggested = self.labels.iter().find_map(|(held_out, learning)| {
            let doubt = learning.doubtful.iter().find(|doubt| held_out.rows[doubt.row].row == row)?;
            held_out.classes.names().get(doubt.suggestion)
        });
        suggested.unwrap_or(&photographs.classes.names()[photographs.all[row].label])
    }

    /// What the page says of a doubtful label.
    pub(super) fn doubt_lines(&self, photographs: &Photographs, row: usize) -> Vec<String> {
        let found = self.labels.iter().find_map(|(held_out, learning)| {
            let doubt = learning.doubtful.iter().find(|doubt| held_out.rows[doubt.row].row == row)?;
            Some((doubt.self_confidence, held_out.rows[doubt.row].probabilities[doubt.suggestion]))
        });
        let (own, suggested) = found.unwrap_or_default();
        let label = &photographs.classes.names()[photographs.all[row].label];
        let suggestion = self.suggestion(photographs, row);
        vec![
            format!("labelled {label}: {}", percent(own)),
            format!("rather {suggestion}: {}", percent(suggested)),
        ]
    }

    /// What the page says of an odd one.
    pub(super) fn odd_lines(&self, photographs: &Photographs, row: usize) -> Vec<String> {
        let label = photographs.classes.names()[photographs.all[row].label].clone();
        let deviations = self.odd.iter().find(|odd| odd.row == row).map(|odd| odd.deviations);
        vec![label, format!("{:.1} deviations", deviations.unwrap_or_default())]
    }

    /// Sets of photographs that show the same, each in order; the sets in the order of their first.
    pub(super) fn sets(&self) -> Vec<Vec<usize>> {
        let mut set_of = vec![None; self.twins.len()];
        let mut sets: Vec<Vec<usize>> = Vec::new();
        for (row, twin) in self.twins.iter().enumerate() {
            let Some(Twin { first, .. }) = *twin else { continue };
            let set = *set_of[first].get_or_insert_with(|| {
                sets.push(vec![first]);
                sets.len() - 1
            });
            sets[set].push(row);
        }
        sets.sort_by_key(|set| set[0]);
        sets
    }
}
