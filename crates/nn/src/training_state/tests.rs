//! States that a training goes on from, whole and damaged.

use super::*;
use crate::Activation;
use convbase_core::store::{FeatureStore, Listing, Manifest, StoreWriter};
use convbase_core::{Classes, DataType, FeatureShape, FeatureSpec, Precision, Sample, listing_digest};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::LazyLock;

#[test]
fn a_state_survives_the_way_through_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let shape = HeadShape::new(6, 4, Activation::Relu, 3);
    let store = store(&folder.path().join("store"));
    let rows = Rows::new(&store, store.manifest().classes()).unwrap();
    let options = TrainingOptions { batch_size: 3, dropout: 0.5, seed: 9, class_weights: None };
    for kind in [OptimizerKind::RmsProp, OptimizerKind::Adam, OptimizerKind::Sgd] {
        let mut state = TrainingState::begin(&shape, kind, 0.1, 1, Device::Cpu).unwrap();
        state.train_epoch(&rows, &options, || false).unwrap();
        state.epoch = 7;
        state.save(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let loaded = TrainingState::load(&path, &shape, kind, 0.1, Device::Cpu).unwrap();
        assert_eq!((loaded.epoch, loaded.begun), (7, state.begun));
        loaded.save(&path).unwrap();
        assert!(fs::read(&path).unwrap() == bytes, "{kind}");
    }
    let error =
        TrainingState::load(&path, &shape, OptimizerKind::Adam, 0.1, Device::Cpu).unwrap_err().to_string();
    assert!(error.contains("optimizer: expected adam, found sgd"), "{error}");
    assert!(error.contains("moment.1.output.bias: expected F32 [3], found none"), "{error}");
}

#[test]
fn another_kind_of_checkpoint_is_named_with_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    Content { key: "convbase", format: "", what: "head" }.write(&path, &[], &7).unwrap();
    let shape = HeadShape::new(6, 4, Activation::Relu, 3);
    let error = TrainingState::load(&path, &shape, OptimizerKind::Adam, 0.1, Device::Cpu).unwrap_err();
    let expected = "metadata `convbase-training`: expected a convbase-training/2 state, found none";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn a_state_of_the_first_format_is_refused_as_older() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let shape = HeadShape::new(6, 4, Activation::Relu, 3);
    let metadata = Metadata {
        format: "convbase-training/1".into(),
        head: shape.clone(),
        optimizer: OptimizerKind::Sgd,
        steps: 3,
        epoch: 1,
        begun: BegunEpoch::default(),
    };
    TRAINING.write(&path, &[], &metadata).unwrap();
    let error = TrainingState::load(&path, &shape, OptimizerKind::Sgd, 0.1, Device::Cpu).unwrap_err();
    assert!(matches!(error, CheckpointError::OlderTraining { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("format: expected convbase-training/2, found convbase-training/1"), "{text}");
}

#[test]
fn counts_that_no_training_makes_are_refused_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let shape = HeadShape::new(6, 4, Activation::Relu, 3);
    let state = TrainingState::begin(&shape, OptimizerKind::Sgd, 0.1, 1, Device::Cpu).unwrap();
    state.save(&path).unwrap();
    let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
    let start = text.find('{').unwrap();
    let forge = |from: &str, to: &str| {
        // Escaped, for it stands in a text of the header; of the same length, so that nothing moves.
        let quoted = |text: &str| text.replace('"', "\\\"");
        let (from, to) = (quoted(from), quoted(to));
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        bytes.splice(at..at + from.len(), to.bytes());
        let grown = (to.len() - from.len()) as u64;
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) + grown;
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        let forged = folder.path().join("forged.safetensors");
        convbase_core::write_artifact(&forged, &bytes).unwrap();
        TrainingState::load(&forged, &shape, OptimizerKind::Sgd, 0.1, Device::Cpu).unwrap_err().to_string()
    };
    assert!(start > 0, "{text}");
    let error = forge("\"epoch\":0", "\"epoch\":4294967295");
    assert!(error.contains("epoch: expected one with another behind it, found 4294967295"), "{error}");
    let error = forge("\"steps\":0,\"epoch\"", "\"steps\":-1,\"epoch\"");
    assert!(error.contains("steps: expected at least 0, found -1"), "{error}");
    for (from, to) in [
        ("\"samples\":0", "\"samples\":18446744073709551615"),
        ("\"correct\":0", "\"correct\":18446744073709551615"),
        ("\"begun\":{\"steps\":0", "\"begun\":{\"steps\":18446744073709551615"),
    ] {
        let error = forge(from, to);
        assert!(error.contains("begun: expected sums of "), "{error}");
    }
}

