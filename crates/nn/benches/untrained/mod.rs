//! A base without trained weights, and pixels for it: what benchmarks compute.

use convbase_bases::{Choices, write_untrained};
use convbase_core::{FeatureSpec, ImageSize, Interpolation, Pooling, Preprocess};
use convbase_nn::Base;
use tempfile::TempDir;

/// A base of drawn weights, what it makes of images of `side` × `side`, and the folder that its weights lie in.
pub fn untrained(name: &str, side: u32) -> (Base, FeatureSpec, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("untrained.safetensors");
    write_untrained(&path, convbase_bases::architecture(name).unwrap(), 1, Preprocess::Rescale).unwrap();
    let base = Base::open(name, Some(&path)).unwrap();
    let choices = Choices {
        layer: base.default_layer().to_owned(),
        pooling: Pooling::None,
        image_size: ImageSize::new(side, side).unwrap(),
        interpolation: Interpolation::Nearest,
        preprocess: Preprocess::Rescale,
    };
    let spec = base.spec(choices).unwrap();
    (base, spec, folder)
}

/// Pixels of so many images that look drawn.
pub fn pixels(images: usize, size: ImageSize) -> Vec<u8> {
    (0..images * size.rgb_bytes()).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}
