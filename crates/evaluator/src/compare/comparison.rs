//! What reports on the same photographs say of each other.

use anyhow::Context;
use convbase_core::metrics::{mcnemar_exact, paired_difference_interval95, wilson_interval95};
use serde::Serialize;

use super::report_folder::ReportFolder;
use super::test_set::{TestSet, check_same, test_set};

/// `comparison.json`. Shares lie between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Comparison {
    /// The photographs that every report is of.
    pub(super) num_samples: u64,
    /// In the order in which they were given.
    pub(super) reports: Vec<Compared>,
    /// Each report with each that was given after it.
    pub(super) pairs: Vec<Pair>,
}

/// One report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Compared {
    /// The shortest ending of its path that no other report has.
    pub(super) name: String,
    pub(super) test_accuracy: f64,
    pub(super) accuracy_wilson95: [f64; 2],
    pub(super) num_correct: u64,
    pub(super) test_loss: f64,
    pub(super) expected_calibration_error: f64,
    /// The digest of the checkpoint that was evaluated.
    pub(super) checkpoint: String,
}

/// Two reports, photograph by photograph.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Pair {
    pub(super) first: String,
    pub(super) second: String,
    /// Photographs that the first has right and the second wrong.
    pub(super) only_first_correct: u64,
    pub(super) only_second_correct: u64,
    /// The accuracy of the first less that of the second.
    pub(super) accuracy_difference: f64,
    /// Tango's score interval for paired shares.
    pub(super) accuracy_difference_interval95: [f64; 2],
    /// McNemar's exact test, two-sided.
    pub(super) mcnemar_p: f64,
}

impl Comparison {
    /// Compares each report with each other; all must be of the same photographs with the same labels.
    pub(super) fn new(names: Vec<String>, reports: &[ReportFolder]) -> anyhow::Result<Self> {
        let sets: Vec<TestSet> = reports.iter().map(test_set).collect::<Result<_, _>>()?;
        let named: Vec<(&str, &TestSet)> = names.iter().map(String::as_str).zip(&sets).collect();
        if let [first, others @ ..] = &named[..] {
            others.iter().try_for_each(|other| check_same(*first, *other))?;
        }
        let mut pairs = Vec::new();
        for (position, first) in named.iter().enumerate() {
            for second in &named[position + 1..] {
                pairs.push(Pair::new(*first, *second)?);
            }
        }
        let num_samples = sets.first().map_or(0, |set| set.len() as u64);
        let reports = names.iter().zip(reports).map(|(name, report)| Compared::new(name, report));
        Ok(Self { num_samples, reports: reports.collect::<Result<_, _>>()?, pairs })
    }

    /// The bytes of `comparison.json`: indented, keys in a fixed order, a newline at the end.
    pub(super) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl Compared {
    fn new(name: &str, report: &ReportFolder) -> anyhow::Result<Self> {
        let confusion = report.report.confusion_matrix();
        let num_correct = confusion.correct();
        let accuracy_wilson95 = wilson_interval95(num_correct, confusion.total())?;
        Ok(Self {
            name: name.to_owned(),
            test_accuracy: report.report.test_accuracy(),
            accuracy_wilson95: accuracy_wilson95.context("a report has at least one photograph")?,
            num_correct,
            test_loss: report.report.test_loss(),
            expected_calibration_error: report.report.calibration().expected_error(),
            checkpoint: report.origin.sha256.clone(),
        })
    }
}

impl Pair {
    /// Both sets hold the same paths, and are in their order.
    fn new(
        (first, first_set): (&str, &TestSet<'_>),
        (second, second_set): (&str, &TestSet<'_>),
    ) -> anyhow::Result<Self> {
        let outcomes = || first_set.values().map(|row| row.1).zip(second_set.values().map(|row| row.1));
        let count = |wanted: (bool, bool)| outcomes().filter(|outcome| *outcome == wanted).count() as u64;
        let (only_first, only_second, total) = (count((true, false)), count((false, true)), first_set.len());
        let interval = paired_difference_interval95(only_first, only_second, total as u64)?;
        Ok(Self {
            first: first.to_owned(),
            second: second.to_owned(),
            only_first_correct: only_first,
            only_second_correct: only_second,
            accuracy_difference: (only_first as f64 - only_second as f64) / total as f64,
            accuracy_difference_interval95: interval.context("a report has at least one photograph")?,
            mcnemar_p: mcnemar_exact(only_first, only_second),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_counts_what_one_alone_has_right() {
        let set = |correct: [bool; 5]| -> TestSet {
            ["a", "b", "c", "d", "e"].into_iter().zip(correct.map(|correct| ("x", correct))).collect()
        };
        let (first, second) = (set([true, true, true, false, true]), set([true, false, false, true, false]));
        let pair = Pair::new(("one", &first), ("two", &second)).unwrap();
        assert_eq!((pair.only_first_correct, pair.only_second_correct), (3, 1));
        assert!((pair.accuracy_difference - 0.4).abs() < 1e-15);
        assert!((pair.mcnemar_p - 0.625).abs() < 1e-15);
        let [low, high] = pair.accuracy_difference_interval95;
        assert!(low < 0.0 && high > 0.4, "{low} {high}");
    }
}
