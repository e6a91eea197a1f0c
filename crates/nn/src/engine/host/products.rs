//! Convolutions as products of pixels with packed weights: every convolution that sees all channels.

use std::iter;

use aligned_vec::{AVec, avec};
use convbase_bases::Convolution;
use pulp::{Arch, Simd, WithSimd};

use super::activation::Finish;
use super::layout::{Extent, Layout, Source, Target};
use super::packing::{Panel, panels, vector};
use super::window::Window;

/// Bytes of the pixels whose products with all weights follow one another: they stay in the second cache of every
/// processor, beside the weights of a panel, and fetching the weights serves them all.
const CHUNK: usize = 192 * 1024;

/// A chunk's pixels are a multiple of this, which every number of rows that are multiplied at once divides.
const MULTIPLE: usize = 24;

/// At most so many multiples: more make up for nothing.
const MOST: usize = 10;

/// A convolution, and the sum with another map where one follows it.
#[derive(Debug)]
pub(super) struct Products {
    arch: Arch,
    window: Window,
    /// Row and column of what is read in one go: a row of the window where its pixels lie side by side without gaps,
    /// else each pixel.
    taps: Vec<[usize; 2]>,
    /// Values that are read in one go.
    length: usize,
    panels: Vec<Panel>,
    /// [panels, taps, length, values of the panel]
    weights: AVec<f32>,
    /// `[outputs]`, filled up with zeros
    bias: AVec<f32>,
    finish: Finish,
}

/// Where the pixels of a chunk lie.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// [taps, pixels]
    inputs: Vec<usize>,
    outputs: Vec<usize>,
    added: Vec<usize>,
}

impl Products {
    /// What reads maps of `layout`.
    pub(super) fn new(arch: Arch, convolution: &Convolution, layout: &Layout, finish: Finish) -> Self {
        let Convolution { weight, bias, inputs, outputs, kernel: [height, width], .. } = convolution;
        let (inputs, outputs, height, width) = (*inputs, *outputs, *height, *width);
        let side_by_side = if layout.pixel == inputs { width } else { 1 };
        let (length, taps) = (side_by_side * inputs, height * width / side_by_side);
        let taps: Vec<[usize; 2]> =
            (0..taps).map(|tap| tap * side_by_side).map(|tap| [tap / width, tap % width]).collect();
        let panels = panels(arch, outputs);
        let lanes = vector(arch).lanes;
        let filled = outputs.next_multiple_of(lanes);
        let mut packed = avec![0.0; filled * height * width * inputs];
        let mut places = packed.chunks_exact_mut(lanes);
        for panel in &panels {
            for (tap, value) in taps.iter().flat_map(|tap| (0..length).map(move |value| (tap, value))) {
                let (input, column) = (value % inputs, tap[1] + value / inputs);
                for (vector, place) in (panel.first..).zip(places.by_ref().take(panel.vectors)) {
                    for (output, place) in (vector * lanes..outputs).zip(place) {
                        *place = weight[((output * inputs + input) * height + tap[0]) * width + column];
                    }
                }
            }
        }
        let mut filled_bias = avec![0.0; filled];
        filled_bias[..outputs].copy_from_slice(bias);
        let window = Window::new(convolution.kernel, convolution.stride, convolution.padding);
        Self { arch, window, taps, length, panels, weights: packed, bias: filled_bias, finish }
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// How many, filled up.
    pub(super) fn weights(&self) -> usize {
        self.weights.len()
    }

    /// Convolves `input` into rows of `output`, and adds `added`, before the activation.
    pub(super) fn forward(
        &self,
        input: Source,
        added: Option<Source>,
        output: &mut Target,
        extent: &Extent,
        places: &mut Places,
    ) {
        let chunk = self.chunk(extent.images * extent.rows.len() * output.layout.width);
        places.inputs.resize(self.taps.len() * chunk, 0);
        places.outputs.resize(chunk, 0);
        places.added.resize(chunk, 0);
        self.arch.dispatch(Forward { products: self, input, added, output, extent, places, chunk });
    }

    /// Pixels of a chunk where there are so many in all: none is much smaller than another.
    fn chunk(&self, pixels: usize) -> usize {
        let bytes = size_of::<f32>() * self.taps.len() * self.length;
        let most = (CHUNK / bytes / MULTIPLE).clamp(1, MOST) * MULTIPLE;
        pixels.div_ceil(pixels.div_ceil(most).max(1)).next_multiple_of(MULTIPLE)
    }
}

struct Forward<'a, 'b> {
    products: &'a Products,
    input: Source<'a>,
    added: Option<Source<'a>>,
    output: &'a mut Target<'b>,
    extent: &'a Extent,
    places: &'a mut Places,
    chunk: usize,
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Products { window, taps, .. } = self.products;
        let chunk = self.chunk;
        let step = window.stride[1] * self.input.layout.pixel;
        let (output_pixel, width) = (self.output.layout.pixel, self.output.layout.width);
        let added_pixel = self.added.map_or(0, |added| added.layout.pixel);
        let mut count = 0;
        for (image, row) in self.extent.rows() {
            let to = self.output.row(image, row);
            let plus = self.added.map_or(0, |added| added.row(image, row as isize));
            let mut column = 0;
            while column < width {
                let together = (width - column).min(chunk - count);
                for (&[tap_row, tap_column], places) in
                    taps.iter().zip(self.places.inputs.chunks_exact_mut(chunk))
                {
                    let start = self.input.row(image, window.first_row(row) + tap_row as isize);
                    let start = window.column(&self.input.layout, start, tap_column);
                    set(&mut places[count..], start + column * step, step, together);
                }
                set(&mut self.places.outputs[count..], to + column * output_pixel, output_pixel, together);
                set(&mut self.places.added[count..], plus + column * added_pixel, added_pixel, together);
                (column, count) = (column + together, count + together);
                if count == chunk {
                    self.chunk(simd, count);
                    count = 0;
                }
            }
        }
        if count > 0 {
            self.chunk(simd, count);
        }
    }
}

