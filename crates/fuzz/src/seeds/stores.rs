//! Inputs made of the files of small stores.

use convbase_core::DataType;
use convbase_core::store::MANIFEST_NAME;
use convbase_fuzz::{SmallStore, as_written, join};

use crate::Seed;

pub(crate) fn stores() -> Vec<Seed> {
    let shard = SmallStore::shard();
    let kinds = [(DataType::Float32, 1), (DataType::Float16, 1), (DataType::Float32, 2)];
    let mut seeds = Vec::new();
    for (kind, (dtype, views)) in kinds.into_iter().enumerate() {
        for rejected in 0..3 {
            let name = format!("store-{kind}-{rejected}");
            let store = SmallStore::write(&name, dtype, views, rejected);
            let files = [shard.features(), shard.labels(), shard.rows()].map(|file| store.read(&file));
            let files = join(&files.each_ref().map(Vec::as_slice));
            seeds.push((name, [vec![kind as u8, store.receipt.rows as u8], files].concat()));
        }
    }
    seeds
}

pub(crate) fn manifests() -> Vec<Seed> {
    let one = SmallStore::write("one", DataType::Float32, 1, 0);
    let several = SmallStore::write("several", DataType::Float16, 3, 0);
    [("one", one), ("several", several)]
        .map(|(name, store)| (name.to_owned(), store.read(MANIFEST_NAME)))
        .to_vec()
}

pub(crate) fn receipts() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for rejected in 0..3 {
        let store = SmallStore::write(&format!("rejected-{rejected}"), DataType::Float32, 2, rejected);
        let rows = store.read(&SmallStore::shard().rows());
        seeds.push((format!("rejected-{rejected}"), join(&[&as_written(&store.receipt), &rows])));
    }
    seeds
}
