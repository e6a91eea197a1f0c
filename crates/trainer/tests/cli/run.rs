//! What a run leaves behind, and that it is always the same.

use convbase_core::Digest;
use convbase_core::store::{FeatureStore, Manifest};
use convbase_nn::{Activation, Checkpoint, Device, HeadShape, Rows, evaluate};
use serde_json::json;

use super::support::*;

#[test]
fn a_run_leaves_its_configuration_history_best_checkpoint_and_curves() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let said = fit(0, features.path(), out.path(), ["--epochs", "4"]);
    let found = files(out.path());
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["best.safetensors", "config.json", "curves.png", "curves.svg", "history.csv", "last.safetensors"]
    );
    assert!(found["history.csv"].starts_with(b"epoch,loss,accuracy,val_loss,val_accuracy\n1,"));
    assert!(found["curves.png"].starts_with(b"\x89PNG\r\n\x1a\n"));
    assert!(found["curves.svg"].starts_with(b"<svg"));
    let history = history(out.path());
    assert_eq!(history.records().iter().map(|record| record.epoch).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for record in history.records() {
        assert!((0.0..=1.0).contains(&record.accuracy) && (0.0..=1.0).contains(&record.val_accuracy));
        assert_eq!(record.accuracy * 28.0, (record.accuracy * 28.0).round(), "28 training rows");
        assert_eq!(record.val_accuracy * 12.0, (record.val_accuracy * 12.0).round(), "12 validation rows");
    }
    assert_eq!(said.stdout, "");
    for part in ["28 training rows, 12 validation rows, classes cats, dogs", "best epoch"] {
        assert!(said.stderr.contains(part), "{part} is not in {}", said.stderr);
    }
}

#[test]
fn the_configuration_holds_every_option_and_what_was_trained_on() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    fit(0, features.path(), out.path(), ["--patience", "9", "--seed", "7"]);
    let store = FeatureStore::open(features.path()).unwrap();
    assert_eq!(
        config(out.path()),
        json!({
            "format": "convbase-run/1",
            "epochs": 3, "batch_size": 8, "hidden": 8, "activation": "relu", "dropout": 0.5,
            "optimizer": "rmsprop", "learning_rate": 0.01, "seed": 7, "patience": 9, "class_weight": "none",
            "validation_split": 0.3, "device": "cpu",
            "classes": ["cats", "dogs"],
            "spec": store.manifest().spec(),
            "precision": "fp32", "dtype": "float32",
            "features": store.digest().to_string(),
            "validation": null,
        })
    );
}

#[test]
fn defaults_are_the_published_recipe() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let arguments =
        ["fit", "--features", features.path().to_str().unwrap(), "--out", out.path().to_str().unwrap()];
    trainer(0, &arguments.map(Into::into));
    let config = config(out.path());
    let expected = json!({
        "epochs": 32, "batch_size": 32, "hidden": 256, "activation": "relu", "dropout": 0.5,
        "optimizer": "rmsprop", "learning_rate": 2e-5, "seed": 42, "patience": null, "class_weight": "none",
        "validation_split": 0.3,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&config[key], value, "{key}");
    }
    assert_eq!(history(out.path()).len(), 32);
}

