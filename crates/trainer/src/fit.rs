//! `trainer fit`: feature stores in, best checkpoint out.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use convbase_core::exit::{Outcome, WithHint};
use convbase_core::store::FeatureStore;
use convbase_core::{Classes, Differences, History, differences};
use convbase_nn::{
    CheckpointMetadata, Device, HeadShape, Rows, Summary, TrainingOptions, TrainingState, ViewChoice,
    set_threads,
};
use tracing::{info, warn};

use crate::args::{ClassWeight, FitConfig, Validation};
use crate::run_config::RunConfig;
use crate::run_folder::RunFolder;
use crate::training::{Schedule, Training};

/// What a training left behind.
#[derive(Debug)]
pub struct Fit {
    /// Every epoch's figures.
    pub history: History,
    /// The best checkpoint.
    pub best: PathBuf,
    /// Whether a signal ended it before its last epoch.
    pub interrupted: bool,
}

impl Fit {
    /// How the program ends.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.interrupted { Outcome::Interrupted } else { Outcome::Done }
    }
}

/// Training and validation features that cannot be compared.
#[derive(Debug, thiserror::Error)]
#[error("cannot validate on `{}` what is trained on `{}`: {differences}", validation.display(), features.display())]
struct StoresDiffer {
    features: PathBuf,
    validation: PathBuf,
    differences: Differences,
}

/// Trains a head and keeps it at its lowest validation loss.
pub fn fit(config: &FitConfig) -> anyhow::Result<Fit> {
    let device = config.device.resolve()?;
    set_threads(config.threads);
    let train_store = open(&config.features, config.no_verify)?;
    let validation_store = match &config.validation {
        Validation::Store(folder) => Some(open(folder, config.no_verify)?),
        Validation::Split(_) => None,
    };
    if let Some(validation) = &validation_store {
        check_comparable(&train_store, validation)?;
    }
    let classes = train_store.manifest().classes().clone();
    ensure!(
        classes.len() >= 2,
        "`{}`: classes: expected at least 2, found {}",
        config.features.display(),
        classes.len()
    );
    let (train, validation) = rows(
        &config.features,
        &config.validation,
        config.views,
        &train_store,
        validation_store.as_ref(),
        &classes,
    )?;

    let features = train_store.manifest().spec().shape.length();
    let shape = HeadShape::new(features, config.hidden, config.activation, classes.len());
    let options = TrainingOptions {
        batch_size: config.batch_size,
        dropout: config.dropout,
        seed: config.seed,
        class_weights: class_weights(config.class_weight, train.labels(), classes.len()),
    };
    let run = RunConfig::new(config, &train_store, validation_store.as_ref(), device);
    let folder = RunFolder::create(&config.out, &run)?;
    info!("model\n{}", Summary::conv_base(train_store.manifest().spec()).with_head(&shape, config.dropout));
    info!(
        "{} training rows, {} validation rows, classes {}",
        train.len(),
        validation.len(),
        classes.names().join(", ")
    );
    if let Some(views) = train_store.manifest().views() {
        info!("of each training photograph {views}: an epoch sees {}", config.views);
    }

    let (kind, rate) = (config.optimizer, config.learning_rate);
    let begun = if config.resume { folder.last(&shape, kind, rate, device)? } else { None };
    let (mut state, mut history) = match begun {
        Some(begun) => {
            info!("going on after epoch {}, step {}", begun.0.epoch, begun.0.begun.steps);
            begun
        }
        None => {
            folder.forget_last()?;
            (TrainingState::begin(&shape, kind, rate, config.seed, device)?, History::new())
        }
    };
    let metadata = CheckpointMetadata {
        spec: train_store.manifest().spec().clone(),
        classes,
        head: shape,
        epoch: 0,
        val_loss: f64::INFINITY,
        val_accuracy: 0.0,
        tail_weights: None,
        views: train_store.manifest().views().cloned(),
    };
    let schedule = Schedule {
        epochs: config.epochs,
        patience: config.patience,
        interrupt: &config.interrupt,
        shows_progress: config.shows_progress,
        tells_speed: false,
    };
    let training = Training { schedule, folder: &folder, train, validation, options, metadata };
    finish(training.run(&mut state, &mut history)?, &folder, history)
}

