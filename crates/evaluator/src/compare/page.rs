//! A comparison as a page.

use askama::Template;

use super::comparison::{Compared, Comparison, Pair};
use super::tables::p_value;
use super::whiskers::{Whisker, Whiskers};
use crate::page::{grouped, percent};

/// The most pairs that are drawn: more are in the table alone.
const MOST_DRAWN: usize = 30;

/// `comparison.html`.
#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'a> {
    comparison: &'a Comparison,
    best: &'a Compared,
    accuracies: Whiskers<'a>,
    differences: Option<Whiskers<'a>>,
}

/// The bytes of `comparison.html`.
pub(super) fn render(comparison: &Comparison) -> anyhow::Result<String> {
    // The first of those that are as good.
    let reports = comparison.reports.iter().rev();
    let best = reports.max_by(|best, other| best.test_accuracy.total_cmp(&other.test_accuracy));
    let Some(best) = best else { anyhow::bail!("reports: expected at least one, found none") };
    let accuracies = comparison.reports.iter().map(|report| {
        let [low, high] = report.accuracy_wilson95;
        Whisker { name: report.name.clone(), low, found: report.test_accuracy, high }
    });
    let differences = comparison.pairs.iter().map(|pair| {
        let [low, high] = pair.accuracy_difference_interval95;
        let name = format!("{} less {}", pair.first, pair.second);
        Whisker { name, low, found: pair.accuracy_difference, high }
    });
    let page = Page {
        comparison,
        best,
        accuracies: Whiskers {
            id: "accuracies",
            title: "Accuracy of each report",
            caption: "A dot is the accuracy, the line its 95 % interval (Wilson's).",
            whiskers: accuracies.collect(),
            reference: None,
        },
        differences: (comparison.pairs.len() <= MOST_DRAWN).then(|| Whiskers {
            id: "differences",
            title: "Difference of accuracy of each pair",
            caption: "Where the line crosses zero (dashed), the difference may be chance.",
            whiskers: differences.collect(),
            reference: Some(0.0),
        }),
    };
    Ok(page.render()?)
}

impl Page<'_> {
    fn count(count: &u64) -> String {
        grouped(*count)
    }

    fn percentage(share: &f64) -> String {
        percent(*share)
    }

    /// A share as text: `0.9020`.
    fn share(share: &f64) -> String {
        format!("{share:.4}")
    }

    /// A difference with its sign: `+0.0045`, `−0.0045`.
    fn difference(difference: &f64) -> String {
        format!("{difference:+.4}").replace('-', "−")
    }

    fn p(pair: &Pair) -> String {
        p_value(pair.mcnemar_p)
    }

    /// What a pair comes to, in words.
    fn verdict(pair: &Pair) -> String {
        let better = if pair.accuracy_difference > 0.0 { &pair.first } else { &pair.second };
        if pair.mcnemar_p < 0.05 { format!("{better} is better") } else { "may be chance".to_owned() }
    }
}
