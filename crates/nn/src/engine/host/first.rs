//! The first convolution, from bytes: three channels are too few for tiles.

use aligned_vec::{AVec, CACHELINE_ALIGN, avec};
use convbase_core::Precision;
use pulp::{Arch, Simd, WithSimd};

use super::activation::activate;
use super::map::Map;
use super::multiply::{ROWS, multiply, panel_vectors};
use super::network::ConvolutionWeights;
use super::panel_values;

/// Red, green and blue.
const CHANNELS: usize = 3;
/// Inputs of an output in one row of the image: three neighbours, whose values lie side by side.
const REACH: usize = 3 * CHANNELS;

/// A 3 × 3 convolution of images in bytes, which it scales, then ReLU.
#[derive(Debug)]
pub(crate) struct FirstConvolution {
    arch: Arch,
    /// [panels, 3 rows, 9, values of a panel]
    weights: AVec<f32>,
    /// `[outputs]`
    bias: AVec<f32>,
    /// What each byte of each channel becomes.
    scaled: [[f32; 256]; CHANNELS],
    /// Of what is stored.
    precision: Precision,
}

impl FirstConvolution {
    /// Of images whose bytes become `scaled`, for each channel; stores its values in `precision`.
    pub(crate) fn new(
        arch: Arch,
        convolution: &ConvolutionWeights,
        scaled: [[f32; 256]; CHANNELS],
        precision: Precision,
    ) -> Self {
        let ConvolutionWeights { weights, bias, .. } = convolution;
        let panel = panel_values(arch);
        let outputs = bias.len();
        assert!(outputs.is_multiple_of(panel) && weights.len() == outputs * REACH * 3, "{outputs} outputs");
        let mut packed = avec![0.0; weights.len()];
        for (output, weights) in weights.chunks_exact(REACH * 3).enumerate() {
            for (index, weight) in weights.iter().enumerate() {
                let (channel, row, column) = (index / 9, index % 9 / 3, index % 3);
                let position = output / panel * 3 * REACH + row * REACH + column * CHANNELS + channel;
                packed[position * panel + output % panel] = *weight;
            }
        }
        Self { arch, weights: packed, bias: AVec::from_slice(CACHELINE_ALIGN, bias), scaled, precision }
    }

    pub(crate) fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Convolves one image [height, width, 3] into image `at` of `output`. `frame` is room for its scaled values.
    pub(crate) fn forward(&self, pixels: &[u8], frame: &mut Vec<f32>, output: &mut Map, at: usize) {
        let stride = (output.width + 2) * CHANNELS;
        // The frame of zeros is that of the scaled values: a black pixel and no pixel differ.
        frame.clear();
        frame.resize((output.height + 2) * stride, 0.0);
        for (row, pixels) in pixels.chunks_exact(output.width * CHANNELS).enumerate() {
            let to = &mut frame[(row + 1) * stride + CHANNELS..];
            for (pixel, to) in pixels.chunks_exact(CHANNELS).zip(to.chunks_exact_mut(CHANNELS)) {
                for channel in 0..CHANNELS {
                    to[channel] = self.scaled[channel][usize::from(pixel[channel])];
                }
            }
        }
        self.arch.dispatch(Forward { convolution: self, frame, output, at });
    }
}

struct Forward<'a> {
    convolution: &'a FirstConvolution,
    /// [height + 2, width + 2, 3]
    frame: &'a [f32],
    output: &'a mut Map,
    at: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if panel_vectors(S::REGISTER_COUNT) == 4 { self.rows::<S, 4>(simd) } else { self.rows::<S, 2>(simd) }
    }
}

impl Forward<'_> {
    #[inline(always)]
    fn rows<S: Simd, const N: usize>(self, simd: S) {
        let Self { convolution, frame, output, at } = self;
        let (weights, _) = S::as_simd_f32s(&convolution.weights);
        let (bias, _) = S::as_simd_f32s(&convolution.bias);
        let vectors = bias.len();
        for row in 0..output.height {
            let start = output.position(at, row, 0) / S::F32_LANES;
            let sums = &mut S::as_mut_simd_f32s(&mut output.values).0[start..start + output.width * vectors];
            let mut column = 0;
            while column < output.width {
                // The last six overlap those before: each sum is set, so that no harm is done.
                let first = column.min(output.width - ROWS);
                for (panel, weights) in weights.as_chunks::<N>().0.chunks_exact(3 * REACH).enumerate() {
                    for (y, weights) in weights.chunks_exact(REACH).enumerate() {
                        multiply::<S, N>(
                            simd,
                            &frame[((row + y) * (output.width + 2) + first) * CHANNELS..],
                            CHANNELS,
                            weights,
                            &mut sums[first * vectors + panel * N..],
                            vectors,
                            y > 0,
                        );
                    }
                }
                column += ROWS;
            }
            for sums in sums.chunks_exact_mut(vectors) {
                for (sum, bias) in sums.iter_mut().zip(bias) {
                    *sum = activate(simd, *sum, *bias, convolution.precision);
                }
            }
        }
    }
}
