//! What `config.json` says of a training.

use convbase_core::store::FeatureStore;
use convbase_core::{Classes, DataType, Digest, FeatureSpec, Precision};
use convbase_nn::{Activation, Device, OptimizerKind, ViewChoice};
use serde::Serialize;

use crate::args::{ClassWeight, FineTuneConfig, FitConfig, TrainingConfig};
use crate::stores::Stores;

/// `config.json`: everything that decides a run's result.
#[derive(Debug, Serialize)]
pub(crate) struct RunConfig<'a> {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    epochs: u32,
    batch_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<Activation>,
    dropout: f64,
    optimizer: OptimizerKind,
    learning_rate: f64,
    seed: u64,
    patience: Option<u32>,
    class_weight: ClassWeight,
    /// Where photographs have one view there is no choice: such runs are what they were before there was one.
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

impl<'a> RunConfig<'a> {
    /// Of a head that is trained from its start.
    pub(crate) fn of_fit(config: &'a FitConfig, stores: &'a Stores, device: Device) -> Self {
        Self {
            hidden: Some(config.hidden),
            activation: Some(config.activation),
            ..Self::new("convbase-run/1", &config.training, config.dropout, stores, device)
        }
    }

    /// Of layers that are trained on with the head of a checkpoint.
    pub(crate) fn of_fine_tuning(
        config: &'a FineTuneConfig,
        checkpoint: Digest,
        dropout: f64,
        stores: &'a Stores,
        device: Device,
    ) -> Self {
        Self {
            checkpoint: Some(checkpoint),
            from: config.from.as_deref(),
            ..Self::new("convbase-fine-tune/1", &config.training, dropout, stores, device)
        }
    }

    fn new(
        format: &'static str,
        config: &'a TrainingConfig,
        dropout: f64,
        stores: &'a Stores,
        device: Device,
    ) -> Self {
        let manifest = stores.train.manifest();
        Self {
            format,
            checkpoint: None,
            from: None,
            epochs: config.epochs,
            batch_size: config.batch_size,
            hidden: None,
            activation: None,
            dropout,
            optimizer: config.optimizer,
            learning_rate: config.learning_rate,
            seed: config.seed,
            patience: config.patience,
            class_weight: config.class_weight,
            views: manifest.views().map(|_| config.views),
            validation_split: config.validation.share(),
            device: match device {
                Device::Cuda(index) => format!("cuda:{index}"),
                _ => "cpu".to_owned(),
            },
            classes: manifest.classes(),
            spec: manifest.spec(),
            precision: manifest.precision(),
            dtype: manifest.dtype(),
            features: stores.train.digest(),
            validation: stores.validation.as_ref().map(FeatureStore::digest),
        }
    }
}
