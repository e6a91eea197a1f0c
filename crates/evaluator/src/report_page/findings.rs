//! What to distrust in a report.

use convbase_core::store::{RowRecord, RowStatus};
use convbase_core::{History, Report};
use convbase_nn::CheckpointMetadata;
use serde::Serialize;

use crate::audit::Leak;
use crate::page::{grouped, percent};

/// Of a longer list so many are named.
const MOST_NAMED: usize = 50;
/// With fewer photographs the interval of a share is more than a third of the whole wide.
const FEW_PHOTOGRAPHS: u64 = 30;
/// A distance between training and validation accuracy from which overfitting is worth a word.
const GAP: f64 = 0.05;
/// An expected calibration error from which probabilities should not be read as such.
const MISCALIBRATION: f64 = 0.05;

/// Something that a person should know before they believe the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// A sentence.
    pub(super) text: String,
    /// What it is about, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) details: Vec<String>,
}

impl Finding {
    pub(super) fn new(text: String, details: Vec<String>) -> Self {
        Self { text, details }
    }

    /// The same with a longer list cut short, and said so.
    pub(super) fn listed(text: String, mut details: Vec<String>) -> Self {
        let more = details.len().saturating_sub(MOST_NAMED);
        details.truncate(MOST_NAMED);
        if more > 0 {
            details.push(format!("and {} more", grouped(more as u64)));
        }
        Self { text, details }
    }
}

/// Looks for all of it.
pub(super) fn findings(
    report: &Report,
    metadata: &CheckpointMetadata,
    records: &[RowRecord],
    history: Option<&History>,
) -> Vec<Finding> {
    let found = [
        rejected(records),
        absent(report),
        rare(report),
        no_better_than_guessing(report),
        chosen_by_validation(report, metadata),
        overfitted(metadata, history),
        miscalibrated(report),
    ];
    found.into_iter().flatten().collect()
}

/// Test photographs that were trained on.
pub(super) fn leaked(leaks: &[Leak], report: &Report) -> Option<Finding> {
    let exact = leaks.iter().filter(|leak| leak.is_exact).count();
    let details: Vec<String> = leaks
        .iter()
        .map(|leak| {
            let how = if leak.is_exact { "the same file" } else { "alike" };
            format!(
                "{} and {} of the training photographs: {how}, cosine {:.3}",
                leak.path, leak.twin, leak.cosine
            )
        })
        .collect();
    (!leaks.is_empty()).then(|| {
        let text = format!(
            "{} of {} test photographs look like photographs that were trained on ({exact} are the same files). Copies make \
             the accuracy too high: look at these pairs.",
            grouped(leaks.len() as u64),
            grouped(report.num_samples())
        );
        Finding::listed(text, details)
    })
}

fn rejected(records: &[RowRecord]) -> Option<Finding> {
    let errors: Vec<String> = records
        .iter()
        .filter_map(|record| match &record.status {
            RowStatus::Rejected { error } => Some(format!("{}: {error}", record.path)),
            RowStatus::Ok { .. } => None,
        })
        .collect();
    let photographs = records.iter().filter(|record| record.is_first()).count();
    (!errors.is_empty()).then(|| {
        let (count, all) = (grouped(errors.len() as u64), grouped(photographs as u64));
        Finding::listed(
            format!("{count} of {all} photographs could not be read and are in no figure."),
            errors,
        )
    })
}

fn absent(report: &Report) -> Option<Finding> {
    let absent: Vec<String> = report
        .classification()
        .classes()
        .filter(|(_, scores)| scores.support == 0)
        .map(|(name, _)| name.to_owned())
        .collect();
    let count = absent.len();
    (count > 0).then(|| {
        Finding::listed(
            format!("{count} classes of the checkpoint have no photographs here: nothing is known of them."),
            absent,
        )
    })
}

fn rare(report: &Report) -> Option<Finding> {
    let rare: Vec<String> = report
        .classification()
        .classes()
        .filter(|(_, scores)| (1..FEW_PHOTOGRAPHS).contains(&scores.support))
        .map(|(name, scores)| format!("{name}: {} photographs", scores.support))
        .collect();
    (!rare.is_empty()).then(|| {
        let text = format!(
            "{} classes have fewer than {FEW_PHOTOGRAPHS} photographs here: their precision and recall are rough.",
            rare.len()
        );
        Finding::listed(text, rare)
    })
}

