//! The charts of a report.

use convbase_core::metrics::{MetricsError, PrecisionRecallCurve, RocCurve, roc_auc};
use convbase_core::report::{Prediction, Predictions};
use convbase_core::{EpochRecord, History, Report};
use convbase_figures::Range;

use crate::page::{Axis, Bar, Chart, Line, percent};

const STYLES: [&str; 4] = ["line0", "line1", "line2", "line3"];

fn share(title: &str) -> Axis {
    Axis { title: title.to_owned(), range: Range::new(0.0, 1.0) }
}

fn diagonal(name: &str) -> Line {
    Line { name: name.to_owned(), style: "reference", points: vec![(0.0, 0.0), (1.0, 1.0)] }
}

/// A class against all others: its name and the area under its curve.
struct Ranked {
    name: String,
    roc: RocCurve,
    precision_recall: PrecisionRecallCurve,
}

/// ROC and precision-recall curves: of the second of two classes, or each class against all others; of more than four
/// classes those four that are told apart worst. Empty where no class has photographs beside others.
pub(super) fn ranking(predictions: &Predictions) -> Result<Vec<Chart>, MetricsError> {
    let classes = predictions.classes();
    let considered = if classes.len() == 2 { 1..2 } else { 0..classes.len() };
    // Curves have a point for each photograph: of a thousand classes only areas are held.
    let mut areas = Vec::new();
    for class in considered {
        let (labels, scores) = against_others(predictions, class);
        areas.extend(roc_auc(&labels, &scores)?.map(|area| (class, area)));
    }
    let all = areas.len();
    areas.sort_by(|left, right| left.1.total_cmp(&right.1));
    areas.truncate(STYLES.len());
    let mut ranked = Vec::new();
    for (class, _) in areas {
        let (labels, scores) = against_others(predictions, class);
        let curves = RocCurve::new(&labels, &scores)?.zip(PrecisionRecallCurve::new(&labels, &scores)?);
        if let (Some((roc, precision_recall)), Some(name)) = (curves, classes.get(class)) {
            ranked.push(Ranked { name: name.clone(), roc, precision_recall });
        }
    }
    if ranked.is_empty() {
        return Ok(Vec::new());
    }
    let whose = match (classes.len(), all > ranked.len()) {
        (2, _) => format!("of class {}", ranked.first().map_or("", |ranked| &ranked.name)),
        (_, false) => "of each class against all others".to_owned(),
        (_, true) => {
            format!("of the {} classes that are told apart worst, each against all others", STYLES.len())
        }
    };
    let areas: Vec<String> =
        ranked.iter().map(|ranked| format!("{}: area {:.4}", ranked.name, ranked.roc.area())).collect();
    let lines = |points: &dyn Fn(&Ranked) -> Vec<(f64, f64)>| -> Vec<Line> {
        let styled = ranked.iter().zip(STYLES);
        styled
            .map(|(ranked, style)| Line { name: ranked.name.clone(), style, points: points(ranked) })
            .collect()
    };
    let mut roc_lines = lines(&|ranked| {
        ranked.roc.false_positive_rates().into_iter().zip(ranked.roc.true_positive_rates()).collect()
    });
    roc_lines.push(diagonal("Chance"));
    let precision_recall_lines = lines(&|ranked| {
        let curve = &ranked.precision_recall;
        curve.recalls().iter().copied().zip(curve.precisions().iter().copied()).collect()
    });
    let roc = Chart {
        id: "roc",
        title: format!("ROC curve {whose}"),
        description: format!("True positive rate against false positive rate. {}.", areas.join(", ")),
        caption: format!(
            "{}. The nearer to the upper left corner, the better; 0.5 is chance.",
            areas.join(", ")
        ),
        across: share("False positive rate"),
        up: share("True positive rate"),
        bars: Vec::new(),
        lines: roc_lines,
    };
    let precision_recall = Chart {
        id: "precision-recall",
        title: format!("Precision and recall {whose}"),
        description: "Precision against recall for every threshold.".to_owned(),
        caption: "Each point is a threshold: how many are found, and how many of what is found are right."
            .to_owned(),
        across: share("Recall"),
        up: share("Precision"),
        bars: Vec::new(),
        lines: precision_recall_lines,
    };
    Ok(vec![roc, precision_recall])
}

