//! Receipt and rows file of a shard: a receipt as it is, and with the digests that belong to the files.
#![no_main]

use std::sync::OnceLock;

use convbase_core::DataType;
use convbase_core::store::{FeatureStore, Receipt, verify};
use convbase_fuzz::{SmallStore, parts};
use libfuzzer_sys::fuzz_target;

fn store() -> &'static (SmallStore, Vec<u8>) {
    static STORE: OnceLock<(SmallStore, Vec<u8>)> = OnceLock::new();
    STORE.get_or_init(|| {
        let store = SmallStore::write("store", DataType::Float32, 2, 1);
        let rows = store.read(&SmallStore::shard().rows());
        (store, rows)
    })
}

fuzz_target!(|bytes: &[u8]| {
    let (store, whole_rows) = store();
    let [receipt, rows] = parts(bytes);
    let shard = SmallStore::shard();
    store.replace(shard.rows(), whole_rows);
    store.replace(shard.receipt(), receipt);
    let verified = verify(&store.folder);
    // A store opens without its arrays being hashed: another digest of one is what `verify` finds.
    if FeatureStore::open(&store.folder).is_ok() && verified.findings.is_empty() {
        let opened = Receipt::open(&store.folder, &store.manifest, shard).expect("a receipt that was read");
        let same = Receipt { canary: store.receipt.canary.clone(), ..opened };
        assert_eq!(same, store.receipt, "only a canary may be another");
    }
    let Ok(mut receipt) = serde_json::from_slice::<Receipt>(receipt) else { return };
    receipt.manifest = store.manifest.digest();
    receipt.files.rows = store.replace(shard.rows(), rows);
    store.replace_receipt(&receipt);
    verify(&store.folder);
    if let Ok(opened) = FeatureStore::open(&store.folder)
        && let Ok(records) = opened.records()
    {
        assert_eq!(records.iter().filter(|record| record.is_first()).count(), 3);
    }
});
