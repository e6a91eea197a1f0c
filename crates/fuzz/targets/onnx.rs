//! ONNX files: what opens tells its layers, and what compiles computes.
#![no_main]

use convbase_core::{ImageSize, Preprocess};
use convbase_fuzz::put;
use convbase_nn::OnnxModel;
use libfuzzer_sys::fuzz_target;

/// Sides beyond this only cost time.
const MOST: u32 = 40;

fuzz_target!(|bytes: &[u8]| {
    let path = put("network.onnx", bytes);
    let Ok(model) = OnnxModel::open(&path) else { return };
    let _ = (model.preprocess(), model.metadata(), model.layer_names());
    let size = model.fixed_size().unwrap_or(ImageSize::new(32, 32).expect("a size"));
    if size.height() > MOST || size.width() > MOST {
        return;
    }
    let layer = model.default_layer();
    let Ok(shape) = model.describe(layer, size) else { return };
    if let Ok(network) = model.compile(layer, size) {
        assert_eq!(network.shape(), shape);
        let _ = network.forward(&vec![7; size.rgb_bytes()], 1, &Preprocess::Torch.into());
    }
});
