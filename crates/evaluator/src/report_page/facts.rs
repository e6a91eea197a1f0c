//! Figures of each class, and how the classifier was made.

use convbase_core::Report;
use convbase_core::metrics::{MetricsError, wilson_interval95};

use super::PageInput;
use super::run::Run;
use crate::page::{grouped, percent};

/// One line of the table of classes.
pub(super) struct ClassFigures<'a> {
    pub(super) name: &'a str,
    pub(super) precision: String,
    pub(super) recall: String,
    /// Wilson's 95 % interval of the recall, or nothing where there are no photographs.
    pub(super) interval: String,
    pub(super) f1_score: String,
    pub(super) support: String,
}

/// The table of classes.
pub(super) fn classes(report: &Report) -> Result<Vec<ClassFigures<'_>>, MetricsError> {
    let recognised = report.confusion_matrix().true_positives();
    report
        .classification()
        .classes()
        .zip(recognised)
        .map(|((name, scores), recognised)| {
            let interval = wilson_interval95(recognised, scores.support)?;
            let interval =
                interval.map(|[low, high]| format!("{:.1} to {:.1}\u{a0}%", 100.0 * low, 100.0 * high));
            Ok(ClassFigures {
                name,
                precision: percent(scores.precision),
                recall: percent(scores.recall),
                interval: interval.unwrap_or_default(),
                f1_score: format!("{:.3}", scores.f1_score),
                support: grouped(scores.support),
            })
        })
        .collect()
}

/// Names and values under a heading.
pub(super) struct Facts {
    pub(super) title: &'static str,
    pub(super) facts: Vec<(String, String)>,
}

/// How the classifier was made, and what it was measured on.
pub(super) fn facts(input: &PageInput, run: &Run) -> Vec<Facts> {
    let (metadata, manifest) = (input.checkpoint.metadata(), input.store.manifest());
    let (spec, head) = (&metadata.spec, &metadata.head);
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut features = vec![
        fact("base", spec.architecture.clone()),
        fact("layer", spec.layer.clone()),
        fact("pooling", spec.pooling.to_string()),
        fact("image size", spec.image_size.to_string()),
        fact("interpolation", spec.interpolation.to_string()),
        fact("preprocessing", spec.preprocess.to_string()),
        fact("numbers of a photograph", spec.shape.to_string()),
    ];
    if spec.exif_orientation {
        features.push(fact("orientation in the metadata", "applied".to_owned()));
    }
    features.push(fact("weights", spec.weights.to_string()));
    features.push(fact("feature id", manifest.feature_id().to_string()));

    let dense = if head.hidden == 0 {
        format!("{} to {} classes", head.features, head.classes)
    } else {
        format!("{} to {} ({}) to {} classes", head.features, head.hidden, head.activation, head.classes)
    };
    let mut classifier = Vec::new();
    if let Some(tail) = &head.input.tail {
        classifier.push(fact("trained layers of the base", tail.trained().collect::<Vec<_>>().join(", ")));
    }
    if let Some(preparation) = &head.input.preparation {
        let length = if preparation.unit_length { ", rows of length 1" } else { "" };
        classifier.push(fact("preparation", format!("pooling {}{length}", preparation.pooling)));
    }
    classifier.push(fact("dense layers", dense));
    if metadata.epoch > 0 {
        classifier.push(fact("epoch of the checkpoint", metadata.epoch.to_string()));
    }
    classifier.push(fact("validation loss", format!("{:.4}", metadata.val_loss)));
    classifier.push(fact("validation accuracy", percent(metadata.val_accuracy)));
    classifier.push(fact("checkpoint", format!("sha256:{}", input.checkpoint.sha256().hex())));

    let measured = vec![
        fact("photographs", grouped(input.report.num_samples())),
        fact("rejected", grouped(input.report.num_rejected())),
        fact("arithmetic", manifest.precision().to_string()),
        fact("stored as", manifest.dtype().to_string()),
        fact("store", input.store.digest().to_string()),
    ];
    let mut facts =
        vec![Facts { title: "Features", facts: features }, Facts { title: "Classifier", facts: classifier }];
    if !run.options.is_empty() {
        facts.push(Facts { title: "Options of its run", facts: run.options.clone() });
    }
    facts.push(Facts { title: "Measured on", facts: measured });
    facts
}
