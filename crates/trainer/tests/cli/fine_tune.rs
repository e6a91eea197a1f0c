//! `trainer fine-tune`, on made-up maps of the tests' double of a base.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use convbase_bases::{Choices, architecture, write_untrained};
use convbase_core::store::{Listing, Manifest, StoreWriter};
use convbase_core::{
    Classes, DataType, FeatureSpec, ImageSize, Interpolation, Pooling, Precision, Preprocess, Sample,
    listing_digest,
};
use convbase_nn::{Activation, Base, Checkpoint, CheckpointMetadata, Device, Head, HeadShape};
use safetensors::SafeTensors;
use tempfile::TempDir;

use super::support::*;

/// Weights, a store of an inner layer and a checkpoint of the last one.
struct Ground {
    folder: TempDir,
}

impl Ground {
    fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        write_untrained(&ground.weights(), architecture("tiny").unwrap(), 1, Preprocess::Caffe).unwrap();
        ground.write_store("inner", "block2_add", 40);
        ground.write_checkpoint("head.safetensors", "block3_pool", Pooling::None);
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn weights(&self) -> PathBuf {
        self.path("tiny.safetensors")
    }

    fn spec(&self, layer: &str, pooling: Pooling, side: u32) -> FeatureSpec {
        let image_size = ImageSize::new(side, side).unwrap();
        let (interpolation, preprocess) = (Interpolation::Bilinear, Preprocess::Caffe);
        let choices = Choices { layer: layer.to_owned(), pooling, image_size, interpolation, preprocess };
        Base::open("tiny", Some(&self.weights())).unwrap().spec(choices).unwrap()
    }

    fn write_store(&self, name: &str, layer: &str, side: u32) {
        let spec = self.spec(layer, Pooling::None, side);
        let length = spec.shape.length();
        let classes = Classes::new(vec!["a".to_owned(), "b".to_owned()]).unwrap();
        let named = classes.labelled().flat_map(|(label, name)| {
            (0..10).map(move |number| Sample { path: format!("{name}/{number}.png"), label })
        });
        let samples: Vec<Sample> = named.collect();
        let listing = Listing { images: samples.len(), sha256: listing_digest(&samples) };
        let manifest = Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, 20);
        let store = StoreWriter::create(&self.path(name), manifest, false).unwrap();
        let mut writer = store.shard(store.manifest().shards().next().unwrap()).unwrap();
        for (row, sample) in samples.iter().enumerate() {
            let bright = sample.label.index() as f32;
            let numbers: Vec<f32> =
                (0..length).map(|place| ((row * 31 + place * 17) % 13) as f32 / 13.0 + bright).collect();
            writer.append(&[(sample, Ok(None))], &DataType::Float32.encode(&numbers)).unwrap();
        }
        writer.finish(None).unwrap();
    }

    fn write_checkpoint(&self, name: &str, layer: &str, pooling: Pooling) {
        let spec = self.spec(layer, pooling, 40);
        let shape = HeadShape::new(spec.shape.length(), 4, Activation::Relu, 2);
        let head = Head::new(shape.clone(), 2, Device::Cpu).unwrap();
        let metadata = CheckpointMetadata {
            spec,
            classes: Classes::new(vec!["a".to_owned(), "b".to_owned()]).unwrap(),
            head: shape,
            epoch: 1,
            val_loss: 0.7,
            val_accuracy: 0.5,
            tail_weights: None,
            views: None,
        };
        Checkpoint::save(&self.path(name), &head, &metadata).unwrap();
    }

    fn tune(&self, code: i32, out: &str, more: &[&str]) -> Said {
        let mut arguments: Vec<OsString> = vec!["fine-tune".into()];
        let paths = [
            ("--features", self.path("inner")),
            ("--checkpoint", self.path("head.safetensors")),
            ("--weights", self.weights()),
            ("--out", self.path(out)),
        ];
        for (option, path) in paths {
            if !more.contains(&option) {
                arguments.extend([option.into(), path.into()]);
            }
        }
        for (option, value) in
            [("--epochs", "2"), ("--batch-size", "5"), ("--device", "cpu"), ("--learning-rate", "1e-3")]
        {
            if !more.contains(&option) {
                arguments.extend([option, value].map(OsString::from));
            }
        }
        arguments.extend(more.iter().map(OsString::from));
        trainer(code, &arguments)
    }
}

fn tensor(path: &Path, name: &str) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    SafeTensors::deserialize(&bytes).unwrap().tensor(name).unwrap().data().to_vec()
}

