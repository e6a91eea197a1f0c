//! Heads with the last layers of a base: the same as base and head one after the other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use convbase_bases::{Choices, architecture, write_untrained};
use convbase_core::{FeatureSpec, ImageSize, Interpolation, Pooling, Precision, Preprocess};
use convbase_nn::{
    Activation, Base, ConvBase, Device, Head, HeadShape, Input, MapPooling, Preparation, TailError,
};

fn spec(base: &Base, layer: &str, pooling: Pooling) -> FeatureSpec {
    let image_size = ImageSize::new(80, 80).unwrap();
    let (interpolation, preprocess) = (Interpolation::Nearest, Preprocess::TensorFlow);
    base.spec(Choices { layer: layer.to_owned(), pooling, image_size, interpolation, preprocess }).unwrap()
}

fn features(base: &Base, spec: &FeatureSpec) -> Vec<f32> {
    let engine = ConvBase::new(base, spec, Precision::Float32, Device::Cpu).unwrap();
    let pixels: Vec<u8> =
        (0..2 * spec.image_size.rgb_bytes()).map(|place| (place * 7919 % 251) as u8).collect();
    engine.features(&pixels, 2).unwrap()
}

fn untrained(folder: &Path, name: &str) -> Base {
    let path = folder.join(format!("{name}.safetensors"));
    write_untrained(&path, architecture(name).unwrap(), 3, Preprocess::TensorFlow).unwrap();
    Base::open(name, Some(&path)).unwrap()
}

fn head(spec: &FeatureSpec, input: Input, features: usize) -> Head {
    let shape = HeadShape { input, ..HeadShape::new(features, 5, Activation::Relu, 3) };
    assert_eq!(shape.stored(), spec.shape.length());
    Head::new(shape, 11, Device::Cpu).unwrap()
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 2e-5, "{what}: {found} {expected}");
    }
}

#[test]
fn a_head_with_the_last_layers_of_any_base_says_what_base_and_head_say() {
    let folder = tempfile::tempdir().unwrap();
    for (name, layer) in [
        ("tiny", "block1_pool"),
        ("vgg16", "block4_pool"),
        ("vgg19", "block5_conv3"),
        ("resnet50", "conv5_block2_out"),
        ("inception_v3", "mixed9"),
        ("xception", "block14_sepconv1_act"),
        ("mobilenet", "conv_pw_11_relu"),
        ("efficientnet_lite0", "block7a_project_bn"),
    ] {
        let base = untrained(folder.path(), name);
        let whole = spec(&base, architecture(name).unwrap().default_layer(), Pooling::None);
        let inner = spec(&base, layer, Pooling::None);
        let plain = head(&whole, Input::default(), whole.shape.length());
        let expected = plain.probabilities_of(&features(&base, &whole)).unwrap();
        let behind = base.behind(&whole, layer).unwrap();
        let tuned = plain.with_tail(behind, None, Pooling::None, Device::Cpu).unwrap();
        assert_eq!(tuned.shape().stored(), inner.shape.length());
        let found = tuned.probabilities_of(&features(&base, &inner)).unwrap();
        assert_close(&found, &expected, &format!("{name} from {layer}"));
        std::fs::remove_file(base.path()).unwrap();
    }
}

#[test]
fn pooled_and_prepared_heads_keep_their_preparation_behind_the_layers() {
    let folder = tempfile::tempdir().unwrap();
    let base = untrained(folder.path(), "tiny");
    let inner = features(&base, &spec(&base, "block1_pool", Pooling::None));
    for pooling in [Pooling::None, Pooling::Average, Pooling::Maximum] {
        for unit_length in [false, true] {
            let outer = spec(&base, "block3_relu", pooling);
            let kinds = match pooling {
                Pooling::None => vec![MapPooling::None, MapPooling::Maximum, MapPooling::AverageAndMaximum],
                _ => vec![MapPooling::None],
            };
            for kind in kinds {
                let preparation = Preparation::new(&outer.shape, kind, unit_length);
                let input = Input { tail: None, preparation: Some(preparation) };
                let plain = head(&outer, input, preparation.width());
                let expected = plain.probabilities_of(&features(&base, &outer)).unwrap();
                let whole = FeatureSpec { pooling: Pooling::None, ..outer.clone() };
                let behind = base.behind(&whole, "block1_pool").unwrap();
                let tuned = plain.with_tail(behind, Some("block3_relu"), pooling, Device::Cpu).unwrap();
                let found = tuned.probabilities_of(&inner).unwrap();
                assert_close(&found, &expected, &format!("{pooling} {kind} {unit_length}"));
            }
        }
    }
}

#[test]
fn a_layer_that_is_not_behind_the_stored_one_is_named_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let base = untrained(folder.path(), "tiny");
    let whole = spec(&base, "block3_pool", Pooling::None);
    let plain = head(&whole, Input::default(), whole.shape.length());
    let behind = base.behind(&whole, "block2_add").unwrap();
    let error =
        plain.with_tail(behind.clone(), Some("block1_conv1"), Pooling::None, Device::Cpu).unwrap_err();
    assert_eq!(error.to_string(), "layer to train from: expected one of block3_relu, found `block1_conv1`");
    let tuned = plain.with_tail(behind.clone(), None, Pooling::None, Device::Cpu).unwrap();
    let error = tuned.with_tail(behind, None, Pooling::None, Device::Cpu).unwrap_err();
    assert!(matches!(error, TailError::Twice), "{error}");
}
