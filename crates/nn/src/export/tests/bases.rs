//! Every base.

use convbase_bases::{architecture, architectures};
use convbase_core::{Pooling, Preprocess};

use super::ground::{Ground, IMAGES, assert_spread, plain_head};
use crate::{Activation, Device, Head, HeadShape};

#[test]
fn every_base_says_in_its_file_what_it_says_here() {
    let names = architectures().iter().map(|known| known.name()).chain(["tiny"]);
    for name in names {
        let known = architecture(name).unwrap();
        let least = known.graph().least_side(known.default_layer()).unwrap() as u32;
        // Not square, and odd, so that "same" padding is not the same on all sides.
        let ground = Ground::new(name, least.max(40) + 1, least.max(40) + 4);
        let spec = ground.spec(known.default_layer(), Pooling::None, Preprocess::Rescale);
        // Drawn weights make numbers of any size: were the head's weights not as much smaller, all would be sure.
        let features = ground.features(&spec);
        let squares: f64 = features.iter().map(|&number| f64::from(number).powi(2)).sum();
        let size = (squares / IMAGES as f64).sqrt() as f32;
        let shape = HeadShape::new(spec.shape.length(), 0, Activation::Relu, 3);
        let weight = (0..3 * shape.features).map(|index| (index as f32 * 0.37).sin() * 9.0 / size).collect();
        let head = Head::linear(shape, weight, vec![0.1, 0.0, -0.1], Device::Cpu).unwrap();
        let probabilities = ground.check(&spec, &head);
        println!("{name}: {probabilities:.3?}");
        assert_spread(&probabilities);
    }
}

#[test]
fn every_preparation_of_pixels_is_in_the_file() {
    let ground = Ground::tiny();
    let affine = Preprocess::affine([1.0, 2.0, 3.0], [100.0, 120.0, 140.0]).unwrap();
    let identity = Preprocess::affine([0.0; 3], [1.0; 3]).unwrap();
    for preprocess in
        [Preprocess::Rescale, Preprocess::Caffe, Preprocess::Torch, Preprocess::TensorFlow, affine, identity]
    {
        let spec = ground.spec("block3_pool", Pooling::None, preprocess);
        ground.check(&spec, &plain_head(&spec, 0, Activation::Relu, 4));
    }
}

#[test]
fn every_layer_of_a_base_can_be_the_last() {
    let ground = Ground::tiny();
    let graph = architecture("tiny").unwrap().graph();
    for layer in graph.layer_names().filter(|layer| graph.position(layer).is_ok()) {
        let spec = ground.spec(layer, Pooling::None, Preprocess::Rescale);
        assert_spread(&ground.check(&spec, &plain_head(&spec, 4, Activation::Relu, 2)));
    }
}
