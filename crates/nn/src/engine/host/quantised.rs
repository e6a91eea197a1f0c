//! Convolutions as products of whole numbers: 8 bits for what enters and for weights, 32 for their sums.
//!
//! The weights of each output have a scale of their own. So has each row that is written: the least and the greatest of all
//! values that it reads become 0 and 255. Nothing has to be calibrated, no value is cut off, and a photograph's features
//! depend on itself alone. Sums are exact; what is rounded is rounded value by value, in one order.

use std::iter;

use aligned_vec::{AVec, avec};
use convbase_bases::Convolution;
use pulp::{Arch, Simd};

use super::activation::Finish;
use super::chunks::{CHUNK, MOST_PIXELS, Places, nearby, taps};
use super::epilogue::Epilogue;
use super::integers::{Instructions, Integers, WithIntegers, word};
use super::layout::{Extent, Layout, Source, Target};
use super::numbers::Numbers;
use super::packing::{Panel, panels, vector};
use super::window::Window;

/// The greatest weight.
const GREATEST_WEIGHT: f32 = 127.0;

/// The least scale that tells weights apart: its inverse is finite.
const LEAST_SCALE: f32 = 1e-30;

/// A convolution in 8 bits, and the sum with another map where one follows it.
#[derive(Debug)]
pub(super) struct Quantised {
    instructions: Instructions,
    window: Window,
    /// Row and column of what is read in one go.
    taps: Vec<[usize; 2]>,
    /// Values that are read in one go.
    length: usize,
    panels: Vec<Panel>,
    /// [panels, taps, words of `length`, values of the panel]
    weights: AVec<u32>,
    /// `[outputs]` each, filled up with zeros: what one of a number is worth, the sum of all weights, and the bias.
    scales: AVec<f32>,
    sums: AVec<f32>,
    bias: AVec<f32>,
    finish: Finish,
}

/// What lies between rounding and storing.
#[derive(Debug)]
pub(super) struct Scratch {
    places: Places,
    numbers: Numbers,
    /// [rows, 2, filled outputs]: what one of a sum is worth, and what zero stands for.
    factors: AVec<f32>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { places: Places::default(), numbers: Numbers::default(), factors: avec![] }
    }
}

impl Quantised {
    /// What reads maps of `layout`; `None` where the processor lacks the instructions.
    pub(super) fn new(
        arch: Arch,
        convolution: &Convolution,
        layout: &Layout,
        finish: Finish,
    ) -> Option<Self> {
        let instructions = Instructions::of(arch)?;
        Some(Self::with(arch, instructions, convolution, layout, finish))
    }

