//! Every kind of head.

use convbase_core::{Pooling, Preprocess};

use super::ground::{Ground, assert_spread, plain_head};
use crate::{Activation, Device, Head, HeadShape, Input, MapPooling, Preparation};

#[test]
fn dense_heads_of_every_kind_say_the_same() {
    let ground = Ground::tiny();
    for pooling in [Pooling::None, Pooling::Average, Pooling::Maximum] {
        let spec = ground.spec("block3_pool", pooling, Preprocess::Rescale);
        for classes in [2, 3, 7] {
            for (hidden, activation) in
                [(0, Activation::Relu), (9, Activation::Relu), (9, Activation::None), (1, Activation::Relu)]
            {
                ground.check(&spec, &plain_head(&spec, hidden, activation, classes));
            }
        }
    }
}

#[test]
fn probes_of_every_kind_say_the_same() {
    let ground = Ground::tiny();
    let spec = ground.spec("block3_pool", Pooling::None, Preprocess::Rescale);
    for pooling in [MapPooling::None, MapPooling::Average, MapPooling::Maximum, MapPooling::AverageAndMaximum]
    {
        for unit_length in [false, true] {
            let preparation = Preparation::new(&spec.shape, pooling, unit_length);
            for classes in [2, 3] {
                let probabilities = ground.check(&spec, &probe(preparation, classes));
                assert_spread(&probabilities);
            }
        }
    }
    // Features that are no map.
    let spec = ground.spec("block3_pool", Pooling::Maximum, Preprocess::Rescale);
    ground.check(&spec, &probe(Preparation::new(&spec.shape, MapPooling::None, true), 2));
}

#[test]
fn a_row_of_zeros_has_no_length_and_is_still_classified() {
    let ground = Ground::tiny();
    // No pixel is so bright that anything is left after the first ReLU.
    let dark = Preprocess::affine([1e6; 3], [1.0; 3]).unwrap();
    let spec = ground.spec("block3_pool", Pooling::None, dark);
    let preparation = Preparation::new(&spec.shape, MapPooling::Average, true);
    let probabilities = ground.check(&spec, &probe(preparation, 3));
    assert!(probabilities.iter().all(|probability| probability.is_finite()));
}

/// A linear head whose weights are large enough to tell images apart.
fn probe(preparation: Preparation, classes: usize) -> Head {
    let input = Input { tail: None, preparation: Some(preparation) };
    let shape = HeadShape { input, ..HeadShape::new(preparation.width(), 0, Activation::None, classes) };
    let count = shape.outputs() * preparation.width();
    let weight =
        (0..count).map(|index| (index as f32 * 0.37).sin() / (preparation.width() as f32).sqrt() * 4.0);
    let bias = (0..shape.outputs()).map(|index| index as f32 * 0.1 - 0.05).collect();
    Head::linear(shape, weight.collect(), bias, Device::Cpu).unwrap()
}
