//! All combinations that are tried, and the choice among them.

use std::fmt;

use rayon::prelude::*;

use super::gathered::Gathered;
use super::loss::is_right;
use super::regression::{Coefficients, NotSolved, Regression, Solution};
use super::scaling::RowScaling;
use super::temperature::HeldOut;
use crate::{MapPooling, balanced_class_weights};

/// The strengths that are tried where none is given: powers of ten.
pub const STRENGTHS: [f64; 9] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4];

/// Near enough to compare losses.
const TOLERANCE: f64 = 1e-4;
/// Near enough for coefficients of six digits.
const LAST_TOLERANCE: f64 = 1e-8;

/// Rows that are trained on, and rows that judge.
#[derive(Debug)]
pub struct Split<'a> {
    /// One for each pooling.
    train: &'a [Gathered],
    trained: Vec<usize>,
    /// One for each pooling.
    judges: &'a [Gathered],
    judging: Vec<usize>,
}

impl<'a> Split<'a> {
    /// Each fold judges what was fitted to the others: `folds` has the fold of each row, from 0.
    pub fn by_folds(rows: &'a [Gathered], folds: &[usize]) -> Vec<Self> {
        let count = folds.iter().max().map_or(0, |last| last + 1);
        let positions =
            |keep: &dyn Fn(usize) -> bool| (0..folds.len()).filter(|&row| keep(folds[row])).collect();
        let split = |fold| Self {
            train: rows,
            trained: positions(&|found| found != fold),
            judges: rows,
            judging: positions(&|found| found == fold),
        };
        (0..count).map(split).collect()
    }

    /// Other rows judge what was fitted to all of these.
    pub fn by_others(train: &'a [Gathered], judges: &'a [Gathered]) -> Self {
        let all = |rows: &[Gathered]| (0..rows.first().map_or(0, Gathered::len)).collect();
        Self { train, trained: all(train), judges, judging: all(judges) }
    }
}

/// One combination.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Which of the poolings.
    pub pooling: usize,
    /// How rows are scaled.
    pub scaling: RowScaling,
    /// The inverse strength of the penalty.
    pub c: f64,
}

/// What a combination is worth.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The combination.
    pub candidate: Candidate,
    /// The mean of the splits' mean cross-entropies, as scikit-learn's `LogisticRegressionCV` compares them.
    pub val_loss: f64,
    /// The share of judging rows that were right.
    pub val_accuracy: f64,
}

/// What to fit.
#[derive(Debug)]
pub struct Grid<'a> {
    /// How rows were pooled, as they are given.
    pub poolings: &'a [MapPooling],
    /// How they are scaled.
    pub scalings: &'a [RowScaling],
    /// Ascending: the strongest penalty first.
    pub strengths: &'a [f64],
    /// Whether each class weighs as much as any other ([`balanced_class_weights`]).
    pub balances: bool,
    /// How many classes there are.
    pub classes: usize,
}