#[test]
fn the_best_checkpoint_is_the_epoch_of_the_lowest_validation_loss() {
    // A large step makes the loss go up and down.
    let features = Store { rows: rows(&[("cats", 12), ("dogs", 12)], 3), ..Store::default() }.in_folder();
    let out = tempfile::tempdir().unwrap();
    fit(0, features.path(), out.path(), ["--epochs", "9", "--optimizer", "sgd", "--learning-rate", "0.9"]);
    let history = history(out.path());
    let lowest = history.records().iter().map(|record| record.val_loss).fold(f64::INFINITY, f64::min);
    let best = history.records().iter().find(|record| record.val_loss == lowest).unwrap();
    let last = history.records().last().unwrap();
    assert!(last.val_loss > lowest, "the last epoch is the best one by chance: choose another seed");

    let checkpoint = Checkpoint::load(&out.path().join("best.safetensors"), Device::Cpu).unwrap();
    let metadata = checkpoint.metadata();
    assert_eq!((metadata.epoch, metadata.val_loss), (best.epoch, best.val_loss));
    assert_eq!(metadata.val_accuracy, best.val_accuracy);
    assert_eq!(metadata.classes.names(), ["cats", "dogs"]);
    let shape = HeadShape::new(LENGTH, 8, Activation::Relu, 2);
    assert_eq!(metadata.head, shape);
    let store = FeatureStore::open(features.path()).unwrap();
    assert_eq!(&metadata.spec, store.manifest().spec());
    let (_, validation) = Rows::new(&store, &metadata.classes).unwrap().split(0.3);
    let means = evaluate(checkpoint.head(), &validation, || false).unwrap().unwrap();
    assert!((means.loss - best.val_loss).abs() < 1e-6, "expected {}, found {}", best.val_loss, means.loss);
    assert_eq!(means.accuracy, best.val_accuracy);
}

#[test]
fn equal_seeds_make_equal_bytes_and_another_seed_another_head() {
    let features = Store::default().in_folder();
    let [first, second, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    fit(0, features.path(), first.path(), ["--seed", "1"]);
    fit(0, features.path(), second.path(), ["--seed", "1"]);
    fit(0, features.path(), other.path(), ["--seed", "2"]);
    let (first, second, other) = (files(first.path()), files(second.path()), files(other.path()));
    assert_eq!(first.len(), 6);
    assert!(first == second, "equal seeds differ");
    for name in ["best.safetensors", "history.csv", "config.json"] {
        assert_ne!(first[name], other[name], "{name}");
    }
}

#[test]
fn the_same_command_again_changes_no_byte() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    fit(0, features.path(), out.path(), []);
    let before = files(out.path());
    fit(0, features.path(), out.path(), []);
    assert!(files(out.path()) == before, "a repeated run changed its folder");
}

#[test]
fn other_options_in_the_same_folder_are_refused_with_every_one_that_differs() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    fit(0, features.path(), out.path(), []);
    let before = files(out.path());
    let said =
        fit(1, features.path(), out.path(), ["--seed", "7", "--dropout", "0.25", "--optimizer", "adam"]);
    let expected = format!(
        "trainer: `{}` holds another run: dropout: expected 0.25, found 0.5; optimizer: expected \"adam\", found \
         \"rmsprop\"; seed: expected 7, found 42\nhint: give another `--out`, or remove the folder\n",
        out.path().display()
    );
    assert_eq!(said.stderr, expected);
    let other = Store { rows: rows(&[("cats", 20), ("dogs", 20)], 9), ..Store::default() }.in_folder();
    let said = fit(1, other.path(), out.path(), []);
    assert!(said.stderr.contains("holds another run: features: expected \"sha256:"), "{}", said.stderr);
    assert!(files(out.path()) == before, "a refused run changed the folder");
}

#[test]
fn shards_and_the_width_of_numbers_that_are_held_exactly_do_not_matter() {
    let runs = [
        (16, convbase_core::DataType::Float32),
        (7, convbase_core::DataType::Float32),
        (16, convbase_core::DataType::Float16),
    ]
    .map(|(shard_size, dtype)| {
        let features = Store { shard_size, dtype, ..Store::default() }.in_folder();
        let out = tempfile::tempdir().unwrap();
        fit(0, features.path(), out.path(), []);
        assert_eq!(config(out.path())["dtype"], dtype.to_string());
        let manifest = Manifest::open(features.path()).unwrap();
        assert_eq!((manifest.dtype(), manifest.shard_size()), (dtype, shard_size));
        let found = files(out.path());
        (found["history.csv"].clone(), Digest::of(&found["best.safetensors"]))
    });
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2]);
}
