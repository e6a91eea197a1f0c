//! `trainer fine-tune`: the last layers of the base trained on with the head, from the stored maps of the layer before.

use anyhow::{Context, ensure};
use convbase_bases::Choices;
use convbase_core::exit::WithHint;
use convbase_core::store::FeatureStore;
use convbase_core::{
    Classes, DataType, Differences, Digest, FeatureSpec, History, Pooling, Precision, differences,
};
use convbase_nn::{
    Base, Checkpoint, CheckpointMetadata, Head, OptimizerKind, Rows, TailError, TrainingOptions,
    TrainingState, ViewChoice, set_threads,
};
use serde::Serialize;
use tracing::{info, warn};

use crate::args::{ClassWeight, FineTuneConfig, Validation};
use crate::fit::{Fit, check_comparable, class_weights, device_name, finish, open, rows};
use crate::run_folder::RunFolder;
use crate::training::{Schedule, Training};

/// `config.json`: everything that decides a fine-tuning's result.
#[derive(Debug, Serialize)]
struct RunConfig<'a> {
    format: &'static str,
    checkpoint: Digest,
    from: Option<&'a str>,
    epochs: u32,
    batch_size: usize,
    dropout: f64,
    optimizer: OptimizerKind,
    learning_rate: f64,
    seed: u64,
    patience: Option<u32>,
    class_weight: ClassWeight,
    #[serde(skip_serializing_if = "Option::is_none")]
    views: Option<ViewChoice>,
    validation_split: Option<f64>,
    device: String,
    classes: &'a Classes,
    spec: &'a FeatureSpec,
    precision: Precision,
    dtype: DataType,
    features: Digest,
    validation: Option<Digest>,
}

/// A store whose layer does not lead to the features that a head was trained on.
#[derive(Debug, thiserror::Error)]
#[error("cannot fine-tune checkpoint `{checkpoint}` from features `{features}`: {differences}")]
struct Unrelated {
    checkpoint: String,
    features: String,
    /// Expected is what the checkpoint's base makes at the store's layer, found what the store says.
    differences: Differences,
}

/// Weights that are not those that the features were made with.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot fine-tune `{weights}` from features `{features}`: weights: expected {expected}, found {found}"
)]
struct OtherWeights {
    weights: String,
    features: String,
    expected: Digest,
    found: Digest,
}

/// Trains the layers behind the store's with the checkpoint's head.
pub fn fine_tune(config: &FineTuneConfig) -> anyhow::Result<Fit> {
    let device = config.device.resolve()?;
    set_threads(config.threads);
    let store = open(&config.features, config.no_verify)?;
    let validation_store = match &config.validation {
        Validation::Store(folder) => Some(open(folder, config.no_verify)?),
        Validation::Split(_) => None,
    };
    if let Some(validation) = &validation_store {
        check_comparable(&store, validation)?;
    }
    let checkpoint = Checkpoint::load(&config.checkpoint, device)
        .hint(|| "`trainer fit` and `trainer probe` write `best.safetensors` into the folder of the run")?;
    let head = tuned_head(config, &store, &checkpoint, device)?;
    let classes = checkpoint.metadata().classes.clone();
    let (train, validation) = rows(
        &config.features,
        &config.validation,
        config.views,
        &store,
        validation_store.as_ref(),
        &classes,
    )?;

    let dropout = config.dropout.unwrap_or(if head.shape().hidden > 0 { 0.5 } else { 0.0 });
    let manifest = store.manifest();
    let run = RunConfig {
        format: "convbase-fine-tune/1",
        checkpoint: checkpoint.sha256(),
        from: config.from.as_deref(),
        epochs: config.epochs,
        batch_size: config.batch_size,
        dropout,
        optimizer: config.optimizer,
        learning_rate: config.learning_rate,
        seed: config.seed,
        patience: config.patience,
        class_weight: config.class_weight,
        views: manifest.views().map(|_| config.views),
        validation_split: config.validation.share(),
        device: device_name(device),
        classes: &classes,
        spec: manifest.spec(),
        precision: manifest.precision(),
        dtype: manifest.dtype(),
        features: store.digest(),
        validation: validation_store.as_ref().map(FeatureStore::digest),
    };
    let folder = RunFolder::create(&config.out, &run)?;
    describe(&head, &train, &validation);
    let (kind, rate) = (config.optimizer, config.learning_rate);
    let begun = if config.resume { folder.last(head.shape(), kind, rate, device)? } else { None };
    let (mut state, mut history) = match begun {
        Some(begun) => {
            info!("going on after epoch {}, step {}", begun.0.epoch, begun.0.begun.steps);
            begun
        }
        None => {
            folder.forget_last()?;
            (TrainingState::of(&head, kind, rate, device)?, History::new())
        }
    };
    let options = TrainingOptions {
        batch_size: config.batch_size,
        dropout,
        seed: config.seed,
        class_weights: class_weights(config.class_weight, train.labels(), classes.len()),
    };
    let metadata = CheckpointMetadata {
        spec: manifest.spec().clone(),
        classes,
        head: head.shape().clone(),
        epoch: 0,
        val_loss: f64::INFINITY,
        val_accuracy: 0.0,
        tail_weights: None,
        views: manifest.views().cloned(),
    };
    let schedule = Schedule {
        epochs: config.epochs,
        patience: config.patience,
        interrupt: &config.interrupt,
        shows_progress: config.shows_progress,
        tells_speed: true,
    };
    let training = Training { schedule, folder: &folder, train, validation, options, metadata };
    let before = if history.is_empty() { training.validated(&state)? } else { None };
    if let Some(before) = before {
        info!("before: val_loss {:.4}  val_accuracy {:.4}", before.loss, before.accuracy);
    }
    let fit = finish(training.run(&mut state, &mut history)?, &folder, history)?;
    if let (Some(before), Some(best)) = (before, fit.history.best())
        && best.val_loss >= before.loss
        && !fit.interrupted
    {
        warn!(
            "no epoch had a lower validation loss than the head before ({:.4}): keep `{}`",
            before.loss,
            config.checkpoint.display()
        );
    }
    Ok(fit)
}