impl Grid<'_> {
    /// Judges every combination on every split, many at a time. What comes out does not depend on how many.
    /// `done` is called after each pooling and scaling of each split.
    pub fn judge(&self, splits: &[Split], done: impl Fn() + Sync) -> Result<Vec<Judged>, NotSolved> {
        let mut tasks = Vec::new();
        for pooling in 0..self.poolings.len() {
            for &scaling in self.scalings {
                tasks.extend((0..splits.len()).map(|split| (pooling, scaling, split)));
            }
        }
        let paths = tasks.par_iter().map(|&(pooling, scaling, split)| {
            let path = self.path(&splits[split], pooling, scaling);
            done();
            path
        });
        let paths: Vec<Vec<(f64, usize)>> = paths.collect::<Result<_, NotSolved>>()?;
        let mut judged = Vec::new();
        for (paths, tasks) in paths.chunks(splits.len()).zip(tasks.chunks(splits.len())) {
            for (index, &c) in self.strengths.iter().enumerate() {
                let losses: f64 = paths.iter().map(|path| path[index].0).sum();
                let right: usize = paths.iter().map(|path| path[index].1).sum();
                let rows: usize = splits.iter().map(|split| split.judging.len()).sum();
                let (pooling, scaling, _) = tasks[0];
                judged.push(Judged {
                    candidate: Candidate { pooling, scaling, c },
                    val_loss: losses / splits.len() as f64,
                    val_accuracy: right as f64 / rows as f64,
                });
            }
        }
        Ok(judged)
    }

    /// Mean cross-entropy and right rows of one split for each strength, each solution begun where the last one ended.
    fn path(
        &self,
        split: &Split,
        pooling: usize,
        scaling: RowScaling,
    ) -> Result<Vec<(f64, usize)>, NotSolved> {
        let train = &split.train[pooling];
        let labels: Vec<usize> = split.trained.iter().map(|&position| train.labels()[position]).collect();
        let (matrix, columns) = train.matrix(&split.trained, scaling);
        let regression = Regression::new(matrix, &labels, self.row_weights(&labels), self.classes);
        let mut solution: Option<Solution> = None;
        let mut path = Vec::new();
        for &c in self.strengths {
            let solved = regression.solve(c, solution.as_ref(), TOLERANCE)?;
            let mut coefficients = regression.coefficients(&solved);
            if let Some(columns) = &columns {
                columns.fold_into(&mut coefficients);
            }
            let held_out = self.held_out(&coefficients, split, pooling, scaling);
            let right = held_out.logits.iter().zip(&held_out.labels);
            let right = right.filter(|(logits, label)| is_right(logits, **label)).count();
            path.push((held_out.loss(1.0, self.classes), right));
            solution = Some(solved);
        }
        Ok(path)
    }

    fn held_out(
        &self,
        coefficients: &Coefficients,
        split: &Split,
        pooling: usize,
        scaling: RowScaling,
    ) -> HeldOut {
        let judges = &split.judges[pooling];
        let row = |&position: &usize| coefficients.logits(&judges.row(position, scaling));
        let label = |&position: &usize| judges.labels()[position];
        HeldOut {
            logits: split.judging.iter().map(row).collect(),
            labels: split.judging.iter().map(label).collect(),
            places: Vec::new(),
        }
    }

    /// A combination fitted as exactly as it can be to some rows.
    pub fn fit(
        &self,
        train: &Gathered,
        positions: &[usize],
        candidate: Candidate,
    ) -> Result<Coefficients, NotSolved> {
        let labels: Vec<usize> = positions.iter().map(|&position| train.labels()[position]).collect();
        let (matrix, columns) = train.matrix(positions, candidate.scaling);
        let regression = Regression::new(matrix, &labels, self.row_weights(&labels), self.classes);
        let mut coefficients =
            regression.coefficients(&regression.solve(candidate.c, None, LAST_TOLERANCE)?);
        if let Some(columns) = columns {
            columns.fold_into(&mut coefficients);
        }
        Ok(coefficients)
    }

    /// The logits of all judging rows by a combination.
    pub fn all_held_out(&self, splits: &[Split], candidate: Candidate) -> Result<HeldOut, NotSolved> {
        let parts = splits.par_iter().map(|split| {
            let pooling = candidate.pooling;
            let coefficients = self.fit(&split.train[pooling], &split.trained, candidate)?;
            Ok(self.held_out(&coefficients, split, pooling, candidate.scaling))
        });
        let parts: Vec<HeldOut> = parts.collect::<Result<_, NotSolved>>()?;
        let mut all = HeldOut::default();
        for (index, (part, split)) in parts.into_iter().zip(splits).enumerate() {
            all.places.extend(split.judging.iter().map(|&position| (index, position)));
            all.logits.extend(part.logits);
            all.labels.extend(part.labels);
        }
        Ok(all)
    }

    fn row_weights(&self, labels: &[usize]) -> Vec<f64> {
        let weights = self.balances.then(|| balanced_class_weights(labels, self.classes));
        labels.iter().map(|&label| weights.as_ref().map_or(1.0, |weights| weights[label])).collect()
    }
}

/// The combination with the lowest loss. On ties the stronger penalty, then the one that comes first.
pub fn best(judged: &[Judged]) -> Option<&Judged> {
    let better = |a: &&Judged, b: &&Judged| {
        a.val_loss.total_cmp(&b.val_loss).then(a.candidate.c.total_cmp(&b.candidate.c))
    };
    judged.iter().min_by(better)
}

/// The grid for people: a line for each pooling and scaling, a column for each strength, the losses in them.
#[derive(Debug)]
pub struct Table<'a> {
    /// What was fitted.
    pub grid: &'a Grid<'a>,
    /// All of it, in its order.
    pub judged: &'a [Judged],
    /// What was chosen, which gets a mark.
    pub best: Candidate,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:<9} {:<9}", "pooling", "scaling")?;
        for c in self.grid.strengths {
            write!(formatter, " {:>9}", format!("C {c}"))?;
        }
        for line in self.judged.chunks(self.grid.strengths.len()) {
            let Candidate { pooling, scaling, .. } = line[0].candidate;
            write!(formatter, "\n{:<9} {scaling:<9}", self.grid.poolings[pooling])?;
            for judged in line {
                let mark = if judged.candidate == self.best { "*" } else { "" };
                write!(formatter, " {:>9}", format!("{mark}{:.4}", judged.val_loss))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(scaling: RowScaling, c: f64, val_loss: f64) -> Judged {
        Judged { candidate: Candidate { pooling: 0, scaling, c }, val_loss, val_accuracy: 0.9 }
    }

    #[test]
    fn the_lowest_loss_is_chosen_and_ties_go_to_the_stronger_penalty() {
        let all = [
            judged(RowScaling::None, 1.0, 0.3),
            judged(RowScaling::None, 10.0, 0.2),
            judged(RowScaling::Standard, 0.1, 0.2),
            judged(RowScaling::Standard, 10.0, 0.2),
        ];
        assert_eq!(best(&all).unwrap().candidate, all[2].candidate);
        assert_eq!(best(&all[..2]).unwrap().candidate, all[1].candidate);
    }
}
