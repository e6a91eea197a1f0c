//! `manifest.json`: as it is, and with the identity that belongs to its spec.
#![no_main]

use convbase_core::FeatureSpec;
use convbase_core::store::{FeatureStore, MANIFEST_NAME, Manifest, verify};
use convbase_fuzz::{as_written, put, scratch};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    open(bytes);
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else { return };
    let spec = value.get("spec").and_then(|spec| FeatureSpec::deserialize(spec).ok());
    let Some(spec) = spec else { return };
    let Some(id) = value.get_mut("feature_id") else { return };
    *id = spec.id().to_string().into();
    // Fields in the order of the writer, where they are all known.
    if let Ok(manifest) = serde_json::from_value::<Manifest>(value) {
        open(&as_written(&manifest));
    }
});

fn open(bytes: &[u8]) {
    put(MANIFEST_NAME, bytes);
    let Ok(manifest) = Manifest::open(scratch()) else { return };
    assert_eq!(as_written(&manifest), bytes, "what opened is what the file says");
    for shard in manifest.shards().take(3).chain(manifest.shards().last()) {
        let positions = manifest.positions(shard);
        assert!(!positions.is_empty() && positions.end <= manifest.listing().images);
        assert_eq!(manifest.shard_of(positions.start), shard);
    }
    assert!(manifest.row_bytes() > 0);
    if manifest.shards().len() < 1000 {
        assert!(FeatureStore::open(scratch()).is_err(), "there are no shards");
        verify(scratch());
    }
}