proptest! {
    #[test]
    fn no_changed_byte_makes_loading_or_training_on_panic(at in any::<Index>(), bit in 0_u8..8, cut in any::<Index>()) {
        static STATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("last.safetensors");
            let shape = HeadShape::new(6, 4, Activation::Relu, 2);
            let state = TrainingState::begin(&shape, OptimizerKind::Adam, 0.1, 1, Device::Cpu).unwrap();
            state.save(&path).unwrap();
            fs::read(&path).unwrap()
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let shape = HeadShape::new(6, 4, Activation::Relu, 2);
        let load = |bytes: &[u8]| {
            convbase_core::write_artifact(&path, bytes).unwrap();
            TrainingState::load(&path, &shape, OptimizerKind::Adam, 0.1, Device::Cpu)
        };
        prop_assert!(load(&STATE[..cut.index(STATE.len())]).is_err());
        let mut bytes = STATE.clone();
        bytes[at.index(STATE.len())] ^= 1 << bit;
        if let Ok(mut state) = load(&bytes) {
            state.finish_epoch();
            state.save(&path).unwrap();
        }
    }
}

/// A store of 20 rows of two classes.
fn store(folder: &Path) -> FeatureStore {
    let classes = Classes::new(vec!["a".into(), "b".into()]).unwrap();
    let sample = |row: usize| Sample { path: format!("{row:02}"), label: classes.label_at(row % 2).unwrap() };
    let images: Vec<Sample> = (0..20).map(sample).collect();
    let spec = FeatureSpec {
        architecture: "made up".into(),
        shape: FeatureShape::new(vec![6]).unwrap(),
        ..convbase_bases::article()
    };
    let listing = Listing { images: 20, sha256: listing_digest(&images) };
    let manifest = Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, 20);
    let store = StoreWriter::create(folder, manifest, false).unwrap();
    let mut writer = store.shard(store.manifest().shards().next().unwrap()).unwrap();
    for (row, sample) in images.iter().enumerate() {
        let numbers = (0..6).map(|column| ((row * 7 + column * 3) % 11) as f32 / 11.0);
        let bytes: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
        writer.append(&[(sample, Ok(None))], &bytes).unwrap();
    }
    writer.finish(None).unwrap();
    FeatureStore::open(folder).unwrap()
}

#[test]
fn a_training_that_stops_after_any_step_goes_on_at_the_same_bytes_and_means() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = (store(&folder.path().join("store")), folder.path().join("last.safetensors"));
    let rows = Rows::new(&store, store.manifest().classes()).unwrap();
    let shape = HeadShape::new(6, 4, Activation::Relu, 2);
    let weights = Some(vec![0.7, 1.3]);
    let options = TrainingOptions { batch_size: 3, dropout: 0.5, seed: 9, class_weights: weights };
    for kind in [OptimizerKind::RmsProp, OptimizerKind::Adam, OptimizerKind::Sgd] {
        let train = |stops: &[usize]| {
            let mut state = TrainingState::begin(&shape, kind, 0.1, 1, Device::Cpu).unwrap();
            for stop in stops {
                let mut steps = 0;
                let stop = || {
                    steps += 1;
                    steps > *stop
                };
                assert!(state.train_epoch(&rows, &options, stop).unwrap().is_none());
                state.save(&path).unwrap();
                state = TrainingState::load(&path, &shape, kind, 0.1, Device::Cpu).unwrap();
            }
            let means = state.train_epoch(&rows, &options, || false).unwrap().unwrap();
            assert_eq!(state.begun.steps, 7, "20 rows are six steps of three rows and one of two");
            state.finish_epoch();
            state.save(&path).unwrap();
            (means, fs::read(&path).unwrap())
        };
        let expected = train(&[]);
        for stops in [&[0][..], &[1], &[3, 2], &[6]] {
            assert!(train(stops) == expected, "{kind}: stopped after {stops:?} steps");
        }
    }
}
