//! Confident learning: which labels are probably wrong (Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating
//! Uncertainty in Dataset Labels").
//!
//! The list is that of cleanlab 2.9's `find_label_issues(filter_by="prune_by_noise_rate")` on the same probabilities, up to
//! photographs with equal margins.

use super::rounding::round_preserving_sum;

/// How near to a threshold counts as reaching it, and how far another class must be ahead of the label (cleanlab's
/// `FLOATING_POINT_COMPARISON`).
const NEAR: f64 = 1e-6;
/// No class is confident below this (cleanlab's `CONFIDENT_THRESHOLDS_LOWER_BOUND`).
const LEAST_THRESHOLD: f64 = 2e-6;
/// Photographs that are left to each class, whatever is said of them.
const LEAST_LEFT: i64 = 1;

/// What held-out probabilities say of labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConfidentLearning {
    /// For each class the mean probability of it among the photographs that are labelled so; infinite where there are none.
    pub(crate) thresholds: Vec<f64>,
    /// The confident joint, calibrated: photographs by label (row) and by the class that they are estimated to be of
    /// (column). A row sums to the photographs of the label.
    pub(crate) joint: Vec<Vec<i64>>,
    /// Doubtful labels, the least probable first.
    pub(crate) doubtful: Vec<Doubt>,
}

/// A label that is probably wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Doubt {
    /// The photograph.
    pub(crate) row: usize,
    /// The most probable class, the first on ties.
    pub(crate) suggestion: usize,
    /// The probability of its label.
    pub(crate) self_confidence: f64,
}

impl ConfidentLearning {
    /// `probabilities` are [photographs, classes], said of each photograph by a classifier that was not fitted to it.
    pub(crate) fn new(labels: &[usize], probabilities: &[Vec<f64>], classes: usize) -> Self {
        let thresholds = thresholds(labels, probabilities, classes);
        let counts = confident_counts(labels, probabilities, &thresholds);
        let joint = calibrated(&counts, labels);
        let mut doubtful: Vec<Doubt> = pruned(labels, probabilities, &prune_counts(&joint))
            .into_iter()
            .filter_map(|row| {
                let (label, of_row) = (labels[row], &probabilities[row]);
                // What is said of the label anyway is no doubt.
                let mut leaning = of_row.clone();
                leaning[label] += NEAR;
                let doubt = Doubt { row, suggestion: greatest(of_row), self_confidence: of_row[label] };
                (greatest(&leaning) != label).then_some(doubt)
            })
            .collect();
        doubtful.sort_by(|a, b| a.self_confidence.total_cmp(&b.self_confidence).then(a.row.cmp(&b.row)));
        Self { thresholds, joint, doubtful }
    }
}

/// t_j: the mean of p(j) over the photographs that are labelled j (equation 2 of the paper).
fn thresholds(labels: &[usize], probabilities: &[Vec<f64>], classes: usize) -> Vec<f64> {
    let (mut sums, mut counts) = (vec![0.0; classes], vec![0_usize; classes]);
    for (&label, probabilities) in labels.iter().zip(probabilities) {
        sums[label] += probabilities[label];
        counts[label] += 1;
    }
    let threshold = |(sum, count): (f64, usize)| match count {
        0 => f64::INFINITY,
        _ => (sum / count as f64).max(LEAST_THRESHOLD),
    };
    sums.into_iter().zip(counts).map(threshold).collect()
}

/// The confident joint: photographs by label and by the class whose threshold they reach (equation 1). Every class keeps at least one on the diagonal.
fn confident_counts(labels: &[usize], probabilities: &[Vec<f64>], thresholds: &[f64]) -> Vec<Vec<i64>> {
    let classes = thresholds.len();
    let mut counts = vec![vec![0; classes]; classes];
    for (&label, probabilities) in labels.iter().zip(probabilities) {
        let reaches = |class: &usize| probabilities[*class] >= thresholds[*class] - NEAR;
        let mut confident = (0..classes).filter(reaches);
        let class = match (confident.next(), confident.next()) {
            (None, _) => continue,
            (Some(class), None) => class,
            // Of several the most probable of all, as cleanlab takes it.
            (Some(_), Some(_)) => greatest(probabilities),
        };
        counts[label][class] += 1;
    }
    (0..classes).for_each(|class| counts[class][class] = counts[class][class].max(1));
    counts
}

/// The joint with rows that sum to the photographs of each label (equation 3, times their number).
fn calibrated(counts: &[Vec<i64>], labels: &[usize]) -> Vec<Vec<i64>> {
    let mut of_label = vec![0_usize; counts.len()];
    labels.iter().for_each(|&label| of_label[label] += 1);
    let scaled: Vec<Vec<f64>> = counts
        .iter()
        .zip(&of_label)
        .map(|(row, &photographs)| {
            let sum = row.iter().sum::<i64>().max(1) as f64;
            row.iter().map(|&count| count as f64 / sum * photographs as f64).collect()
        })
        .collect();
    let total: f64 = scaled.iter().flatten().sum();
    let share = |number: f64| if total > 0.0 { number / total * labels.len() as f64 } else { 0.0 };
    scaled
        .iter()
        .map(|row| round_preserving_sum(&row.iter().copied().map(share).collect::<Vec<_>>()))
        .collect()
}

/// How many photographs of each label (column) are taken for each other class (row): the joint's off-diagonals, less what
/// leaves [`LEAST_LEFT`] to the label.
fn prune_counts(joint: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let classes = joint.len();
    let mut counts = vec![vec![0; classes]; classes];
    for label in 0..classes {
        let kept = joint[label][label].max(LEAST_LEFT);
        let others = joint[label].iter().filter(|&&count| count != 0).count().saturating_sub(1).max(1);
        let less = (kept - joint[label][label]) as f64 / others as f64;
        for class in 0..classes {
            let count = if class == label { kept as f64 } else { joint[label][class] as f64 - less };
            counts[class][label] = count.max(0.0) as i64;
        }
    }
    counts
}

/// For each label and other class the photographs whose margin p(class) - p(label) is greatest, as many as are counted
/// ("prune by noise rate", section 4.1).
fn pruned(labels: &[usize], probabilities: &[Vec<f64>], counts: &[Vec<i64>]) -> Vec<usize> {
    let classes = counts.len();
    let mut is_pruned = vec![false; labels.len()];
    for label in 0..classes {
        let members: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == label).collect();
        if members.len() as i64 <= LEAST_LEFT {
            continue;
        }
        for class in (0..classes).filter(|&class| class != label) {
            let margin = |row: usize| probabilities[row][class] - probabilities[row][label];
            let mut order = members.clone();
            order.sort_by(|&a, &b| margin(b).total_cmp(&margin(a)).then(a.cmp(&b)));
            let count = usize::try_from(counts[class][label]).unwrap_or(0);
            order.iter().take(count).for_each(|&row| is_pruned[row] = true);
        }
    }
    (0..labels.len()).filter(|&row| is_pruned[row]).collect()
}

/// The position of the greatest number, the first on ties.
fn greatest(numbers: &[f64]) -> usize {
    (0..numbers.len()).fold(0, |best, next| if numbers[next] > numbers[best] { next } else { best })
}

#[cfg(test)]
#[path = "confident/tests.rs"]
mod tests;
