//! Features, labels and rows files under a receipt that fits them: what opens says the same everywhere.
//!
//! The input: whether there are views and which numbers (one byte), how many rows the receipt claims (one byte), then
//! features, labels and rows files.
#![no_main]

use std::sync::OnceLock;

use convbase_core::DataType;
use convbase_core::store::{FeatureStore, ForeignArray, Receipt, verify};
use convbase_fuzz::{SmallStore, classes, parts};
use libfuzzer_sys::fuzz_target;

fn stores() -> &'static [SmallStore] {
    static STORES: OnceLock<Vec<SmallStore>> = OnceLock::new();
    STORES.get_or_init(|| {
        let kinds = [(DataType::Float32, 1), (DataType::Float16, 1), (DataType::Float32, 2)];
        let store = |(number, (dtype, views))| SmallStore::write(&format!("store-{number}"), dtype, views, 0);
        kinds.into_iter().enumerate().map(store).collect()
    })
}

fuzz_target!(|bytes: &[u8]| {
    let [kind, rows, rest @ ..] = bytes else { return };
    let store = &stores()[usize::from(*kind) % stores().len()];
    let [features, labels, row_lines] = parts(rest);
    let (shard, views) = (SmallStore::shard(), store.manifest.view_count());
    let mut receipt = Receipt { rows: usize::from(*rows), canary: None, ..store.receipt.clone() };
    receipt.rejected = receipt.images.saturating_sub(receipt.rows / views);
    receipt.files.features = store.replace(shard.features(), features);
    receipt.files.labels = store.replace(shard.labels(), labels);
    receipt.files.rows = store.replace(shard.rows(), row_lines);
    store.replace_receipt(&receipt);

    if let Ok(opened) = FeatureStore::open(&store.folder) {
        assert_eq!(opened.rows(), receipt.rows);
        for row in 0..opened.rows() {
            assert_eq!(opened.floats(row).expect("a file that was hashed").len(), 4);
        }
        if let Ok(records) = opened.records() {
            assert_eq!(records.iter().filter(|record| record.is_row()).count(), opened.rows());
            // What is read says what the file says.
            for (record, line) in records.iter().zip(row_lines.split_inclusive(|&byte| byte == b'\n')) {
                let line: serde_json::Value = serde_json::from_slice(line).expect("a line that was read");
                assert_eq!(serde_json::to_value(record).expect("a record"), line);
            }
        }
    }
    verify(&store.folder);

    // The same bytes as arrays that another program saved.
    for name in [shard.features(), shard.labels()] {
        if let Ok(array) = ForeignArray::open(&store.path(&name)) {
            let last = array.shape()[0] - 1;
            for dtype in [DataType::Float32, DataType::Float16] {
                let _ = array.row_bytes(last, dtype);
            }
            let _ = array.labels(&classes());
        }
    }
});
