//! The metrics against SciPy's, scikit-learn's and those of statsmodels, on random cases
//! (`golden/make_metrics_random.py` made them).

#![allow(clippy::unwrap_used, reason = "clippy takes the helpers below for no tests")]

use convbase_core::metrics::{
    PrecisionRecallCurve, average_precision, calibration, mcnemar_exact, paired_difference_interval95,
    wilson_interval95,
};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-9;

#[derive(Deserialize)]
struct Cases {
    mcnemar: Vec<McNemar>,
    wilson: Vec<Wilson>,
    precision_recall: Vec<PrecisionRecall>,
    calibration: Vec<Calibration>,
    difference: Vec<Difference>,
}

#[derive(Deserialize)]
struct McNemar {
    only_first: u64,
    only_second: u64,
    p: f64,
}

#[derive(Deserialize)]
struct Difference {
    only_first: u64,
    only_second: u64,
    total: u64,
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct Wilson {
    correct: u64,
    total: u64,
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct PrecisionRecall {
    labels: Vec<usize>,
    scores: Vec<f64>,
    precisions: Vec<f64>,
    recalls: Vec<f64>,
    thresholds: Vec<f64>,
    average_precision: f64,
}

#[derive(Deserialize)]
struct Calibration {
    labels: Vec<usize>,
    probabilities: Vec<f64>,
    classes: usize,
    expected_error: f64,
    /// Count, mean confidence and accuracy.
    bins: Vec<(u64, Option<f64>, Option<f64>)>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("golden/metrics_random.json")).unwrap()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "expected {expected:?}, found {found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= TOLERANCE, "expected {expected}, found {found}");
    }
}

#[test]
fn mcnemars_test_has_the_p_values_of_statsmodels_and_scipy() {
    let cases = cases().mcnemar;
    assert!(cases.len() >= 40);
    for McNemar { only_first, only_second, p } in cases {
        assert_close(&[mcnemar_exact(only_first, only_second)], &[p]);
    }
}

#[test]
fn intervals_of_shares_are_those_of_statsmodels() {
    let cases = cases().wilson;
    assert!(cases.len() >= 40);
    for Wilson { correct, total, interval } in cases {
        assert_close(&wilson_interval95(correct, total).unwrap().unwrap(), &interval);
    }
}

#[test]
fn precision_and_recall_are_those_of_scikit_learn_at_every_threshold() {
    let cases = cases().precision_recall;
    assert!(cases.len() >= 15);
    for case in cases {
        let curve = PrecisionRecallCurve::new(&case.labels, &case.scores).unwrap().unwrap();
        assert_close(curve.precisions(), &case.precisions);
        assert_close(curve.recalls(), &case.recalls);
        assert_close(curve.thresholds(), &case.thresholds);
        let average = average_precision(&case.labels, &case.scores).unwrap().unwrap();
        assert_close(&[average], &[case.average_precision]);
    }
}

#[test]
fn calibration_is_what_numpy_counts_bin_by_bin() {
    let cases = cases().calibration;
    assert!(cases.len() >= 15);
    for case in cases {
        let found = calibration(&case.labels, &case.probabilities, case.classes, case.bins.len());
        let found = found.unwrap().unwrap();
        assert_close(&[found.expected_error()], &[case.expected_error]);
        assert_eq!(found.bins().len(), case.bins.len());
        for (bin, (count, confidence, accuracy)) in found.bins().iter().zip(case.bins) {
            assert_eq!(bin.count, count);
            assert_close(bin.confidence.as_slice(), confidence.as_slice());
            assert_close(bin.accuracy.as_slice(), accuracy.as_slice());
        }
    }
}

#[test]
fn intervals_of_differences_are_those_that_the_likelihood_gives() {
    let cases = cases().difference;
    assert!(cases.len() >= 30);
    for Difference { only_first, only_second, total, interval } in cases {
        let found = paired_difference_interval95(only_first, only_second, total).unwrap().unwrap();
        assert_close(&found, &interval);
    }
}
