//! Specs: what an import is told of its arrays, and what follows from it.
#![no_main]

use convbase_bases::{Choices, architecture};
use convbase_core::FeatureSpec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(spec) = serde_json::from_slice::<FeatureSpec>(bytes) else { return };
    let written = serde_json::to_vec(&spec).expect("plain structures serialise");
    let read: FeatureSpec = serde_json::from_slice(&written).expect("what was written");
    assert_eq!((&read, read.id()), (&spec, spec.id()));
    let FeatureSpec { layer, pooling, image_size, interpolation, preprocess, .. } = spec.clone();
    if let Ok(base) = architecture(&spec.architecture) {
        let choices = Choices { layer, pooling, image_size, interpolation, preprocess };
        let _ = base.spec(spec.weights, choices);
    }
});
