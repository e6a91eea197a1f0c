//! A comparison as tables of text.

use unicode_width::UnicodeWidthStr;

use super::comparison::Comparison;

/// Both tables, of reports and of pairs, and how to read them.
pub(super) fn tables(comparison: &Comparison) -> String {
    let reports = comparison.reports.iter().map(|report| {
        let [low, high] = report.accuracy_wilson95;
        vec![
            report.name.clone(),
            format!("{:.4}", report.test_accuracy),
            format!("{low:.4} to {high:.4}"),
            format!("{:.4}", report.test_loss),
            format!("{:.4}", report.expected_calibration_error),
        ]
    });
    let pairs = comparison.pairs.iter().map(|pair| {
        let [low, high] = pair.accuracy_difference_interval95;
        vec![
            format!("{}, {}", pair.first, pair.second),
            pair.only_first_correct.to_string(),
            pair.only_second_correct.to_string(),
            format!("{:+.4}", pair.accuracy_difference),
            format!("{low:+.4} to {high:+.4}"),
            p_value(pair.mcnemar_p),
        ]
    });
    let reports =
        aligned(["report", "accuracy", "95 % interval", "loss", "calibration error"], reports.collect());
    let pairs = aligned(
        [
            "first, second",
            "only first right",
            "only second right",
            "difference",
            "95 % interval",
            "McNemar's p",
        ],
        pairs.collect(),
    );
    let several = if comparison.pairs.len() > 1 { SEVERAL } else { "" };
    format!("{} photographs\n\n{reports}\n{pairs}{several}", comparison.num_samples)
}

/// Whoever looks at many pairs finds one of a small p by chance.
const SEVERAL: &str = "\nEach p is of its pair alone: among so many pairs a small one may be chance.\n";

/// Three digits behind the point, or the power of ten where they would be zeros.
pub(super) fn p_value(p: f64) -> String {
    if p == 0.0 || p >= 0.001 { format!("{p:.3}") } else { format!("{p:.0e}") }
}

/// Rows under a header, the first column to the left, the others to the right.
fn aligned<const COLUMNS: usize>(header: [&str; COLUMNS], rows: Vec<Vec<String>>) -> String {
    let header = header.map(str::to_owned).to_vec();
    let all: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let widths: Vec<usize> =
        (0..COLUMNS).map(|column| all.iter().map(|row| row[column].width()).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let room = width - cell.width();
            if column == 0 { format!("{cell}{:room$}", "") } else { format!("  {:room$}{cell}", "") }
        });
        cells.collect::<String>() + "\n"
    };
    all.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::comparison::{Compared, Pair};
    use super::*;

    #[test]
    fn columns_are_aligned_and_p_values_keep_a_digit() {
        let report = |name: &str, test_accuracy| Compared {
            name: name.to_owned(),
            test_accuracy,
            accuracy_wilson95: [0.875, 0.9375],
            num_correct: 9,
            test_loss: 0.25,
            expected_calibration_error: 0.03125,
            checkpoint: String::new(),
        };
        let comparison = Comparison {
            num_samples: 2000,
            reports: vec![report("a", 0.902), report("größer", 0.9)],
            pairs: vec![Pair {
                first: "a".to_owned(),
                second: "größer".to_owned(),
                only_first_correct: 18,
                only_second_correct: 14,
                accuracy_difference: 0.002,
                accuracy_difference_interval95: [-0.0125, 0.25],
                mcnemar_p: 0.00006,
            }],
        };
        let expected = "\
2000 photographs

report  accuracy     95 % interval    loss  calibration error
a         0.9020  0.8750 to 0.9375  0.2500             0.0312
größer    0.9000  0.8750 to 0.9375  0.2500             0.0312

first, second  only first right  only second right  difference       95 % interval  McNemar's p
a, größer                    18                 14     +0.0020  -0.0125 to +0.2500         6e-5
";
        assert_eq!(tables(&comparison), expected);
        assert_eq!(
            [0.0, 1.0, 0.0625, 0.001, 0.00099].map(p_value),
            ["0.000", "1.000", "0.062", "0.001", "1e-3"]
        );
    }
}
