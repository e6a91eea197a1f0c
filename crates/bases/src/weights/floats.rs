//! Floating-point numbers as they lie in a file, and in the order that engines want.

use half::{bf16, f16};
use safetensors::Dtype;

/// A type of number that is turned into float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Float {
    Half,
    Brain,
    Single,
    Double,
}

impl Float {
    /// `None` for integers and for floats of eight bits and less.
    pub(super) fn new(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F16 => Some(Self::Half),
            Dtype::BF16 => Some(Self::Brain),
            Dtype::F32 => Some(Self::Single),
            Dtype::F64 => Some(Self::Double),
            _ => None,
        }
    }

    /// Bytes of one number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Half | Self::Brain => 2,
            Self::Single => 4,
            Self::Double => 8,
        }
    }

    /// The numbers of little-endian bytes in float32. What is too large for float32 becomes an infinity.
    pub(super) fn read(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Half => numbers(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Self::Brain => numbers(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Self::Single => numbers(bytes, f32::from_le_bytes),
            Self::Double => numbers(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        }
    }
}

fn numbers<const SIZE: usize>(bytes: &[u8], read: impl Fn([u8; SIZE]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<SIZE>().0.iter().map(|&bytes| read(bytes)).collect()
}

/// Kernels [taps, in, out] as Keras keeps them, turned to [out, in, taps].
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the sides are the graph's, and the kernel was held against them"
)]
pub(super) fn outputs_first(kernel: &[f32], [taps, inputs, outputs]: [usize; 3]) -> Vec<f32> {
    // A cache line of numbers is read once and spread over as many rows, each of which is written from left to right.
    const BLOCK: usize = 16;
    let mut turned = vec![0.0; kernel.len()];
    for first in (0..outputs).step_by(BLOCK) {
        let block = BLOCK.min(outputs - first);
        for input in 0..inputs {
            for tap in 0..taps {
                let line = &kernel[(tap * inputs + input) * outputs + first..][..block];
                for (output, &number) in (first..).zip(line) {
                    turned[(output * inputs + input) * taps + tap] = number;
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_becomes_float32() {
        let wide = |float: Float, bytes: &[u8]| float.read(bytes);
        assert_eq!(wide(Float::Half, &f16::from_f32(1.5).to_le_bytes()), [1.5]);
        assert_eq!(wide(Float::Brain, &bf16::from_f32(-2.5).to_le_bytes()), [-2.5]);
        assert_eq!(wide(Float::Single, &0.1_f32.to_le_bytes()), [0.1]);
        assert_eq!(
            wide(Float::Double, &[0.1_f64.to_le_bytes(), 1e300_f64.to_le_bytes()].concat()),
            [0.1, f32::INFINITY]
        );
    }

    #[test]
    fn kernels_are_turned_whatever_their_shape() {
        for shape in [[1, 1, 1], [9, 3, 5], [2, 7, 40], [25, 1, 33]] {
            let [taps, inputs, outputs] = shape;
            let kernel: Vec<f32> = (0..taps * inputs * outputs).map(|number| number as f32).collect();
            let turned = outputs_first(&kernel, shape);
            for (tap, input, output) in
                [(0, 0, 0), (taps - 1, inputs / 2, outputs - 1), (taps / 2, 0, outputs / 3)]
            {
                let found = turned[(output * inputs + input) * taps + tap];
                assert_eq!(found, kernel[(tap * inputs + input) * outputs + output], "{shape:?}");
            }
        }
    }
}
