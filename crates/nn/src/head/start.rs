//! Where training begins.

use super::HeadShape;
use super::parameters::Parameters;
use crate::randomness::{generator, share};
use crate::tensor_file::FloatTensor;

/// Glorot-uniform weights (Glorot and Bengio 2010; Keras `GlorotUniform`: the limit is √(6 / (inputs + outputs))) and
/// zero biases. They depend on shape and seed alone.
pub(crate) fn start(shape: &HeadShape, seed: u64) -> Parameters<FloatTensor> {
    let mut generator = generator(seed);
    shape.tensors().map(|tensor| {
        let mut start = FloatTensor::zeros(tensor.size);
        if let [outputs, inputs] = start.size[..] {
            let limit = (6.0 / (inputs + outputs) as f64).sqrt();
            start.numbers.fill_with(|| (limit * (2.0 * share(&mut generator) - 1.0)) as f32);
        }
        start
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Activation;

    fn drawn(seed: u64) -> [Vec<f32>; 2] {
        let shape = HeadShape::new(6, 8, Activation::Relu, 3);
        let layer = start(&shape, seed).hidden.unwrap();
        [layer.weight.numbers, layer.bias.numbers]
    }

    #[test]
    fn weights_start_within_glorots_limit_and_biases_at_zero() {
        let limit = (6.0_f32 / (6.0 + 8.0)).sqrt();
        let [weights, biases] = drawn(1);
        assert_eq!((weights.len(), biases), (48, vec![0.0; 8]));
        assert!(weights.iter().all(|weight| weight.abs() <= limit));
        assert!(weights.iter().any(|weight| *weight > limit / 2.0));
        assert!(weights.iter().any(|weight| *weight < -limit / 2.0));
    }

    #[test]
    fn equal_seeds_give_equal_heads_and_others_do_not() {
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }
}
