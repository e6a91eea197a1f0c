//! Depthwise convolutions: each channel by itself.

use aligned_vec::{AVec, avec};
use convbase_bases::Convolution;
use pulp::{Arch, Simd, WithSimd};

use super::activation::Finish;
use super::layout::{Extent, Source, Target};
use super::packing::vector;
use super::window::Window;

/// Pixels of a row that are summed at once.
const PIXELS: usize = 4;

/// A convolution whose channels do not see each other.
#[derive(Debug)]
pub(super) struct Depthwise {
    arch: Arch,
    window: Window,
    /// [vectors of channels, rows, columns, values of a vector]
    weights: AVec<f32>,
    /// `[channels]`, filled up with zeros
    bias: AVec<f32>,
    finish: Finish,
}

impl Depthwise {
    pub(super) fn new(arch: Arch, convolution: &Convolution, finish: Finish) -> Self {
        let lanes = vector(arch).lanes;
        let Convolution { weight, bias, kernel, outputs, .. } = convolution;
        let taps = kernel[0] * kernel[1];
        let filled = outputs.next_multiple_of(lanes);
        let mut weights = avec![0.0; filled * taps];
        for (channel, taps_of_channel) in weight.chunks_exact(taps).enumerate() {
            for (tap, &value) in taps_of_channel.iter().enumerate() {
                weights[(channel / lanes * taps + tap) * lanes + channel % lanes] = value;
            }
        }
        let mut filled_bias = avec![0.0; filled];
        filled_bias[..*outputs].copy_from_slice(bias);
        let window = Window::new(convolution.kernel, convolution.stride, convolution.padding);
        Self { arch, window, weights, bias: filled_bias, finish }
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// Convolves `input` into rows of `output`. `places` is room for where each tap begins.
    pub(super) fn forward(
        &self,
        input: Source,
        output: &mut Target,
        extent: &Extent,
        places: &mut Vec<usize>,
    ) {
        self.arch.dispatch(Forward { depthwise: self, input, output, extent, places });
    }
}

struct Forward<'a, 'b> {
    depthwise: &'a Depthwise,
    input: Source<'a>,
    output: &'a mut Target<'b>,
    extent: &'a Extent,
    places: &'a mut Vec<usize>,
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let window = self.depthwise.window;
        let [height, width] = window.kernel;
        for (image, row) in self.extent.rows() {
            self.places.clear();
            for tap_row in 0..height {
                let start = self.input.row(image, window.first_row(row) + tap_row as isize);
                let column = |column| window.column(&self.input.layout, start, column) / S::F32_LANES;
                self.places.extend((0..width).map(column));
            }
            let to = self.output.row(image, row) / S::F32_LANES;
            if self.output.layout.width < PIXELS {
                self.row::<S, 1>(simd, to);
            } else {
                self.row::<S, PIXELS>(simd, to);
            }
        }
    }
}

impl Forward<'_, '_> {
    /// One row of what is written, `M` pixels at once. The last overlap those before them where need be: every sum is
    /// set, so that no harm is done.
    #[inline(always)]
    fn row<S: Simd, const M: usize>(&mut self, simd: S, to: usize) {
        let Depthwise { window, finish, .. } = *self.depthwise;
        let (weights, _) = S::as_simd_f32s(&self.depthwise.weights);
        let (bias, _) = S::as_simd_f32s(&self.depthwise.bias);
        let (values, _) = S::as_simd_f32s(self.input.values);
        let (outputs, _) = S::as_mut_simd_f32s(self.output.values);
        let step = window.stride[1] * self.input.layout.pixel / S::F32_LANES;
        let (pixel, width) = (self.output.layout.pixel / S::F32_LANES, self.output.layout.width);
        let taps = self.places.as_slice();
        let furthest = taps.iter().max().map_or(0, |tap| tap + (width - 1) * step + bias.len());
        assert!(furthest <= values.len() && weights.len() == taps.len() * bias.len());
        for first in (0..width).step_by(M) {
            let first = first.min(width - M);
            for (vector, weights) in weights.chunks_exact(taps.len()).enumerate() {
                let mut sums = [simd.splat_f32s(0.0); M];
                for (tap, weight) in taps.iter().zip(weights) {
                    let start = tap + first * step + vector;
                    for (place, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: `first + place` is below the width, and `vector` below the number of vectors of
                        // channels: the furthest of these was compared above.
                        #[expect(
                            unsafe_code,
                            reason = "a comparison for each value costs as much as its product"
                        )]
                        let value = unsafe { *values.get_unchecked(start + place * step) };
                        *sum = simd.mul_add_f32s(value, *weight, *sum);
                    }
                }
                let to = to + first * pixel + vector;
                for (place, sum) in sums.into_iter().enumerate() {
                    outputs[to + place * pixel] = finish.apply(simd, simd.add_f32s(sum, bias[vector]));
                }
            }
        }
    }
}