    fn with(
        arch: Arch,
        instructions: Instructions,
        convolution: &Convolution,
        layout: &Layout,
        finish: Finish,
    ) -> Self {
        let Convolution { weight, bias, inputs, outputs, kernel: [height, width], .. } = convolution;
        let (inputs, outputs, positions) = (*inputs, *outputs, height * width);
        let (taps, length) = taps(convolution, layout);
        let (group, lanes) = (instructions.group(), vector(arch).lanes);
        let filled = outputs.next_multiple_of(lanes);
        let [mut scales, mut sums, mut filled_bias] =
            [avec![0.0; filled], avec![0.0; filled], avec![0.0; filled]];
        filled_bias[..outputs].copy_from_slice(bias);
        let rounded: Vec<Vec<i8>> = weight
            .chunks_exact(inputs * positions)
            .zip(scales.iter_mut().zip(&mut *sums))
            .map(|(weights, (scale, sum))| {
                let rounded = rounded(weights, scale);
                *sum = rounded.iter().map(|&weight| f32::from(weight)).sum::<f32>() * *scale;
                // From [inputs, rows, columns] to the order in which pixels are read.
                let ordered =
                    (0..positions).flat_map(|position| (0..inputs).map(move |input| (input, position)));
                ordered.map(|(input, position)| rounded[input * positions + position]).collect()
            })
            .collect();
        let panels = panels(arch, outputs);
        let mut packed = avec![0; filled * taps.len() * length.div_ceil(group)];
        let mut places = packed.chunks_exact_mut(lanes);
        for panel in &panels {
            for start in (0..taps.len() * length).step_by(length) {
                for from in (0..length).step_by(group) {
                    let read = start + from..start + length.min(from + group);
                    for (vector, place) in (panel.first..).zip(places.by_ref().take(panel.vectors)) {
                        for (output, place) in (vector * lanes..outputs).zip(place) {
                            *place = word(&rounded[output][read.clone()], group);
                        }
                    }
                }
            }
        }
        let window = Window::new(convolution.kernel, convolution.stride, convolution.padding);
        Self {
            instructions,
            window,
            taps,
            length,
            panels,
            weights: packed,
            scales,
            sums,
            bias: filled_bias,
            finish,
        }
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// How many, filled up.
    pub(super) fn weights(&self) -> usize {
        self.weights.len() * self.instructions.group()
    }

    /// Convolves `input` into rows of `output`, and adds `added`, before the activation.
    pub(super) fn forward(
        &self,
        input: Source,
        added: Option<Source>,
        output: &mut Target,
        extent: &Extent,
        Scratch { places, numbers, factors }: &mut Scratch,
    ) {
        let columns = self.window.columns(output.layout.width);
        let bytes = self.window.kernel[0] * columns * input.layout.pixel;
        let rows = (CHUNK / bytes).min(MOST_PIXELS / output.layout.width).max(1);
        self.instructions.dispatch(Forward {
            quantised: self,
            input,
            added,
            output,
            extent,
            rows,
            places,
            numbers,
            factors,
        });
    }
}

/// Weights in 8 bits, and what one of them is worth.
fn rounded(weights: &[f32], scale: &mut f32) -> Vec<i8> {
    *scale = weights.iter().fold(0.0, |most: f32, weight| most.max(weight.abs())) / GREATEST_WEIGHT;
    if *scale < LEAST_SCALE {
        *scale = 0.0;
        return vec![0; weights.len()];
    }
    weights.iter().map(|weight| (weight / *scale).round_ties_even() as i8).collect()
}

struct Forward<'a, 'b> {
    quantised: &'a Quantised,
    input: Source<'a>,
    added: Option<Source<'a>>,
    output: &'a mut Target<'b>,
    extent: &'a Extent,
    /// Rows of a chunk.
    rows: usize,
    places: &'a mut Places,
    numbers: &'a mut Numbers,
    /// [rows, 2, filled outputs]
    factors: &'a mut AVec<f32>,
}

impl WithIntegers for Forward<'_, '_> {
    #[inline(always)]
    fn with_integers<I: Integers>(mut self, integers: I) {
        let Quantised { window, taps, length, panels, weights, .. } = self.quantised;
        let (width, step) = (self.output.layout.width, self.input.layout.pixel / I::GROUP);
        let words = taps.len() * length.div_ceil(I::GROUP);
        let row_words = window.columns(width) * step;
        let (weights, _) = I::Simd::as_simd_u32s(weights);
        let mut rows = self.extent.rows();
        loop {
            self.places.clear(taps.len());
            self.numbers.clear();
            for (image, row) in rows.by_ref().take(self.rows) {
                let start = self.numbers.add(integers, &self.input, window, width, [image, row]);
                let place = |&[row, column]: &[usize; 2]| start + row * row_words + column * step;
                self.places.add_inputs(taps.iter().map(place), window.stride[1] * step, width);
                let place = self.output.row(image, row);
                self.places.add_outputs(place, self.output.layout.pixel, width);
                if let Some(added) = self.added {
                    self.places.add_added(added.row(image, row as isize), added.layout.pixel, width);
                }
            }
            let count = self.numbers.fill();
            if count == 0 {
                break;
            }
            self.places.fill();
            self.factors(integers.simd());
            assert!(self.places.furthest() + length.div_ceil(I::GROUP) <= self.numbers.words().len());
            for panel in panels {
                let weights = &weights[panel.first * words..][..panel.vectors * words];
                match (panel.vectors, <I::Simd as Simd>::REGISTER_COUNT >= 32) {
                    (1, _) => self.panel::<I, 1, 12>(integers, panel, weights, count),
                    (2, true) => self.panel::<I, 2, 12>(integers, panel, weights, count),
                    (2, false) => self.panel::<I, 2, 6>(integers, panel, weights, count),
                    (3, _) => self.panel::<I, 3, 8>(integers, panel, weights, count),
                    _ => self.panel::<I, 4, 6>(integers, panel, weights, count),
                }
            }
        }
    }
}

impl Forward<'_, '_> {
    /// What one of a sum of whole numbers is worth, and what zero stands for.
    #[inline(always)]
    fn factors<S: Simd>(&mut self, simd: S) {
        let Quantised { scales, sums, bias, .. } = self.quantised;
        let ranges = self.numbers.ranges();
        self.factors.resize(ranges.len() * 2 * bias.len(), 0.0);
        let factors = self.factors.chunks_exact_mut(2 * bias.len());
        for (&[step, least], factors) in ranges.iter().zip(factors) {
            let (of_row, shifts) = factors.split_at_mut(bias.len());
            let (step, least) = (simd.splat_f32s(step), simd.splat_f32s(least));
            for (to, scale) in S::as_mut_simd_f32s(of_row).0.iter_mut().zip(S::as_simd_f32s(scales).0) {
                *to = simd.mul_f32s(step, *scale);
            }
            let outputs = S::as_simd_f32s(sums).0.iter().zip(S::as_simd_f32s(bias).0);
            for (to, (sum, bias)) in S::as_mut_simd_f32s(shifts).0.iter_mut().zip(outputs) {
                *to = simd.mul_add_f32s(least, *sum, *bias);
            }
        }
    }

