//! Which photographs a report shows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use convbase_core::report::{Prediction, Predictions};

/// Of the most confident errors, so many are shown.
const MOST_ERRORS: usize = 24;
/// Of the least certain predictions.
const MOST_UNCERTAIN: usize = 12;
/// Of each cell of the confusion matrix.
const MOST_OF_A_CELL: usize = 8;
/// Cells beside the diagonal, the fullest first.
const MOST_CELLS: usize = 40;
/// With more classes than these, cells of the diagonal are not shown: nobody looks for what is right among so many.
const MOST_CLASSES_ON_THE_DIAGONAL: usize = 10;

/// Photographs that belong together, by their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// Rows, in the order in which they are shown.
    pub(super) rows: Vec<usize>,
    /// How many there are in all.
    pub(super) all: usize,
}

/// The photographs of one cell of the confusion matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// The position of the true class.
    pub(super) label: usize,
    /// The position of the predicted class.
    pub(super) prediction: usize,
    pub(super) selection: Selection,
}

/// What is known of each row besides its probabilities.
#[derive(Debug, Clone, Copy)]
struct Row {
    label: usize,
    prediction: usize,
    /// The probability of the predicted class.
    confidence: f64,
    /// Its distance to the probability of the next class.
    margin: f64,
}

/// All selections of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selections {
    /// Wrong predictions, the most confident first.
    pub(super) errors: Selection,
    /// The predictions with the least distance between the two most probable classes, right or wrong.
    pub(super) uncertain: Selection,
    /// By true class, then by prediction; wrong ones show the most confident first, right ones the least confident.
    pub(super) cells: Vec<Cell>,
}

impl Selections {
    /// Chooses from all predictions.
    pub(super) fn of(predictions: &Predictions) -> Self {
        let classes = predictions.classes();
        let positions: HashMap<&str, usize> =
            classes.iter().enumerate().map(|(position, class)| (class.as_str(), position)).collect();
        let rows: Vec<Row> = predictions.rows().map(|row| Row::of(&row, &positions)).collect();

        let mut errors: Vec<usize> =
            (0..rows.len()).filter(|&row| rows[row].label != rows[row].prediction).collect();
        // Sorts are stable: among equals the order of the rows counts.
        errors.sort_by(|&left, &right| rows[right].confidence.total_cmp(&rows[left].confidence));
        let mut uncertain: Vec<usize> = (0..rows.len()).collect();
        uncertain.sort_by(|&left, &right| rows[left].margin.total_cmp(&rows[right].margin));
        let cells = cells(&rows, classes.len());
        Self {
            errors: Selection { all: errors.len(), rows: first(errors, MOST_ERRORS) },
            uncertain: Selection { all: rows.len(), rows: first(uncertain, MOST_UNCERTAIN) },
            cells,
        }
    }

    /// The rows of all selections, some of them several times.
    pub(super) fn rows(&self) -> impl Iterator<Item = usize> {
        let cells = self.cells.iter().flat_map(|cell| &cell.selection.rows);
        self.errors.rows.iter().chain(&self.uncertain.rows).chain(cells).copied()
    }
}

impl Row {
    fn of(row: &Prediction, positions: &HashMap<&str, usize>) -> Self {
        let (mut first, mut second) = (0.0f64, 0.0f64);
        for &probability in row.probabilities {
            if probability > first {
                (first, second) = (probability, first);
            } else if probability > second {
                second = probability;
            }
        }
        let position = |name: &str| positions.get(name).copied().unwrap_or(0);
        Self {
            label: position(row.label),
            prediction: position(row.prediction),
            confidence: first,
            margin: first - second,
        }
    }
}

fn cells(rows: &[Row], classes: usize) -> Vec<Cell> {
    let mut members: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (position, row) in rows.iter().enumerate() {
        members.entry((row.label, row.prediction)).or_default().push(position);
    }
    let mut wrong: Vec<(usize, (usize, usize))> = members
        .iter()
        .filter(|((label, prediction), _)| label != prediction)
        .map(|(&cell, rows)| (rows.len(), cell))
        .collect();
    wrong.sort_by_key(|&(count, cell)| (Reverse(count), cell));
    let kept: HashSet<(usize, usize)> = wrong.into_iter().take(MOST_CELLS).map(|(_, cell)| cell).collect();
    members
        .into_iter()
        .filter(|((label, prediction), _)| {
            if label == prediction {
                classes <= MOST_CLASSES_ON_THE_DIAGONAL
            } else {
                kept.contains(&(*label, *prediction))
            }
        })
        .map(|((label, prediction), mut members)| {
            members.sort_by(|&left, &right| rows[right].confidence.total_cmp(&rows[left].confidence));
            if label == prediction {
                members.reverse();
            }
            let selection = Selection { all: members.len(), rows: first(members, MOST_OF_A_CELL) };
            Cell { label, prediction, selection }
        })
        .collect()
}

fn first(mut rows: Vec<usize>, most: usize) -> Vec<usize> {
    rows.truncate(most);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions(classes: &[&str], rows: &[(usize, &[f64])]) -> Predictions {
        let names = classes.iter().map(ToString::to_string).collect();
        let paths = (0..rows.len()).map(|row| format!("{row}.jpg")).collect();
        let labels = rows.iter().map(|row| row.0).collect();
        let probabilities = rows.iter().flat_map(|row| row.1).copied().collect();
        Predictions::new(names, paths, labels, probabilities).unwrap()
    }

    #[test]
    fn errors_come_by_confidence_and_the_uncertain_by_margin() {
        let rows: [(usize, &[f64]); 5] =
            [(0, &[0.9, 0.1]), (0, &[0.2, 0.8]), (1, &[0.95, 0.05]), (1, &[0.45, 0.55]), (0, &[0.4, 0.6])];
        let selections = Selections::of(&predictions(&["a", "b"], &rows));
        assert_eq!(selections.errors, Selection { rows: vec![2, 1, 4], all: 3 });
        assert_eq!(selections.uncertain.rows, [3, 4, 1, 0, 2]);
        let cells: Vec<_> = selections
            .cells
            .iter()
            .map(|cell| (cell.label, cell.prediction, cell.selection.rows.clone()))
            .collect();
        assert_eq!(cells, [(0, 0, vec![0]), (0, 1, vec![1, 4]), (1, 0, vec![2]), (1, 1, vec![3])]);
    }

    #[test]
    fn of_many_classes_the_fullest_cells_are_shown_and_no_diagonal() {
        let classes: Vec<String> = (0..60).map(|class| format!("{class:02}")).collect();
        let names: Vec<&str> = classes.iter().map(String::as_str).collect();
        let row = |prediction: usize| {
            let mut row = vec![0.0; 60];
            row[prediction] = 1.0;
            row
        };
        // Class 0 is taken for every other one once, and for the last one nine times more.
        let numbers: Vec<Vec<f64>> = (0..60).chain([59; 9]).map(row).collect();
        let rows: Vec<(usize, &[f64])> = numbers.iter().map(|row| (0, row.as_slice())).collect();
        let selections = Selections::of(&predictions(&names, &rows));
        assert_eq!(selections.cells.len(), MOST_CELLS);
        assert!(selections.cells.iter().all(|cell| cell.label != cell.prediction));
        let last = selections.cells.last().unwrap();
        assert_eq!(
            (last.prediction, last.selection.all, last.selection.rows.len()),
            (59, 10, MOST_OF_A_CELL)
        );
        assert_eq!(selections.errors.rows.len(), MOST_ERRORS);
    }
}