/// Labels [photographs], 1 for those of a class, and its probabilities [photographs].
fn against_others(predictions: &Predictions, class: usize) -> (Vec<usize>, Vec<f64>) {
    let name = predictions.classes().get(class);
    let row = |row: Prediction| {
        let is_of_class = name.is_some_and(|name| row.label == name);
        (usize::from(is_of_class), row.probabilities.get(class).copied().unwrap_or(0.0))
    };
    predictions.rows().map(row).unzip()
}

/// Accuracy against confidence.
pub(super) fn reliability(report: &Report) -> Chart {
    let calibration = report.calibration();
    let bars = calibration
        .bins()
        .iter()
        .filter_map(|bin| bin.accuracy.map(|accuracy| Bar { between: (bin.low, bin.high), up: accuracy }));
    let told: Vec<String> = calibration
        .bins()
        .iter()
        .filter_map(|bin| {
            let (confidence, accuracy) = bin.confidence.zip(bin.accuracy)?;
            Some(format!("{} photographs with confidence {confidence:.2}: accuracy {accuracy:.2}", bin.count))
        })
        .collect();
    Chart {
        id: "reliability",
        title: "Reliability".to_owned(),
        description: format!("Accuracy against confidence. {}.", told.join("; ")),
        caption: format!(
            "Of predictions with a confidence of 0.8, eight of ten should be right: bars below the diagonal are \
             overconfident. Expected calibration error {}.",
            percent(calibration.expected_error())
        ),
        across: share("Confidence"),
        up: share("Accuracy"),
        bars: bars.collect(),
        lines: vec![diagonal("Calibrated")],
    }
}

/// Accuracy and loss of a training, epoch by epoch.
pub(super) fn training(history: &History) -> Vec<Chart> {
    let records = history.records();
    let epochs = Range::new(1.0, records.len().max(2) as f64);
    let chart = |id,
                 title: &str,
                 (low, high),
                 training: fn(&EpochRecord) -> f64,
                 validation: fn(&EpochRecord) -> f64| {
        let points = |value: fn(&EpochRecord) -> f64| -> Vec<(f64, f64)> {
            let finite = records.iter().filter(|record| value(record).is_finite());
            finite.map(|record| (f64::from(record.epoch), value(record))).collect()
        };
        let (trained, validated) = (points(training), points(validation));
        let values = trained.iter().chain(&validated).map(|point| point.1);
        let range = Range::covering(values).unwrap_or(Range::new(0.0, 1.0)).padded().within(low, high);
        let ends = records.first().zip(records.last()).map_or(String::new(), |(first, last)| {
            format!(
                "Training from {:.3} to {:.3}, validation from {:.3} to {:.3} in {} epochs.",
                training(first),
                training(last),
                validation(first),
                validation(last),
                records.len()
            )
        });
        Chart {
            id,
            title: title.to_owned(),
            description: ends.clone(),
            caption: ends,
            across: Axis { title: "Epoch".to_owned(), range: epochs },
            up: Axis { title: title.to_owned(), range },
            bars: Vec::new(),
            lines: vec![
                Line { name: "Training".to_owned(), style: "line1", points: trained },
                Line { name: "Validation".to_owned(), style: "line0", points: validated },
            ],
        }
    };
    vec![
        chart(
            "accuracy-curve",
            "Accuracy",
            (0.0, 1.0),
            |record| record.accuracy,
            |record| record.val_accuracy,
        ),
        chart("loss-curve", "Loss", (0.0, f64::INFINITY), |record| record.loss, |record| record.val_loss),
    ]
}

#[cfg(test)]
mod tests;