    /// The sums of `N` vectors of outputs of all pixels of the chunk, `M` pixels at once.
    #[inline(always)]
    fn panel<I: Integers, const N: usize, const M: usize>(
        &mut self,
        integers: I,
        panel: &Panel,
        weights: &[<I::Simd as Simd>::u32s],
        count: usize,
    ) {
        let simd = integers.simd();
        let Quantised { length, bias, finish, .. } = self.quantised;
        let (weights, _) = weights.as_chunks::<N>();
        let (factors, _) = I::Simd::as_simd_f32s(self.factors);
        let vectors = bias.len() / <I::Simd as Simd>::F32_LANES;
        let mut epilogue = Epilogue::new(simd, *finish, bias, self.added, self.output);
        let (numbers, rows) = (self.numbers.words(), self.numbers.rows());
        for start in (0..count).step_by(M) {
            let mut sums = [[simd.splat_u32s(0); N]; M];
            for (tap, weights) in weights.chunks_exact(length.div_ceil(I::GROUP)).enumerate() {
                let places: [usize; M] = *nearby(self.places.inputs(tap), start);
                for (word, weights) in weights.iter().enumerate() {
                    for (place, sums) in iter::zip(places, &mut sums) {
                        // SAFETY: `word` is below the words of a tap; `with_integers` compares the greatest place.
                        #[expect(
                            unsafe_code,
                            reason = "a comparison for each factor costs as much as its product"
                        )]
                        let factor = unsafe { *numbers.get_unchecked(place + word) };
                        for (weight, sum) in weights.iter().zip(sums) {
                            *sum = integers.multiply_add(factor, *weight, *sum);
                        }
                    }
                }
            }
            let mut values = [[simd.splat_f32s(0.0); N]; M];
            for (sums, values) in sums.iter().zip(&mut values) {
                for (sum, value) in sums.iter().zip(values) {
                    *value = integers.floats(*sum);
                }
            }
            let rows: &[usize; M] = nearby(rows, start);
            for (values, row) in values.iter_mut().zip(rows) {
                let scales: &[_; N] = nearby(factors, 2 * row * vectors + panel.first);
                let shifts: &[_; N] = nearby(factors, (2 * row + 1) * vectors + panel.first);
                for ((value, scale), shift) in values.iter_mut().zip(scales).zip(shifts) {
                    *value = simd.mul_add_f32s(*value, *scale, *shift);
                }
            }
            epilogue.finish_biased(self.places, start, panel.first, &mut values);
        }
    }
}

#[cfg(test)]
mod tests;
