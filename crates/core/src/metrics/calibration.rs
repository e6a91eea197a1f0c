//! Whether probabilities mean what they say.

use super::MetricsError;
use super::input::check_labelled_probabilities;
use super::prediction::first_of_highest;

/// The number of bins that the literature uses, and [`Report`](crate::Report) with it.
pub const CALIBRATION_BINS: usize = 15;

/// The most bins that are of any use: with more, each holds less than one row of a very large test set.
const MOST_BINS: usize = 1 << 16;

/// How confident a classifier is, and how often it is right then (C. Guo et al., "On Calibration of Modern Neural
/// Networks", 2017). The confidence of a row is the probability of its prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    bins: Vec<ReliabilityBin>,
    expected_error: f64,
}

/// The rows whose confidence lies in one of the equal parts of 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// The confidence above which the bin begins; the first one holds 0 as well.
    pub low: f64,
    /// The greatest confidence that belongs to the bin.
    pub high: f64,
    /// The number of rows.
    pub count: u64,
    /// The mean confidence of the rows; `None` without rows.
    pub confidence: Option<f64>,
    /// The share of rows whose prediction is their label; `None` without rows.
    pub accuracy: Option<f64>,
}

impl Calibration {
    /// The mean distance of accuracy from confidence over the bins, each weighted by its rows: the expected calibration
    /// error, from 0 (calibrated) to 1.
    pub fn expected_error(&self) -> f64 {
        self.expected_error
    }

    /// All bins, `[bins]`, by ascending confidence: what a reliability diagram shows.
    pub fn bins(&self) -> &[ReliabilityBin] {
        &self.bins
    }
}

/// The calibration of `probabilities` `[rows, classes]` for `labels` `[rows]` in `bins` parts of equal width, bin m of M
/// holding the confidences above (m − 1)/M up to and with m/M. The prediction is the most probable class, the first on
/// ties. `None` without rows; an error where `bins` is not 1 to 65,536.
pub fn calibration(
    labels: &[usize],
    probabilities: &[f64],
    classes: usize,
    bins: usize,
) -> Result<Option<Calibration>, MetricsError> {
    check_labelled_probabilities(labels, probabilities, classes)?;
    if !(1..=MOST_BINS).contains(&bins) {
        return Err(MetricsError::BinCount { max: MOST_BINS, found: bins });
    }
    if labels.is_empty() {
        return Ok(None);
    }
    let edge = |bin: usize| bin as f64 / bins as f64;
    let upper_edges: Vec<f64> = (1..=bins).map(edge).collect();
    let mut sums = vec![Sums::default(); bins];
    for (&label, row) in labels.iter().zip(probabilities.chunks_exact(classes)) {
        let prediction = first_of_highest(row);
        // No probability lies above 1, the last edge.
        let bin = &mut sums[upper_edges.partition_point(|edge| *edge < row[prediction])];
        bin.count += 1;
        bin.correct += u64::from(prediction == label);
        bin.confidence += row[prediction];
    }
    let distance: f64 = sums.iter().map(|bin| (bin.correct as f64 - bin.confidence).abs()).sum();
    let bins = sums.iter().enumerate().map(|(bin, sums)| sums.within(edge(bin), edge(bin + 1))).collect();
    Ok(Some(Calibration { bins, expected_error: distance / labels.len() as f64 }))
}

#[derive(Clone, Copy, Default)]
struct Sums {
    count: u64,
    correct: u64,
    confidence: f64,
}

impl Sums {
    fn within(&self, low: f64, high: f64) -> ReliabilityBin {
        let mean = |sum: f64| (self.count > 0).then(|| sum / self.count as f64);
        ReliabilityBin {
            low,
            high,
            count: self.count,
            confidence: mean(self.confidence),
            accuracy: mean(self.correct as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_error_is_the_weighted_distance_of_accuracy_from_confidence() {
        // Confidences 0.75, 0.75 (one right), 0.5 (right) and 1.0 (wrong), in four bins.
        let probabilities = [0.75, 0.25, 0.25, 0.75, 0.5, 0.5, 0.0, 1.0];
        let calibration = calibration(&[0, 0, 0, 0], &probabilities, 2, 4).unwrap().unwrap();
        let bin = |low, high, count, confidence, accuracy| ReliabilityBin {
            low,
            high,
            count,
            confidence,
            accuracy,
        };
        let expected = [
            bin(0.0, 0.25, 0, None, None),
            bin(0.25, 0.5, 1, Some(0.5), Some(1.0)),
            bin(0.5, 0.75, 2, Some(0.75), Some(0.5)),
            bin(0.75, 1.0, 1, Some(1.0), Some(0.0)),
        ];
        assert_eq!(calibration.bins(), expected);
        assert_eq!(calibration.expected_error(), (0.5 + 0.5 + 1.0) / 4.0);
    }

    #[test]
    fn confidence_that_is_always_kept_has_no_error() {
        let calibration = calibration(&[0, 1], &[0.5, 0.5, 0.5, 0.5], 2, 15).unwrap().unwrap();
        assert_eq!(calibration.expected_error(), 0.0);
    }

    #[test]
    fn no_rows_have_no_calibration_and_no_bins_are_an_error() {
        assert_eq!(calibration(&[], &[], 2, 15), Ok(None));
        assert!(calibration(&[0], &[1.0, 0.0], 2, 0).is_err());
        assert!(calibration(&[0], &[1.0, 0.0], 2, usize::MAX).is_err());
        assert!(calibration(&[0], &[1.0], 2, 15).is_err());
        assert!(calibration(&[0], &[0.9, 0.9], 2, 15).is_err());
    }

    proptest! {
        #[test]
        fn every_row_lies_in_the_bin_that_holds_its_confidence(
            rows in prop::collection::vec((0_usize..2, 0.0..=1.0_f64), 1..100),
            bins in 1_usize..40,
        ) {
            let labels: Vec<usize> = rows.iter().map(|row| row.0).collect();
            let probabilities: Vec<f64> = rows.iter().flat_map(|row| [1.0 - row.1, row.1]).collect();
            let calibration = calibration(&labels, &probabilities, 2, bins).unwrap().unwrap();
            let counted: u64 = calibration.bins().iter().map(|bin| bin.count).sum();
            prop_assert_eq!(counted, labels.len() as u64);
            for bin in calibration.bins() {
                let within = probabilities.chunks_exact(2).map(|row| row[0].max(row[1]));
                let within = within.filter(|confidence| bin.low < *confidence && *confidence <= bin.high);
                prop_assert_eq!(within.count() as u64, bin.count);
            }
            // One bin tells the distance of the means alone, and finer ones never less.
            let coarse = super::calibration(&labels, &probabilities, 2, 1).unwrap().unwrap().expected_error();
            prop_assert!(coarse <= calibration.expected_error() + 1e-12);
            prop_assert!(calibration.expected_error() <= 1.0);
        }
    }
}
