//! Checkpoints: what loads can be used on features of its own spec.
#![no_main]

use std::sync::OnceLock;

use convbase_core::DataType;
use convbase_core::store::{FeatureStore, Listing, Manifest, StoreWriter};
use convbase_core::{Precision, Sample, listing_digest};
use convbase_fuzz::{SmallStore, put, scratch};
use convbase_nn::{Checkpoint, Device, Rows, probabilities};
use libfuzzer_sys::fuzz_target;

/// Rows longer than this are not made: a forged spec may ask for gigabytes of them.
const MOST_NUMBERS: usize = 1 << 16;

fn store() -> &'static FeatureStore {
    static STORE: OnceLock<FeatureStore> = OnceLock::new();
    STORE.get_or_init(|| {
        let store = SmallStore::write("store", DataType::Float32, 1, 0);
        FeatureStore::open(&store.folder).expect("a store")
    })
}

fuzz_target!(|bytes: &[u8]| {
    let path = put("best.safetensors", bytes);
    let Ok(checkpoint) = Checkpoint::load(&path, Device::Cpu) else { return };
    let metadata = checkpoint.metadata();
    assert_eq!(metadata.head.stored(), metadata.spec.shape.length());
    let again = scratch().join("again.safetensors");
    Checkpoint::save(&again, checkpoint.head(), metadata).expect("what was read");
    let again = Checkpoint::load(&again, Device::Cpu).expect("what was written");
    assert_eq!(again.metadata(), metadata);

    let other;
    let store = if checkpoint.check_features(store()).is_ok() {
        store()
    } else if metadata.spec.shape.length() <= MOST_NUMBERS {
        other = store_of(&checkpoint);
        &other
    } else {
        return;
    };
    if let Ok(rows) = Rows::new(store, &metadata.classes) {
        let _ = probabilities(checkpoint.head(), &rows);
    }
});

/// One row of the features that the checkpoint wants.
fn store_of(checkpoint: &Checkpoint) -> FeatureStore {
    let metadata = checkpoint.metadata();
    let label = metadata.classes.label_at(0).expect("a class list is never empty");
    let samples = [Sample { path: "a.jpg".to_owned(), label }];
    let listing = Listing { images: 1, sha256: listing_digest(&samples) };
    let (spec, classes) = (metadata.spec.clone(), metadata.classes.clone());
    let manifest = Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, 1);
    let folder = scratch().join("other");
    let store = StoreWriter::create(&folder, manifest, true).expect("a folder");
    let mut writer = store.shard(SmallStore::shard()).expect("a shard");
    let numbers: Vec<f32> = (0..metadata.spec.shape.length()).map(|n| (n % 7) as f32).collect();
    writer.append(&[(&samples[0], Ok(None))], &DataType::Float32.encode(&numbers)).expect("a row");
    writer.finish(None).expect("a shard");
    FeatureStore::open(&folder).expect("a store")
}