/// `count` places from `start` on, `step` apart.
#[inline(always)]
fn set(places: &mut [usize], start: usize, step: usize, count: usize) {
    for (index, place) in places[..count].iter_mut().enumerate() {
        *place = start + index * step;
    }
}

impl Forward<'_, '_> {
    #[inline(always)]
    fn chunk<S: Simd>(&mut self, simd: S, count: usize) {
        // The last pixel again, and again to the same place, until every number of rows divides them.
        let filled = count.next_multiple_of(MULTIPLE);
        for places in self.places.inputs.chunks_exact_mut(self.chunk) {
            let last = places[count - 1];
            places[count..filled].fill(last);
        }
        for places in [&mut self.places.outputs, &mut self.places.added] {
            let last = places[count - 1];
            places[count..filled].fill(last);
        }
        let products = self.products;
        let taken = self.places.inputs.chunks_exact(self.chunk).flat_map(|places| &places[..filled]);
        let furthest = taken.max().map_or(0, |place| place.saturating_add(products.length));
        assert!(furthest <= self.input.values.len());
        let inputs = products.taps.len() * products.length;
        let (weights, _) = S::as_simd_f32s(&products.weights);
        for panel in &products.panels {
            let weights = &weights[panel.first * inputs..][..panel.vectors * inputs];
            match (panel.vectors, S::REGISTER_COUNT >= 32) {
                (1, _) => self.panel::<S, 1, 12>(simd, panel, weights, count),
                (2, true) => self.panel::<S, 2, 12>(simd, panel, weights, count),
                (2, false) => self.panel::<S, 2, 6>(simd, panel, weights, count),
                (3, _) => self.panel::<S, 3, 8>(simd, panel, weights, count),
                _ => self.panel::<S, 4, 6>(simd, panel, weights, count),
            }
        }
    }

    /// The sums of `N` vectors of outputs of all pixels of the chunk, `M` pixels at once. Each is one chain of fused
    /// multiply-adds in the order of rows, columns and inputs, on every processor.
    #[inline(always)]
    fn panel<S: Simd, const N: usize, const M: usize>(
        &mut self,
        simd: S,
        panel: &Panel,
        weights: &[S::f32s],
        count: usize,
    ) {
        let Products { length, bias, finish, .. } = self.products;
        let (weights, _) = weights.as_chunks::<N>();
        let bias: &[S::f32s; N] = nearby(S::as_simd_f32s(bias).0, panel.first);
        let limits = finish.limits(simd);
        let added = self.added.map(|added| S::as_simd_f32s(added.values).0);
        let (outputs, _) = S::as_mut_simd_f32s(self.output.values);
        let values = self.input.values;
        for start in (0..count).step_by(M) {
            let mut sums = [[simd.splat_f32s(0.0); N]; M];
            for (tap, weights) in weights.chunks_exact(*length).enumerate() {
                let places: [usize; M] = *nearby(&self.places.inputs, tap * self.chunk + start);
                for (input, weights) in weights.iter().enumerate() {
                    for (place, sums) in iter::zip(places, &mut sums) {
                        // SAFETY: `input` is below `length`; the greatest place was compared in `chunk`.
                        #[expect(
                            unsafe_code,
                            reason = "a comparison for each factor costs as much as its product"
                        )]
                        let factor = simd.splat_f32s(unsafe { *values.get_unchecked(place + input) });
                        for (weight, sum) in weights.iter().zip(sums) {
                            *sum = simd.mul_add_f32s(factor, *weight, *sum);
                        }
                    }
                }
            }
            let place = |place: usize| place / S::F32_LANES + panel.first;
            let added = added.map(|added| {
                let places: [usize; M] = *nearby(&self.places.added, start);
                places.map(|plus| nearby(added, place(plus)))
            });
            limits.finish(simd, &mut sums, bias, added);
            let places: [usize; M] = *nearby(&self.places.outputs, start);
            for (to, sums) in iter::zip(places, sums) {
                let to = place(to);
                outputs[to..to + N].copy_from_slice(&sums);
            }
        }
    }
}

/// The `N` values from `start` on.
#[inline(always)]
fn nearby<T, const N: usize>(values: &[T], start: usize) -> &[T; N] {
    let Some(values) = values[start..].first_chunk() else { panic!("fewer than {N} values") };
    values
}
