//! Convolutions as products of pixels with packed weights: every convolution that sees all channels and that no scheme with
//! fewer multiplications takes.

use aligned_vec::{AVec, avec};
use convbase_bases::Convolution;
use pulp::{Arch, Simd, WithSimd};

use super::activation::Finish;
use super::chunks::{Chunks, Places, Reads, chunk_size, nearby, taps};
use super::epilogue::Epilogue;
use super::layout::{Extent, Layout, Source, Target};
use super::multiply::add_products;
use super::packing::{Panel, panels, vector};
use super::window::Window;

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

impl Products {
    /// What reads maps of `layout`.
    pub(super) fn new(arch: Arch, convolution: &Convolution, layout: &Layout, finish: Finish) -> Self {
        let Convolution { weight, bias, inputs, outputs, kernel: [height, width], .. } = convolution;
        let (inputs, outputs, height, width) = (*inputs, *outputs, *height, *width);
        let (taps, length) = taps(convolution, layout);
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
        let size = chunk_size(output.pixels(extent), size_of::<f32>() * self.taps.len() * self.length);
        let reads = Reads { window: self.window, taps: &self.taps };
        let chunks = Chunks::new(reads, input, added, output, extent, size);
        self.arch.dispatch(Forward { products: self, input, added, output, chunks, places });
    }
}

struct Forward<'a, 'b> {
    products: &'a Products,
    input: Source<'a>,
    added: Option<Source<'a>>,
    output: &'a mut Target<'b>,
    chunks: Chunks<'a>,
    places: &'a mut Places,
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let products = self.products;
        let inputs = products.taps.len() * products.length;
        let (weights, _) = S::as_simd_f32s(&products.weights);
        while let Some(count) = self.chunks.next(self.places) {
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
    }
}

impl Forward<'_, '_> {
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
        let values = self.input.values;
        let mut epilogue = Epilogue::new(simd, *finish, bias, self.added, self.output);
        for start in (0..count).step_by(M) {
            let mut sums = [[simd.splat_f32s(0.0); N]; M];
            for (tap, weights) in weights.chunks_exact(*length).enumerate() {
                let places: [usize; M] = *nearby(self.places.inputs(tap), start);
                sums = add_products(simd, values, places, weights, sums);
            }
            epilogue.finish(self.places, start, panel.first, &mut sums);
        }
    }
}