fn no_better_than_guessing(report: &Report) -> Option<Finding> {
    let largest = report.classification().classes().max_by_key(|(_, scores)| scores.support)?;
    let guess = largest.1.support as f64 / report.num_samples() as f64;
    (report.accuracy_wilson95()[0] <= guess).then(|| {
        let text = format!(
            "Whoever always says {} is right for {}: the accuracy is not clearly above that.",
            largest.0,
            percent(guess)
        );
        Finding::new(text, Vec::new())
    })
}

fn chosen_by_validation(report: &Report, metadata: &CheckpointMetadata) -> Option<Finding> {
    let [_, high] = report.accuracy_wilson95();
    (metadata.val_accuracy > high).then(|| {
        let text = format!(
            "The validation accuracy of {} lies above the interval of the test accuracy. The checkpoint was chosen by \
             its validation loss, or the test photographs are harder, or others than those it was trained on.",
            percent(metadata.val_accuracy)
        );
        Finding::new(text, Vec::new())
    })
}

fn overfitted(metadata: &CheckpointMetadata, history: Option<&History>) -> Option<Finding> {
    let record = history?.records().iter().find(|record| record.epoch == metadata.epoch)?;
    let gap = record.accuracy - record.val_accuracy;
    (gap > GAP).then(|| {
        let text = format!(
            "At epoch {} the training accuracy of {} was {:.1} points above the validation accuracy of {}: the head has \
             learned photographs by heart. More photographs, views of them, dropout or a probe help.",
            record.epoch,
            percent(record.accuracy),
            100.0 * gap,
            percent(record.val_accuracy)
        );
        Finding::new(text, Vec::new())
    })
}

fn miscalibrated(report: &Report) -> Option<Finding> {
    let calibration = report.calibration();
    let error = calibration.expected_error();
    let confidence: f64 =
        calibration.bins().iter().filter_map(|bin| Some(bin.confidence? * bin.count as f64)).sum::<f64>()
            / report.num_samples() as f64;
    (error > MISCALIBRATION).then(|| {
        let (accuracy, side) =
            (report.test_accuracy(), if confidence > report.test_accuracy() { "over" } else { "under" });
        let text = format!(
            "The probabilities are {side}confident: {} in the mean, with an accuracy of {}. Read them as a ranking.",
            percent(confidence),
            percent(accuracy)
        );
        Finding::new(text, Vec::new())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use convbase_core::report::{CheckpointReference, ReportInput};

    fn report(labels: &[usize], probabilities: &[f64]) -> Report {
        Report::new(ReportInput {
            classes: &["a", "b", "c"].map(str::to_owned),
            labels,
            probabilities,
            num_rejected: 0,
            feature_id: String::new(),
            checkpoint: CheckpointReference { sha256: String::new(), epoch: 1, val_loss: 0.5 },
        })
        .unwrap()
    }

    #[test]
    fn a_class_without_photographs_and_rare_ones_are_named() {
        let report = report(&[0, 0, 1], &[0.6, 0.3, 0.1, 0.1, 0.6, 0.3, 0.3, 0.6, 0.1]);
        assert_eq!(absent(&report).unwrap().details, ["c"]);
        assert_eq!(rare(&report).unwrap().details, ["a: 2 photographs", "b: 1 photographs"]);
        let text = no_better_than_guessing(&report).unwrap().text;
        assert_eq!(
            text,
            "Whoever always says a is right for 66.7\u{a0}%: the accuracy is not clearly above that."
        );
    }

    #[test]
    fn a_confident_and_mistaken_classifier_is_called_overconfident() {
        let rows: Vec<f64> = (0..100).flat_map(|_| [0.98, 0.01, 0.01]).collect();
        let labels: Vec<usize> = (0..100).map(|row| row % 2).collect();
        let text = miscalibrated(&report(&labels, &rows)).unwrap().text;
        assert!(
            text.starts_with(
                "The probabilities are overconfident: 98.0\u{a0}% in the mean, with an accuracy of 50.0\u{a0}%"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_long_list_is_cut_short_and_says_so() {
        let finding = Finding::listed("many".to_owned(), (0..60).map(|index| index.to_string()).collect());
        assert_eq!(finding.details.len(), MOST_NAMED + 1);
        assert_eq!(finding.details.last().unwrap(), "and 10 more");
    }
}
