//! Depthwise convolutions: each channel by itself.

use aligned_vec::{AVec, avec};
use convbase_bases::Convolution;
use pulp::{Arch, Simd, WithSimd};

use super::activation::{Finish, add_bias};
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

    /// How many, filled up.
    pub(super) fn weights(&self) -> usize {
        self.weights.len()
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
            let is_wide = self.output.layout.width >= PIXELS;
            match (window.kernel, window.stride[1], is_wide) {
                ([3, 3], 1, true) => self.row::<S, 3, 1, PIXELS>(simd, to),
                ([3, 3], 2, true) => self.row::<S, 3, 2, PIXELS>(simd, to),
                ([5, 5], 1, true) => self.row::<S, 5, 1, PIXELS>(simd, to),
                ([5, 5], 2, true) => self.row::<S, 5, 2, PIXELS>(simd, to),
                _ => self.taps(simd, to),
            }
        }
    }
}

impl Forward<'_, '_> {
    /// One row of what is written, `M` pixels at once, with a kernel of `K` × `K` that goes on by `T` pixels. The last
    /// pixels overlap those before them where need be: every sum is set, so that no harm is done.
    #[inline(always)]
    fn row<S: Simd, const K: usize, const T: usize, const M: usize>(&mut self, simd: S, to: usize) {
        let (weights, _) = S::as_simd_f32s(&self.depthwise.weights);
        let (bias, _) = S::as_simd_f32s(&self.depthwise.bias);
        let (values, _) = S::as_simd_f32s(self.input.values);
        let (outputs, _) = S::as_mut_simd_f32s(self.output.values);
        let (weights, _) = weights.as_chunks::<K>();
        let limits = self.depthwise.finish.limits(simd);
        let from = self.input.layout.pixel / S::F32_LANES;
        let (pixel, width) = (self.output.layout.pixel / S::F32_LANES, self.output.layout.width);
        let rows: [usize; K] = std::array::from_fn(|row| self.places[row * K]);
        let furthest = rows.iter().max().map_or(0, |row| row + ((width - 1) * T + K - 1) * from + bias.len());
        assert!(furthest <= values.len() && weights.len() == K * bias.len());
        for first in (0..width).step_by(M) {
            let first = first.min(width - M);
            for (vector, (weights, bias)) in weights.chunks_exact(K).zip(bias).enumerate() {
                let mut sums = [[simd.splat_f32s(0.0)]; M];
                for (row, weights) in rows.iter().zip(weights) {
                    let start = row + first * T * from + vector;
                    for column in 0..(M - 1) * T + K {
                        // SAFETY: the last column of the last pixel is the furthest that was compared above.
                        #[expect(
                            unsafe_code,
                            reason = "a comparison for each value costs as much as its product"
                        )]
                        let value = unsafe { *values.get_unchecked(start + column * from) };
                        for (place, [sum]) in sums.iter_mut().enumerate() {
                            if let Some(tap) = column.checked_sub(place * T)
                                && tap < K
                            {
                                *sum = simd.mul_add_f32s(value, weights[tap], *sum);
                            }
                        }
                    }
                }
                add_bias(simd, &mut sums, &[*bias]);
                limits.apply_all(simd, &mut sums);
                let to = to + first * pixel + vector;
                for (place, [sum]) in sums.into_iter().enumerate() {
                    outputs[to + place * pixel] = sum;
                }
            }
        }
    }

    /// One row of what is written, pixel by pixel, with any kernel.
    #[inline(always)]
    fn taps<S: Simd>(&mut self, simd: S, to: usize) {
        let (weights, _) = S::as_simd_f32s(&self.depthwise.weights);
        let (bias, _) = S::as_simd_f32s(&self.depthwise.bias);
        let (values, _) = S::as_simd_f32s(self.input.values);
        let (outputs, _) = S::as_mut_simd_f32s(self.output.values);
        let limits = self.depthwise.finish.limits(simd);
        let step = self.depthwise.window.stride[1] * self.input.layout.pixel / S::F32_LANES;
        let pixel = self.output.layout.pixel / S::F32_LANES;
        for column in 0..self.output.layout.width {
            for (vector, weights) in weights.chunks_exact(self.places.len()).enumerate() {
                let mut sum = simd.splat_f32s(0.0);
                for (tap, weight) in self.places.iter().zip(weights) {
                    sum = simd.mul_add_f32s(values[tap + column * step + vector], *weight, sum);
                }
                outputs[to + column * pixel + vector] = limits.apply(simd, simd.add_f32s(sum, bias[vector]));
            }
        }
    }
}
