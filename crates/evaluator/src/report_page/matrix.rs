//! The confusion matrix as a table, whose cells lead to their photographs.

use std::collections::HashSet;

use convbase_core::Report;

use super::photographs::Cell;
use crate::page::{grouped, percent};

/// A matrix of more classes is no table that anyone reads: the fullest cells are listed in its place.
const MOST_CLASSES: usize = 25;
/// Cells of that list.
const MOST_CONFUSIONS: usize = 40;

/// The table.
pub(super) struct Matrix<'a> {
    pub(super) classes: &'a [String],
    pub(super) rows: Vec<Row<'a>>,
}

/// A true class.
pub(super) struct Row<'a> {
    pub(super) label: &'a str,
    pub(super) cells: Vec<TableCell>,
}

/// What a true class was taken for.
pub(super) struct TableCell {
    pub(super) count: String,
    /// Of the true class.
    pub(super) share: String,
    /// How strong the shade is, from 0 to 0.4: darker ones would hide what stands on them.
    pub(super) shade: String,
    /// The place on the page that shows its photographs.
    pub(super) target: Option<String>,
}

/// One line of the list of confusions.
pub(super) struct Confusion<'a> {
    pub(super) label: &'a str,
    pub(super) prediction: &'a str,
    pub(super) count: String,
    pub(super) share: String,
    pub(super) target: Option<String>,
}

/// The place on the page that shows the photographs of a cell.
pub(super) fn cell_id(label: usize, prediction: usize) -> String {
    format!("cell-{label}-{prediction}")
}

fn targets(cells: &[Cell]) -> HashSet<(usize, usize)> {
    cells.iter().map(|cell| (cell.label, cell.prediction)).collect()
}

fn share_of(count: u64, support: u64) -> f64 {
    if support == 0 { 0.0 } else { count as f64 / support as f64 }
}

impl<'a> Matrix<'a> {
    /// The table, unless there are too many classes.
    pub(super) fn of(report: &'a Report, cells: &[Cell]) -> Option<Self> {
        let classes = report.classes();
        if classes.len() > MOST_CLASSES {
            return None;
        }
        let targets = targets(cells);
        let rows =
            report.confusion_matrix().rows().zip(classes).enumerate().map(|(label, (counts, name))| {
                let support: u64 = counts.iter().sum();
                let cells = counts.iter().enumerate().map(|(prediction, &count)| {
                    let share = share_of(count, support);
                    TableCell {
                        count: grouped(count),
                        share: percent(share),
                        shade: format!("{:.2}", share * 0.4),
                        target: targets.contains(&(label, prediction)).then(|| cell_id(label, prediction)),
                    }
                });
                Row { label: name, cells: cells.collect() }
            });
        Some(Self { classes, rows: rows.collect() })
    }
}

/// The fullest cells beside the diagonal, where there is no table; else nothing.
pub(super) fn confusions<'a>(report: &'a Report, cells: &[Cell]) -> Vec<Confusion<'a>> {
    let classes = report.classes();
    if classes.len() <= MOST_CLASSES {
        return Vec::new();
    }
    let targets = targets(cells);
    let mut found = Vec::new();
    for (label, (counts, name)) in report.confusion_matrix().rows().zip(classes).enumerate() {
        let support: u64 = counts.iter().sum();
        for (prediction, (&count, other)) in counts.iter().zip(classes).enumerate() {
            if count > 0 && label != prediction {
                let target = targets.contains(&(label, prediction)).then(|| cell_id(label, prediction));
                let (share, words) = (percent(share_of(count, support)), grouped(count));
                found
                    .push((count, Confusion { label: name, prediction: other, count: words, share, target }));
            }
        }
    }
    found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    found.into_iter().take(MOST_CONFUSIONS).map(|(_, confusion)| confusion).collect()
}