#[test]
fn a_fine_tuning_leaves_a_checkpoint_of_the_inner_layer_with_changed_layers() {
    let ground = Ground::new();
    let said = ground.tune(0, "run", &[]);
    let run = ground.path("run");
    let names: Vec<String> = files(&run).into_keys().collect();
    assert_eq!(
        names,
        ["best.safetensors", "config.json", "curves.png", "curves.svg", "history.csv", "last.safetensors"]
    );
    for part in ["training block3_relu and the head", "before: val_loss", "images/s", "left"] {
        assert!(said.stderr.contains(part), "{part} is not in {}", said.stderr);
    }
    let checkpoint = Checkpoint::load(&run.join("best.safetensors"), Device::Cpu).unwrap();
    assert_eq!(checkpoint.metadata().spec, ground.spec("block2_add", Pooling::None, 40));
    assert!(checkpoint.metadata().tail_weights.is_some());
    let start = ground.tune(0, "slow", &["--learning-rate", "1e-30", "--dropout", "0", "--epochs", "1"]);
    let [tuned, slow] =
        ["run", "slow"].map(|name| tensor(&ground.path(name).join("last.safetensors"), "block3_relu.weight"));
    assert_ne!(tuned, slow);
    let before: f64 = start.stderr.split("before: val_loss ").nth(1).unwrap()[..6].parse().unwrap();
    assert!((history(&ground.path("slow")).records()[0].val_loss - before).abs() < 1e-4, "{}", start.stderr);
}

#[test]
fn layers_in_front_of_the_first_trained_one_stay_as_they_are() {
    let ground = Ground::new();
    ground.write_store("early", "block1_pool", 40);
    let early = ground.path("early");
    let early = ["--features", early.to_str().unwrap()];
    ground.tune(0, "slow", &[&early[..], &["--learning-rate", "1e-30"]].concat());
    ground.tune(0, "run", &[&early[..], &["--from", "block3_relu"]].concat());
    let numbers = |run: &str, name: &str| tensor(&ground.path(run).join("last.safetensors"), name);
    for name in ["block2_relu.weight", "block2_relu.bias", "block2_project_bn.weight"] {
        assert_eq!(numbers("run", name), numbers("slow", name), "{name}");
    }
    for name in ["block3_relu.weight", "block3_relu.bias", "dense.weight", "output.bias"] {
        assert_ne!(numbers("run", name), numbers("slow", name), "{name}");
    }
    let said = ground.tune(1, "no", &[&early[..], &["--from", "block1_conv1"]].concat());
    let expected = "layer to train from: expected one of block2_relu, block2_project_bn, block3_relu, found `block1_conv1`\n";
    assert!(said.stderr.ends_with(expected), "{}", said.stderr);
}

#[test]
fn a_run_that_is_gone_on_with_ends_at_the_same_bytes() {
    let ground = Ground::new();
    ground.tune(0, "whole", &["--epochs", "3"]);
    ground.tune(0, "parts", &["--epochs", "3"]);
    // What a run that was stopped after its first epoch leaves: the same configuration, an earlier state.
    ground.tune(0, "first", &["--epochs", "1"]);
    let [first, parts] = ["first", "parts"].map(|name| ground.path(name));
    for name in ["last.safetensors", "history.csv", "best.safetensors"] {
        std::fs::copy(first.join(name), parts.join(name)).unwrap();
    }
    let said = ground.tune(0, "parts", &["--epochs", "3", "--resume"]);
    assert!(said.stderr.contains("going on after epoch 1"), "{}", said.stderr);
    assert_eq!(files(&parts), files(&ground.path("whole")));
}

#[test]
fn a_pooled_head_is_tuned_behind_its_pooling() {
    let ground = Ground::new();
    ground.write_checkpoint("head.safetensors", "block3_pool", Pooling::Average);
    ground.tune(0, "run", &[]);
    let checkpoint = Checkpoint::load(&ground.path("run/best.safetensors"), Device::Cpu).unwrap();
    assert_eq!(checkpoint.metadata().head.features, 32);
}

#[test]
fn stores_weights_and_checkpoints_that_do_not_belong_together_are_named() {
    let ground = Ground::new();
    ground.write_store("small", "block2_add", 36);
    let small = ground.path("small");
    let said = ground.tune(1, "run", &["--features", small.to_str().unwrap()]);
    assert!(said.stderr.contains("image_size: expected [40,40], found [36,36]"), "{}", said.stderr);
    assert!(said.stderr.contains("hint: extract the inner layer with"), "{}", said.stderr);

    let other = ground.path("other.safetensors");
    write_untrained(&other, architecture("tiny").unwrap(), 2, Preprocess::Caffe).unwrap();
    let said = ground.tune(1, "run", &["--weights", other.to_str().unwrap()]);
    assert!(said.stderr.contains("weights: expected sha256:"), "{}", said.stderr);

    ground.write_checkpoint("early.safetensors", "block1_pool", Pooling::None);
    let early = ground.path("early.safetensors");
    let said = ground.tune(1, "run", &["--checkpoint", early.to_str().unwrap()]);
    assert!(
        said.stderr.contains("layer: expected one that all others behind it go on from"),
        "{}",
        said.stderr
    );
    assert!(!ground.path("run").exists());

    ground.tune(0, "run", &[]);
    let tuned = ground.path("run/best.safetensors");
    let said = ground.tune(1, "again", &["--checkpoint", tuned.to_str().unwrap()]);
    assert!(said.stderr.contains("cannot fine-tune"), "{}", said.stderr);
}

#[test]
fn a_fine_tuning_writes_its_four_series_for_tensorboard_too() {
    let ground = Ground::new();
    ground.tune(0, "run", &["--tensorboard"]);
    super::tensorboard::check(&ground.path("run"));
}
