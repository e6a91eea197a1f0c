//! `trainer fine-tune`: the last layers of the base trained on with the head, from the stored maps of the layer before.

use anyhow::{Context, ensure};
use convbase_bases::Choices;
use convbase_core::exit::WithHint;
use convbase_core::store::FeatureStore;
use convbase_core::{Differences, Digest, FeatureSpec, Pooling, differences};
use convbase_nn::{Base, Checkpoint, Head, Rows, TailError, TrainingOptions, TrainingState, set_threads};
use tracing::{info, warn};

use crate::args::FineTuneConfig;
use crate::fit::{Fit, finish};
use crate::run_config::RunConfig;
use crate::run_folder::RunFolder;
use crate::stores::{Stores, class_weights};
use crate::training::Training;

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
    let training = &config.training;
    let device = training.device.resolve()?;
    set_threads(training.threads);
    let stores = Stores::open(&training.features, training.validation.store(), training.no_verify)?;
    let checkpoint = Checkpoint::load(&config.checkpoint, device)
        .hint(|| "`trainer fit` and `trainer probe` write `best.safetensors` into the folder of the run")?;
    let head = tuned_head(config, &stores.train, &checkpoint, device)?;
    let classes = checkpoint.metadata().classes.clone();
    if checkpoint.metadata().epoch == 0 && training.validation.store().is_none() {
        warn!(
            "`{}` was fitted to all of its training photographs: where they are these, those that validate here say little; \
             give `--validation`",
            config.checkpoint.display()
        );
    }
    let (train, validation) = stores.rows(&classes, &training.validation, training.views)?;
    let dropout = config.dropout.unwrap_or(if head.shape().hidden > 0 { 0.5 } else { 0.0 });
    let run = RunConfig::of_fine_tuning(config, checkpoint.sha256(), dropout, &stores, device);
    let folder = RunFolder::create(&training.out, &run)?;
    describe(&head, &train, &validation);
    let (mut state, mut history) = folder.begin(training, head.shape(), device, || {
        TrainingState::of(&head, training.optimizer, training.learning_rate, device)
    })?;
    let options = TrainingOptions {
        batch_size: training.batch_size,
        dropout,
        seed: training.seed,
        class_weights: class_weights(training.class_weight, train.labels(), classes.len()),
    };
    let metadata = stores.metadata(classes, head.shape().clone());
    let epochs = Training {
        config: training,
        tells_speed: true,
        folder: &folder,
        train,
        validation,
        options,
        metadata,
        events: folder.events(training, &history)?,
    };
    let before = if history.is_empty() { epochs.validated(&state)? } else { None };
    if let Some(before) = before {
        info!("before: val_loss {:.4}  val_accuracy {:.4}", before.loss, before.accuracy);
    }
    let fit = finish(epochs.run(&mut state, &mut history)?, &folder, history)?;
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
    let features = config.training.features.display().to_string();
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
        exif_orientation: outer.exif_orientation,
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
