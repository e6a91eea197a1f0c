//! Weights of a base, and the plan made of them.
#![no_main]

use convbase_bases::{Plan, Weights, architecture};
use convbase_core::ImageSize;
use convbase_fuzz::put;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = put("weights.safetensors", bytes);
    let base = architecture("tiny").expect("the tests' double");
    if let Ok(weights) = Weights::open(&path, base) {
        assert_eq!(weights.architecture().name(), base.name());
        let size = ImageSize::new(36, 36).expect("a size");
        let _ = Plan::new(base, &weights, base.default_layer(), size, base.preprocess());
    }
});
