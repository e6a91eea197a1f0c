//! `evaluator evaluate`: checkpoint and features in, report out.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use convbase_core::exit::WithHint;
use convbase_core::report::{CheckpointReference, Predictions, ReportInput};
use convbase_core::store::{FeatureStore, RowRecord};
use convbase_core::{Artifact, Report, processors, write_artifact};
use convbase_nn::{Checkpoint, Rows, mean_probabilities, probabilities, set_threads};
use tracing::info;

use crate::args::{EvaluateArguments, ViewsUsed};
use crate::audit::{Leak, leaks};
use crate::not_finite::with_remedy;
use crate::report_page::{PageInput, pages};
use crate::{draw_confusion, draw_roc};

/// Evaluates a checkpoint on a store and writes `metrics.json`, `predictions.csv`, the figures and the
/// page.
pub fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<Report> {
    // Begun first: a folder that cannot be written is known before anything is computed. It appears last.
    let mut metrics = Artifact::create(&arguments.out.join("metrics.json"))?;
    if let Some(images) = &arguments.images {
        ensure_folder(images)?;
    }
    let device = arguments.device.resolve()?;
    let threads = arguments.threads.map_or_else(processors, |threads| threads as usize);
    set_threads(threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.with_context(|| format!("cannot start {threads} threads"))?;
    let checkpoint = Checkpoint::load(&arguments.checkpoint, device)
        .hint(|| "`trainer fit` writes `best.safetensors` into the folder of the run")?;
    let open = if arguments.no_verify { FeatureStore::open_without_hashing } else { FeatureStore::open };
    let store = open(&arguments.features)
        .hint(|| "`extractor extract` makes and finishes a store, `extractor verify` checks it")?;
    checkpoint.check_features(&store).hint(|| remedy(&checkpoint))?;
    let training = match &arguments.training {
        Some(folder) => {
            let training =
                open(folder).hint(|| "`--training` names the store that the checkpoint was trained on")?;
            checkpoint.check_features(&training).hint(|| remedy(&checkpoint))?;
            Some(training)
        }
        None => None,
    };
    let classes = &checkpoint.metadata().classes;
    let rows = Rows::new(&store, classes)
        .with_context(|| {
            let (checkpoint, features) = (arguments.checkpoint.display(), arguments.features.display());
            format!("cannot use checkpoint `{checkpoint}` with features `{features}`")
        })
        .hint(|| "every class of the features must be one that the checkpoint was trained on")?;

    let probabilities = match arguments.views {
        ViewsUsed::First => probabilities(checkpoint.head(), &rows),
        ViewsUsed::Mean => mean_probabilities(checkpoint.head(), &rows),
    };
    let probabilities = probabilities.map_err(with_remedy)?;
    if let Some(found) = probabilities.iter().find(|probability| !probability.is_finite()) {
        Err(anyhow::anyhow!("`{}`: expected probabilities, found {found}", arguments.checkpoint.display()))
            .hint(|| "the head's sums overflow: train it again with a lower `--learning-rate`")?;
    }
    let metadata = checkpoint.metadata();
    let report = Report::new(ReportInput {
        classes: classes.names(),
        labels: rows.labels(),
        probabilities: &probabilities,
        num_rejected: store.rejected() as u64,
        feature_id: store.manifest().feature_id().to_string(),
        checkpoint: CheckpointReference {
            sha256: checkpoint.sha256().hex(),
            epoch: metadata.epoch,
            val_loss: metadata.val_loss,
        },
    })?;
    let records = store.records()?;
    let leaks = match training {
        Some(training) => Some(pool.install(|| leaks_from(training, &arguments.features, threads))?),
        None => None,
    };
    let embedded = |record: &&RowRecord| record.is_row() && record.is_first();
    let paths = records.iter().filter(embedded).map(|record| record.path.clone()).collect();
    let predictions =
        Predictions::new(classes.names().to_vec(), paths, rows.labels().to_vec(), probabilities)?;

    let out = &arguments.out;
    write_artifact(&out.join("predictions.csv"), predictions.to_csv().as_bytes())?;
    write_figures(out, classes.names(), &report)?;
    if !arguments.no_report {
        let pages = pages(&PageInput {
            report: &report,
            predictions: &predictions,
            checkpoint: &checkpoint,
            checkpoint_path: &arguments.checkpoint,
            store: &store,
            records: &records,
            images: arguments.images.as_deref(),
            leaks: leaks.as_deref(),
            threads: &pool,
        })?;
        write_artifact(&out.join("report.json"), pages.json.as_bytes())?;
        write_artifact(&out.join("report.html"), pages.html.as_bytes())?;
    }
    metrics.write_all(report.to_json()?.as_bytes()).map_err(|source| metrics.error(source))?;
    metrics.finish()?;
    info!(
        test_accuracy = report.test_accuracy(),
        test_loss = report.test_loss(),
        table = %report,
        "`{}`: {} on `{}`",
        out.display(),
        arguments.checkpoint.display(),
        arguments.features.display()
    );
    Ok(report)
}

/// Test photographs that are in the training store as well.
fn leaks_from(training: FeatureStore, features: &Path, threads: usize) -> anyhow::Result<Vec<Leak>> {
    // Its files were hashed when it was opened first.
    leaks(training, FeatureStore::open_without_hashing(features)?, threads)
}

/// A folder of photographs that is not there is known before anything is computed.
fn ensure_folder(images: &Path) -> anyhow::Result<()> {
    if !images.is_dir() {
        Err(anyhow::anyhow!("`{}`: expected the folder of the photographs, found none", images.display()))
            .hint(|| "`--images` names the folder that the features were extracted from")?;
    }
    Ok(())
}

fn remedy(checkpoint: &Checkpoint) -> String {
    let spec = &checkpoint.metadata().spec;
    format!(
        "evaluate on features extracted with `--base {} --image-size {} --layer {} --pooling {} --preprocess {} --interpolation {}` \
         and weights {}",
        spec.architecture,
        spec.image_size,
        spec.layer,
        spec.pooling,
        spec.preprocess,
        spec.interpolation,
        spec.weights
    )
}

fn write_figures(out: &Path, classes: &[String], report: &Report) -> anyhow::Result<()> {
    let counts: Vec<Vec<u64>> = report.confusion_matrix().rows().map(<[u64]>::to_vec).collect();
    write_figure(out, "confusion_matrix", &draw_confusion(classes, &counts)?)?;
    if let [_, positive] = classes {
        if let Some(curve) = report.roc_curve() {
            let figure = draw_roc(
                &curve.false_positive_rates(),
                &curve.true_positive_rates(),
                curve.area(),
                positive,
            )?;
            write_figure(out, "roc_curve", &figure)?;
        } else {
            info!("no ROC curve: it needs images of both classes");
        }
    }
    Ok(())
}

fn write_figure(out: &Path, name: &str, figure: &convbase_figures::Rendered) -> anyhow::Result<()> {
    write_artifact(&out.join(format!("{name}.svg")), figure.svg.as_bytes())?;
    Ok(write_artifact(&out.join(format!("{name}.png")), &figure.png)?)
}
