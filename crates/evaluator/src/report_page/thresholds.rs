//! What two classes come to when another probability than one half decides.

use convbase_core::report::Predictions;
use serde::Serialize;

/// Thresholds are 0, 1/1000, 2/1000, ..., 1.
const STEPS: usize = 1000;

/// Counts for each threshold. A photograph is taken for the second class where its probability exceeds the threshold,
/// which for one half is the rule of every other figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Thresholds {
    /// Photographs of the second class.
    pub(super) positives: u64,
    /// Photographs of the first class.
    pub(super) negatives: u64,
    /// How many thresholds lie between 0 and 1.
    pub(super) steps: usize,
    /// For each threshold `step / steps`, photographs of the second class that are taken for it.
    pub(super) true_positives: Vec<u64>,
    /// For each threshold, photographs of the first class that are taken for the second.
    pub(super) false_positives: Vec<u64>,
}

impl Thresholds {
    /// Counts; `None` for more classes than two.
    pub(super) fn of(predictions: &Predictions) -> Option<Self> {
        let [_, positive] = predictions.classes() else { return None };
        let mut thresholds = Self {
            positives: 0,
            negatives: 0,
            steps: STEPS,
            true_positives: vec![0; STEPS + 1],
            false_positives: vec![0; STEPS + 1],
        };
        for row in predictions.rows() {
            let probability = row.probabilities.get(1).copied().unwrap_or(0.0);
            // How many thresholds it exceeds: found by comparing, as everybody else compares.
            let exceeded = partition(|step| probability > step as f64 / STEPS as f64);
            let is_positive = row.label == positive;
            let counts =
                if is_positive { &mut thresholds.true_positives } else { &mut thresholds.false_positives };
            counts.iter_mut().take(exceeded).for_each(|count| *count += 1);
            *(if is_positive { &mut thresholds.positives } else { &mut thresholds.negatives }) += 1;
        }
        Some(thresholds)
    }
}

/// The number of steps for which this holds; it holds for none after the first for which it does not.
fn partition(holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, STEPS + 1);
    while low < high {
        let middle = usize::midpoint(low, high);
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn predictions(rows: &[(usize, f64)]) -> Predictions {
        let names = ["a", "b"].map(str::to_owned).to_vec();
        let paths = (0..rows.len()).map(|row| row.to_string()).collect();
        let probabilities = rows.iter().flat_map(|row| [1.0 - row.1, row.1]).collect();
        Predictions::new(names, paths, rows.iter().map(|row| row.0).collect(), probabilities).unwrap()
    }

    proptest! {
        #[test]
        fn every_threshold_counts_what_exceeds_it(
            rows in prop::collection::vec((0_usize..2, prop_oneof![0.0..=1.0_f64, Just(0.5), Just(0.25), Just(1.0)]), 1..40),
            step in 0..=STEPS,
        ) {
            let thresholds = Thresholds::of(&predictions(&rows)).unwrap();
            let threshold = step as f64 / STEPS as f64;
            let count = |label| rows.iter().filter(|row| row.0 == label && row.1 > threshold).count() as u64;
            prop_assert_eq!(thresholds.true_positives[step], count(1));
            prop_assert_eq!(thresholds.false_positives[step], count(0));
            prop_assert_eq!(thresholds.positives + thresholds.negatives, rows.len() as u64);
        }
    }
}