/// Draws the curves of a training that came to its end.
pub(crate) fn finish(interrupted: bool, folder: &RunFolder, history: History) -> anyhow::Result<Fit> {
    if !interrupted {
        folder.save_curves(&history)?;
        report(folder, &history);
    }
    Ok(Fit { history, best: folder.best(), interrupted })
}

/// What configurations call a device.
pub(crate) fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}

pub(crate) fn open(folder: &Path, no_verify: bool) -> anyhow::Result<FeatureStore> {
    let open = if no_verify { FeatureStore::open_without_hashing } else { FeatureStore::open };
    Ok(open(folder)
        .hint(|| "`extractor extract` makes and finishes a store, `extractor verify` checks it")?)
}

pub(crate) fn check_comparable(train: &FeatureStore, validation: &FeatureStore) -> anyhow::Result<()> {
    let (expected, found) = (train.manifest(), validation.manifest());
    let differences = differences(expected.spec(), found.spec());
    if !differences.is_empty() {
        let features = train.folder().to_owned();
        let validation = validation.folder().to_owned();
        Err(StoresDiffer { features, validation, differences })
            .hint(|| "extract both with the same options")?;
    }
    if (expected.precision(), expected.dtype()) != (found.precision(), found.dtype()) {
        warn!(
            "features are {} {}, validation features {} {}",
            expected.precision(),
            expected.dtype(),
            found.precision(),
            found.dtype()
        );
    }
    if train.digest() == validation.digest() {
        warn!(
            "training and validation features are the same: validation figures say nothing about new images"
        );
    }
    Ok(())
}

pub(crate) fn rows<'store>(
    features: &Path,
    from: &Validation,
    views: ViewChoice,
    train: &'store FeatureStore,
    validation: Option<&'store FeatureStore>,
    classes: &Classes,
) -> anyhow::Result<(Rows<'store>, Rows<'store>)> {
    let all = Rows::new(train, classes)?.showing(views);
    let (train_rows, validation_rows) = match (from, validation) {
        (Validation::Split(share), _) => all.split(*share),
        (Validation::Store(folder), Some(store)) => {
            let validation = Rows::new(store, classes).with_context(|| {
                let (validation, features) = (folder.display(), features.display());
                format!("cannot validate on `{validation}` what is trained on `{features}`")
            })?;
            (all, validation)
        }
        (Validation::Store(folder), None) => bail!("`{}` was not opened", folder.display()),
    };
    for (rows, what) in [(&train_rows, "training"), (&validation_rows, "validation")] {
        ensure!(!rows.is_empty(), "`{}`: expected {what} rows, found none", features.display());
        for (label, class) in classes.names().iter().enumerate() {
            if !rows.labels().contains(&label) {
                warn!("class `{class}` has no {what} rows");
            }
        }
    }
    Ok((train_rows, validation_rows))
}

/// rows / (classes × rows of the class), over the classes that have rows (scikit-learn `compute_class_weight`).
pub(crate) fn class_weights(how: ClassWeight, labels: &[usize], classes: usize) -> Option<Vec<f64>> {
    if how == ClassWeight::None {
        return None;
    }
    let mut counts = vec![0_usize; classes];
    labels.iter().for_each(|&label| counts[label] += 1);
    let present = counts.iter().filter(|&&count| count > 0).count();
    let weight =
        |&count: &usize| if count == 0 { 0.0 } else { labels.len() as f64 / (present * count) as f64 };
    Some(counts.iter().map(weight).collect())
}

fn report(folder: &RunFolder, history: &History) {
    if let Some(best) = history.best() {
        info!(
            epoch = best.epoch,
            val_loss = best.val_loss,
            val_accuracy = best.val_accuracy,
            "`{}`: best epoch {}, val_loss {:.4}, val_accuracy {:.4}",
            folder.best().display(),
            best.epoch,
            best.val_loss,
            best.val_accuracy
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_are_scikit_learn_s() {
        // compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1]) is [0.667, 2.0].
        let weights = class_weights(ClassWeight::Balanced, &[0, 0, 0, 1], 2).unwrap();
        assert!((weights[0] - 2.0 / 3.0).abs() < 1e-12 && (weights[1] - 2.0).abs() < 1e-12);
        assert_eq!(class_weights(ClassWeight::Balanced, &[0, 2], 3).unwrap(), [1.0, 0.0, 1.0]);
        assert_eq!(class_weights(ClassWeight::None, &[0, 1], 2), None);
    }
}
