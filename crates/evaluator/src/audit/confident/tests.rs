use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[test]
fn one_swapped_label_among_sure_ones_is_the_doubtful_one() {
    let labels = [0, 0, 0, 1, 1, 1];
    let sure = |class: usize| if class == 0 { vec![0.9, 0.1] } else { vec![0.1, 0.9] };
    let probabilities: Vec<Vec<f64>> = [0, 0, 1, 1, 1, 1].map(sure).to_vec();
    let found = ConfidentLearning::new(&labels, &probabilities, 2);
    assert_eq!(found.doubtful, [Doubt { row: 2, suggestion: 1, self_confidence: 0.1 }]);
    assert_eq!(found.joint, [[2, 1], [0, 3]]);
    assert!((found.thresholds[0] - 1.9 / 3.0).abs() < 1e-12);
}

#[test]
fn a_class_without_photographs_takes_none_and_one_photograph_is_left_to_each() {
    let probabilities = vec![vec![0.1, 0.9, 0.0], vec![0.2, 0.8, 0.0], vec![0.1, 0.1, 0.8]];
    let found = ConfidentLearning::new(&[0, 1, 1], &probabilities, 3);
    assert!(found.thresholds[2].is_infinite());
    assert!(found.doubtful.iter().all(|doubt| doubt.row != 0), "the only one of its class: {found:?}");
}

prop_compose! {
    fn drawn()(classes in 2..6_usize)(
        classes in Just(classes),
        rows in prop::collection::vec((0..classes, prop::collection::vec(0.01..1.0_f64, classes)), 1..80),
    ) -> (usize, Vec<usize>, Vec<Vec<f64>>) {
        let (labels, weights): (Vec<usize>, Vec<Vec<f64>>) = rows.into_iter().unzip();
        let normal = |weights: Vec<f64>| {
            let sum: f64 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / sum).collect()
        };
        (classes, labels, weights.into_iter().map(normal).collect())
    }
}

proptest! {
    #[test]
    fn rows_of_the_joint_sum_to_the_photographs_of_their_label((classes, labels, probabilities) in drawn()) {
        let found = ConfidentLearning::new(&labels, &probabilities, classes);
        for (label, row) in found.joint.iter().enumerate() {
            let of_label = labels.iter().filter(|&&other| other == label).count() as i64;
            prop_assert_eq!(row.iter().sum::<i64>(), of_label);
            prop_assert!(row.iter().all(|&count| count >= 0), "{:?}", row);
        }
    }

    #[test]
    fn doubtful_labels_are_no_more_than_the_joint_counts_and_never_the_most_probable_class(
        (classes, labels, probabilities) in drawn()
    ) {
        let found = ConfidentLearning::new(&labels, &probabilities, classes);
        for label in 0..classes {
            let doubtful = found.doubtful.iter().filter(|doubt| labels[doubt.row] == label).count() as i64;
            let counted: i64 = (0..classes).filter(|&class| class != label).map(|class| found.joint[label][class]).sum();
            prop_assert!(doubtful <= counted, "{} of {}", doubtful, counted);
        }
        for doubt in &found.doubtful {
            prop_assert_ne!(doubt.suggestion, labels[doubt.row]);
        }
        prop_assert!(found.doubtful.is_sorted_by(|a, b| a.self_confidence <= b.self_confidence));
    }
}

/// Whether rows have equal sums, and numbers that differ by one at most.
fn differs_by_ties(found: &[Vec<i64>], expected: &[Vec<i64>]) -> bool {
    found.iter().zip(expected).all(|(found, expected)| {
        let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() <= 1);
        near && found.iter().sum::<i64>() == expected.iter().sum::<i64>()
    })
}

#[test]
fn thresholds_joints_and_lists_are_those_of_cleanlab() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/confident_learning.json");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
    assert_eq!(cases.len(), 13);
    let mut ties = 0;
    for (number, case) in cases.iter().enumerate() {
        let of = |name: &str| case[name].clone();
        let labels: Vec<usize> = serde_json::from_value(of("labels")).unwrap();
        let probabilities: Vec<Vec<f64>> = serde_json::from_value(of("probabilities")).unwrap();
        let thresholds: Vec<Option<f64>> = serde_json::from_value(of("thresholds")).unwrap();
        let joint: Vec<Vec<i64>> = serde_json::from_value(of("joint")).unwrap();
        let doubtful: Vec<usize> = serde_json::from_value(of("doubtful")).unwrap();
        let found = ConfidentLearning::new(&labels, &probabilities, thresholds.len());
        for (found, expected) in found.thresholds.iter().zip(&thresholds) {
            match expected {
                Some(expected) => assert!((found - expected).abs() < 1e-12, "case {number}: {found}"),
                None => assert!(found.is_infinite(), "case {number}: {found}"),
            }
        }
        if found.joint != joint {
            // Which of equally near numbers gives way to keep a row's sum is not told by cleanlab's sort, which is none of
            // the stable ones: the list then differs as well.
            assert!(differs_by_ties(&found.joint, &joint), "case {number}: {:?}", found.joint);
            ties += 1;
            continue;
        }
        let mut rows: Vec<usize> = found.doubtful.iter().map(|doubt| doubt.row).collect();
        let confidence = |row: &usize| probabilities[*row][labels[*row]];
        assert!(rows.is_sorted_by(|a, b| confidence(a) <= confidence(b)), "case {number}");
        // Photographs of equal confidence may stand in either order.
        let mut expected = doubtful;
        rows.sort_unstable();
        expected.sort_unstable();
        assert_eq!(rows, expected, "case {number}");
    }
    assert!(ties <= 2, "{ties} of {} cases differ", cases.len());
    let lists = cases.iter().filter(|case| !case["doubtful"].as_array().unwrap().is_empty());
    assert!(lists.count() >= 10, "most cases have something to find");
}
