//! `trainer fit`: feature stores in, best checkpoint out.

use std::path::PathBuf;

use anyhow::ensure;
use convbase_core::History;
use convbase_core::exit::{Outcome, WithHint};
use convbase_nn::{HeadShape, Summary, TrainingOptions, TrainingState, check_memory, set_threads};
use tracing::info;

use crate::args::FitConfig;
use crate::run_config::RunConfig;
use crate::run_folder::RunFolder;
use crate::stores::{Stores, class_weights};
use crate::training::Training;

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

/// Trains a head and keeps it at its lowest validation loss.
pub fn fit(config: &FitConfig) -> anyhow::Result<Fit> {
    let training = &config.training;
    let device = training.device.resolve()?;
    set_threads(training.threads);
    let stores = Stores::open(&training.features, training.validation.store(), training.no_verify)?;
    let classes = stores.train.manifest().classes().clone();
    ensure!(
        classes.len() >= 2,
        "`{}`: classes: expected at least 2, found {}",
        training.features.display(),
        classes.len()
    );
    let (train, validation) = stores.rows(&classes, &training.validation, training.views)?;

    let features = stores.train.manifest().spec().shape.length();
    let shape = HeadShape::new(features, config.hidden, config.activation, classes.len());
    if !device.is_cuda() {
        check_memory(shape.training_bytes(training.batch_size.min(train.len())))
            .hint(|| "fewer `--hidden` units need less, and so does a smaller `--batch-size`")?;
    }
    let options = TrainingOptions {
        batch_size: training.batch_size,
        dropout: config.dropout,
        seed: training.seed,
        class_weights: class_weights(training.class_weight, train.labels(), classes.len()),
    };
    let run = RunConfig::of_fit(config, &stores, device);
    let folder = RunFolder::create(&training.out, &run)?;
    let model = Summary::conv_base(stores.train.manifest().spec()).with_head(&shape, config.dropout);
    info!(table = %model, "model");
    info!(
        "{} training rows, {} validation rows, classes {}",
        train.len(),
        validation.len(),
        classes.names().join(", ")
    );
    if let Some(views) = stores.train.manifest().views() {
        info!("of each training photograph {views}: an epoch sees {}", training.views);
    }

    let (mut state, mut history) = folder.begin(training, &shape, device, || {
        let (kind, rate, seed) = (training.optimizer, training.learning_rate, training.seed);
        TrainingState::begin(&shape, kind, rate, seed, device)
    })?;
    let metadata = stores.metadata(classes, shape);
    let epochs = Training {
        config: training,
        tells_speed: false,
        folder: &folder,
        train,
        validation,
        options,
        metadata,
        events: folder.events(training, &history)?,
    };
    finish(epochs.run(&mut state, &mut history)?, &folder, history)
}

/// Draws the curves of a training that came to its end.
pub(crate) fn finish(interrupted: bool, folder: &RunFolder, history: History) -> anyhow::Result<Fit> {
    if !interrupted {
        folder.save_curves(&history)?;
        report(folder, &history);
    }
    Ok(Fit { history, best: folder.best(), interrupted })
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
