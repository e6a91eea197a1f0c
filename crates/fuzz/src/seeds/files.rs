//! Specs, CSV files and weights.

use convbase_bases::{Choices, architecture, architectures, article, write_untrained};
use convbase_core::report::Predictions;
use convbase_core::{Digest, EpochRecord, FeatureSpec, History, Interpolation, Pooling, Preprocess};
use convbase_fuzz::{scratch, spec};

use crate::Seed;

pub(crate) fn specs() -> Vec<Seed> {
    let affine = Preprocess::affine([123.675, 116.28, 103.53], [58.4, 57.1, 57.4]).expect("numbers");
    let mut specs = vec![
        ("article".to_owned(), article()),
        ("short".to_owned(), FeatureSpec { preprocess: affine, ..spec() }),
    ];
    for base in architectures() {
        let choices = Choices {
            layer: base.default_layer().to_owned(),
            pooling: Pooling::Average,
            image_size: base.default_image_size(),
            interpolation: Interpolation::Lanczos,
            preprocess: base.preprocess(),
        };
        let spec = base.spec(Digest::of(b"weights"), choices).expect("the base's own choices");
        specs.push((base.name().to_owned(), spec));
    }
    let written = |spec: &FeatureSpec| serde_json::to_vec(spec).expect("plain structures serialise");
    specs.iter().map(|(name, spec)| (name.clone(), written(spec))).collect()
}

pub(crate) fn csv() -> Vec<Seed> {
    let mut history = History::new();
    for (epoch, loss) in (1..=3).zip([0.7, 1e-7, 0.25]) {
        let record = EpochRecord { epoch, loss, accuracy: 0.5, val_loss: loss, val_accuracy: 1.0 };
        history.push(record).expect("the next epoch");
    }
    let classes = vec!["cats".to_owned(), "do,\"g\"s".to_owned()];
    let paths = ["a.jpg", "b \"2\",\n.jpg"].map(str::to_owned).to_vec();
    let predictions = Predictions::new(classes, paths, vec![0, 1], vec![0.75, 0.25, 0.5, 0.5]);
    let predictions = predictions.expect("probabilities");
    vec![
        ("history".to_owned(), history.to_csv().into_bytes()),
        ("predictions".to_owned(), predictions.to_csv().into_bytes()),
        ("lines".to_owned(), predictions.to_csv().replace('\n', "\r\n").into_bytes()),
    ]
}

pub(crate) fn weights() -> Vec<Seed> {
    let base = architecture("tiny").expect("the tests' double");
    let path = scratch().join("weights.safetensors");
    write_untrained(&path, base, 1, Preprocess::Caffe).expect("weights");
    vec![("tiny".to_owned(), std::fs::read(path).expect("weights"))]
}
