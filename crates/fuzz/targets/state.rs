//! States of trainings: what loads can be gone on with.
#![no_main]

use std::sync::OnceLock;

use convbase_core::DataType;
use convbase_core::store::FeatureStore;
use convbase_fuzz::{SmallStore, head_shape, options, put};
use convbase_nn::{Device, OptimizerKind, Rows, TrainingState};
use libfuzzer_sys::fuzz_target;

fn store() -> &'static FeatureStore {
    static STORE: OnceLock<FeatureStore> = OnceLock::new();
    STORE.get_or_init(|| {
        let store = SmallStore::write("store", DataType::Float32, 1, 0);
        FeatureStore::open(&store.folder).expect("a store")
    })
}

fuzz_target!(|bytes: &[u8]| {
    let path = put("last.safetensors", bytes);
    let rows = Rows::new(store(), store().manifest().classes()).expect("its own classes");
    for kind in [OptimizerKind::RmsProp, OptimizerKind::Adam, OptimizerKind::Sgd] {
        let Ok(mut state) = TrainingState::load(&path, &head_shape(), kind, 0.1, Device::Cpu) else {
            continue;
        };
        if state.train_epoch(&rows, &options(), || false).is_ok() {
            state.finish_epoch();
        }
    }
});