/// The checkpoint's head behind the layers that lead from the store's layer to it.
fn tuned_head(
    config: &FineTuneConfig,
    store: &FeatureStore,
    checkpoint: &Checkpoint,
    device: convbase_nn::Device,
) -> anyhow::Result<Head> {
    if checkpoint.metadata().head.input.tail.is_some() {
        Err(anyhow::Error::new(TailError::Twice)
            .context(format!("cannot fine-tune checkpoint `{}`", config.checkpoint.display())))
        .hint(|| "give the checkpoint that it was made from, and more `--epochs`")?;
    }
    let (inner, outer) = (store.manifest().spec(), &checkpoint.metadata().spec);
    let features = config.features.display().to_string();
    let base = Base::of_spec(inner, config.weights.as_deref())
        .hint(|| "`--weights FILE` names the weights that the features were made with")?;
    if base.digest() != inner.weights {
        let (weights, expected, found) = (base.path().display().to_string(), inner.weights, base.digest());
        Err(OtherWeights { weights, features: features.clone(), expected, found })
            .hint(|| "give the weights that the features were extracted with: `--weights FILE`")?;
    }
    // What the checkpoint's own extraction makes at the store's layer.
    let expected = FeatureSpec {
        weights: outer.weights,
        architecture: outer.architecture.clone(),
        ..base.spec(Choices {
            layer: inner.layer.clone(),
            pooling: Pooling::None,
            image_size: outer.image_size,
            interpolation: outer.interpolation,
            preprocess: outer.preprocess,
        })?
    };
    let differences = differences(&expected, inner);
    if !differences.is_empty() {
        let checkpoint = config.checkpoint.display().to_string();
        Err(Unrelated { checkpoint, features: features.clone(), differences }).hint(
            || "extract the inner layer with the options of the checkpoint's features, without pooling",
        )?;
    }
    let (expected, found) = (checkpoint.metadata().classes.names(), store.manifest().classes().names());
    ensure!(
        expected == found,
        "cannot fine-tune checkpoint `{}` from features `{features}`: classes: expected {expected:?}, found {found:?}",
        config.checkpoint.display()
    );
    let fault = || {
        format!("cannot fine-tune checkpoint `{}` from features `{features}`", config.checkpoint.display())
    };
    let behind = base.behind(outer, &inner.layer).with_context(fault).hint(|| {
        format!(
            "the checkpoint's head was trained on `{}`; the store must be of a layer before it",
            outer.layer
        )
    })?;
    let head = checkpoint.head().with_tail(behind, config.from.as_deref(), outer.pooling, device);
    head.with_context(fault)
}

fn describe(head: &Head, train: &Rows, validation: &Rows) {
    if let Some(tail) = &head.shape().input.tail {
        let layers: Vec<&str> = tail.trained().collect();
        info!("training {} and the head", layers.join(", "));
    }
    info!("{} training rows, {} validation rows", train.len(), validation.len());
}
