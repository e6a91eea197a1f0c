//! What `config.json` says of a training.

use convbase_core::store::FeatureStore;
use convbase_core::{Classes, DataType, Digest, FeatureSpec, Precision};
use convbase_nn::{Activation, Device, OptimizerKind, ViewChoice};
use serde::Serialize;

use crate::args::{ClassWeight, FitConfig};
use crate::fit::device_name;

/// `config.json`: everything that decides a run's result.
#[derive(Debug, Serialize)]
pub(crate) struct RunConfig<'a> {
    format: &'static str,
    epochs: u32,
    batch_size: usize,
    hidden: usize,
    activation: Activation,
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
    /// Of a training on these stores and this device.
    pub(crate) fn new(
        config: &FitConfig,
        train: &'a FeatureStore,
        validation: Option<&FeatureStore>,
        device: Device,
    ) -> Self {
        let manifest = train.manifest();
        Self {
            format: "convbase-run/1",
            epochs: config.epochs,
            batch_size: config.batch_size,
            hidden: config.hidden,
            activation: config.activation,
            dropout: config.dropout,
            optimizer: config.optimizer,
            learning_rate: config.learning_rate,
            seed: config.seed,
            patience: config.patience,
            class_weight: config.class_weight,
            views: manifest.views().map(|_| config.views),
            validation_split: config.validation.share(),
            device: device_name(device),
            classes: manifest.classes(),
            spec: manifest.spec(),
            precision: manifest.precision(),
            dtype: manifest.dtype(),
            features: train.digest(),
            validation: validation.map(FeatureStore::digest),
        }
    }
}
