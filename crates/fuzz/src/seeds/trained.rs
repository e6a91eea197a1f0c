//! Checkpoints, states of trainings and ONNX files.

use std::path::Path;

use convbase_bases::{Choices, architecture, write_untrained};
use convbase_core::store::FeatureStore;
use convbase_core::{DataType, FeatureSpec, ImageSize, Interpolation, Pooling, Preprocess};
use convbase_fuzz::{SmallStore, classes, head_shape, options, scratch, spec, views};
use convbase_nn::{
    Activation, Base, Checkpoint, CheckpointMetadata, Device, Head, HeadShape, OptimizerKind, Rows,
    TrainingState,
};

use crate::Seed;

fn metadata(spec: FeatureSpec, head: &Head) -> CheckpointMetadata {
    CheckpointMetadata {
        spec,
        classes: classes(),
        head: head.shape().clone(),
        epoch: 1,
        val_loss: 0.7,
        val_accuracy: 0.5,
        tail_weights: None,
        views: Some(views(2)),
    }
}

pub(crate) fn checkpoints() -> Vec<Seed> {
    let path = scratch().join("head.safetensors");
    let seed = |name: &str, spec: FeatureSpec, head: &Head| {
        Checkpoint::save(&path, head, &metadata(spec, head)).expect("a checkpoint");
        (name.to_owned(), std::fs::read(&path).expect("a checkpoint"))
    };
    let head = |features, hidden| {
        let shape = HeadShape::new(features, hidden, Activation::Relu, 2);
        Head::new(shape, 1, Device::Cpu).expect("a small head")
    };
    let (tail_spec, tail) = with_tail(&head(32, 3));
    vec![
        seed("linear", spec(), &head(4, 0)),
        seed("hidden", spec(), &head(4, 3)),
        seed("tail", tail_spec, &tail),
    ]
}

/// The head behind the last layers of the tests' double of a base.
fn with_tail(head: &Head) -> (FeatureSpec, Head) {
    let weights = scratch().join("weights.safetensors");
    let tiny = architecture("tiny").expect("the tests' double");
    write_untrained(&weights, tiny, 1, Preprocess::Caffe).expect("weights");
    let base = Base::open("tiny", Some(&weights)).expect("weights");
    let spec = |layer: &str, pooling| {
        let image_size = ImageSize::new(36, 36).expect("a size");
        let (interpolation, preprocess) = (Interpolation::Bilinear, Preprocess::Caffe);
        let choices = Choices { layer: layer.to_owned(), pooling, image_size, interpolation, preprocess };
        base.spec(choices).expect("a layer")
    };
    let (inner, outer) = (spec("block2_add", Pooling::None), spec("block3_pool", Pooling::Average));
    let behind = base.behind(&outer, &inner.layer).expect("layers behind it");
    (inner, head.with_tail(behind, None, Pooling::Average, Device::Cpu).expect("a tail"))
}

pub(crate) fn states() -> Vec<Seed> {
    let path = scratch().join("last.safetensors");
    let store = SmallStore::write("store", DataType::Float32, 1, 0);
    let store = FeatureStore::open(&store.folder).expect("a store");
    let rows = Rows::new(&store, store.manifest().classes()).expect("its own classes");
    let kinds = [OptimizerKind::RmsProp, OptimizerKind::Adam, OptimizerKind::Sgd];
    let seed = |kind: OptimizerKind| {
        let mut state = TrainingState::begin(&head_shape(), kind, 0.1, 1, Device::Cpu).expect("a head");
        let mut steps = 0;
        let stop = || {
            steps += 1;
            steps > 1
        };
        state.train_epoch(&rows, &options(), stop).expect("a step");
        state.save(&path).expect("a state");
        (kind.to_string(), std::fs::read(&path).expect("a state"))
    };
    kinds.map(seed).to_vec()
}

pub(crate) fn networks() -> Vec<Seed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nn/tests/onnx");
    let entries = std::fs::read_dir(folder).expect("the tests' networks").map(|entry| entry.expect("a name"));
    let networks = entries.filter(|entry| entry.path().extension().is_some_and(|suffix| suffix == "onnx"));
    networks
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("a file"))
        })
        .collect()
}
