//! Convolutions of single pixels with an eighth fewer multiplications: Strassen's products of halves.
//!
//! Pixels are taken two neighbours at a time, a and b, inputs and outputs are cut into halves, and seven products of halves take the
//! place of eight, in the form of Winograd, which adds the least (Higham, Accuracy and Stability of Numerical
//! Algorithms, 2nd edition, 23.1). With W the weights,
//!
//! - of the inputs: S₁ = b₁ + b₂, S₂ = S₁ - a₁, S₃ = a₁ - b₁, S₄ = a₂ - S₂;
//! - of the weights, once: T₁ = W₁₂ - W₁₁, T₂ = W₂₂ - T₁, T₃ = W₂₂ - W₁₂, T₄ = W₂₁ - T₂;
//! - products: U₁ = a₁ W₁₁, U₂ = U₁ + S₂ T₂, U₃ = U₂ + S₃ T₃, and P = S₁ T₁;
//! - outputs of a: U₁ + a₂ W₂₁ and U₂ + P + S₄ W₂₂; of b: U₃ + b₂ T₄ and U₃ + P.
//!
//! All but P go on in the registers where the sum before them ends, so that little is added besides the products. Errors of
//! rounding are some times larger than those of eight products: the goldens and the tests against libtorch hold them.

mod pairs;
#[cfg(test)]
mod tests;

use std::ops::Range;

use aligned_vec::{AVec, avec};
use convbase_bases::Convolution;
use pulp::{Arch, Simd, WithSimd};

use super::activation::Finish;
use super::chunks::{Places, nearby};
use super::epilogue::Epilogue;
use super::layout::{Extent, FILL, Layout, Source, Target, at_least};
use super::multiply::add_products;
use super::packing::{Panel, panels, vector};
use super::window::Window;
use pairs::{Pairs, sums};

/// Channels of what enters and of what leaves from which on it pays. Measured: 112 with 672 take a twentieth less, 80 with
/// 480 a hundredth.
const FEWEST_CHANNELS: usize = 112;

/// Outputs up to which it pays. Measured with vectors of 8 values, where 1024 with 1024 take a hundredth less: 1024 with 1536
/// take a twentieth more, and 512 with 2048 a tenth. Their weights, 7 quarters of what they were, come from beyond
/// the second cache for each chunk of pairs.
const MOST_OUTPUTS: usize = 1280;

/// Columns from which on one that is left over in a row is computed twice: it costs less than a map that must be there as a
/// whole.
const WIDE: usize = 28;

/// Products of halves.
const PRODUCTS: usize = 7;

/// A convolution of single pixels, and the sum with another map where one follows it.
#[derive(Debug)]
pub(super) struct Strassen {
    arch: Arch,
    window: Window,
    /// Inputs of a half.
    half: usize,
    /// Rows whose pixels are paired: one, or those of the whole map.
    rows: usize,
    /// Of the first half of the outputs.
    panels: Vec<Panel>,
    /// [panels, products, half of the inputs, values of the panel]
    weights: AVec<f32>,
    /// `[outputs]`, filled up with zeros
    bias: AVec<f32>,
    finish: Finish,
}

/// Where the pairs of a chunk lie, their sums, and what goes from one product to another.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Of first pixels and of second ones. What first ones read besides is the sums of their pair.
    places: [Places; 2],
    /// S₁ to S₄ of each pair, apart by a gap
    sums: AVec<f32>,
    /// U₁ and then U₂, and U₃: [pairs, values of a panel] each
    between: [AVec<f32>; 2],
}

impl Strassen {
    /// Whether a convolution that writes maps of `sides` is computed so. Whatever the processor: bits are to be equal.
    pub(super) fn fits(convolution: &Convolution, sides: [usize; 2]) -> bool {
        let Convolution { inputs, outputs, groups, kernel, .. } = convolution;
        (*groups, *kernel) == (1, [1, 1])
            && *inputs.min(outputs) >= FEWEST_CHANNELS
            && *outputs <= MOST_OUTPUTS
            && inputs.is_multiple_of(2)
            && outputs.next_multiple_of(FILL).is_multiple_of(2 * FILL)
            && sides[0] * sides[1] > 1
    }

    /// What writes maps of `sides`.
    pub(super) fn new(arch: Arch, convolution: &Convolution, sides: [usize; 2], finish: Finish) -> Self {
        let Convolution { weight, bias, inputs, outputs, .. } = convolution;
        let (inputs, outputs, half) = (*inputs, *outputs, inputs / 2);
        let filled = outputs.next_multiple_of(FILL);
        let lanes = vector(arch).lanes;
        let panels = panels(arch, filled / 2);
        let mut packed = avec![0.0; PRODUCTS * half * filled / 2];
        let mut places = packed.iter_mut();
        for panel in &panels {
            for (product, input) in
                (0..PRODUCTS).flat_map(|product| (0..half).map(move |input| (product, input)))
            {
                let values = panel.first * lanes..(panel.first + panel.vectors) * lanes;
                for (first, place) in values.zip(&mut places) {
                    *place = factor(product, |row, column| {
                        let output = first + column * filled / 2;
                        if output < outputs {
                            weight[output * inputs + input + row * half].into()
                        } else {
                            0.0
                        }
                    });
                }
            }
        }
        let mut filled_bias = avec![0.0; filled];
        filled_bias[..outputs].copy_from_slice(bias);
        let rows = if sides[1].is_multiple_of(2) || sides[1] >= WIDE { 1 } else { sides[0] };
        let window = Window::new(convolution.kernel, convolution.stride, convolution.padding);
        Self { arch, window, half, rows, panels, weights: packed, bias: filled_bias, finish }
    }

    /// `None` where the pixels of the whole map are paired.
    pub(super) fn window(&self) -> Option<Window> {
        (self.rows == 1).then_some(self.window)
    }

    /// How many, of all products.
    pub(super) fn weights(&self) -> usize {
        self.weights.len()
    }

    /// Pairs of a map.
    pub(super) fn pairs(&self, to: &Layout) -> usize {
        to.height / self.rows * (self.rows * to.width).div_ceil(2)
    }

    /// Convolves `input` into rows of `output`, and adds `added`, before the activation.
    pub(super) fn forward(
        &self,
        input: Source,
        added: Option<Source>,
        output: &mut Target,
        extent: &Extent,
        scratch: &mut Scratch,
    ) {
        let pairs = Pairs::new(self.rows, output.layout.width, extent);
        self.arch.dispatch(Forward { strassen: self, input, added, output, pairs, scratch });
    }
}

/// What a product multiplies with, of the four quarters of the weights, in the order in which products are computed.
fn factor(product: usize, weight: impl Fn(usize, usize) -> f64) -> f32 {
    let first = || weight(0, 1) - weight(0, 0);
    let second = || weight(1, 1) - first();
    let factor = match product {
        0 => weight(0, 0),
        1 => weight(1, 0),
        2 => second(),
        3 => weight(1, 1) - weight(0, 1),
        4 => weight(1, 0) - second(),
        5 => first(),
        _ => weight(1, 1),
    };
    factor as f32
}

struct Forward<'a, 'b> {
    strassen: &'a Strassen,
    input: Source<'a>,
    added: Option<Source<'a>>,
    output: &'a mut Target<'b>,
    pairs: Pairs,
    scratch: &'a mut Scratch,
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Strassen { half, panels, .. } = self.strassen;
        for chunk in self.pairs.chunks(*half) {
            let count = chunk.len();
            self.places(chunk);
            sums(self.input.values, &self.scratch.places, *half, &mut self.scratch.sums);
            for panel in panels {
                match (panel.vectors, S::REGISTER_COUNT >= 32) {
                    (1, _) => self.tiles::<S, 1, 12, 4>(simd, panel, count),
                    (2, true) => self.tiles::<S, 2, 12, 4>(simd, panel, count),
                    (2, false) => self.tiles::<S, 2, 6, 2>(simd, panel, count),
                    (3, _) => self.tiles::<S, 3, 8, 2>(simd, panel, count),
                    _ => self.tiles::<S, 4, 6, 2>(simd, panel, count),
                }
            }
        }
    }
}

impl Forward<'_, '_> {
    /// Where both pixels of the pairs of a chunk lie.
    fn places(&mut self, chunk: Range<usize>) {
        let Self { strassen: Strassen { window, half, .. }, input, added, output, scratch, .. } = self;
        let [firsts, seconds] = &mut scratch.places;
        firsts.clear(2);
        seconds.clear(1);
        for (number, pair) in self.pairs.of(chunk).enumerate() {
            for (places, [image, row, column]) in [&mut *firsts, &mut *seconds].into_iter().zip(pair) {
                let start = input.row(image, window.first_row(row));
                let from =
                    window.column(&input.layout, start, 0) + column * window.stride[1] * input.layout.pixel;
                places.add_inputs([from, number * pairs::apart(*half)].into_iter(), 0, 1);
                places.add_outputs(output.row(image, row) + column * output.layout.pixel, 0, 1);
                if let Some(added) = added {
                    places.add_added(added.row(image, row as isize) + column * added.layout.pixel, 0, 1);
                }
            }
        }
        firsts.fill();
        seconds.fill();
    }

    /// A panel for all pairs of the chunk, `M` at once, or fewer where only those are left over.
    #[inline(always)]
    fn tiles<S: Simd, const N: usize, const M: usize, const FEW: usize>(
        &mut self,
        simd: S,
        panel: &Panel,
        count: usize,
    ) {
        let rest = count % M;
        let whole = if rest > M / 2 { count } else { count - rest };
        self.panel::<S, N, M>(simd, panel, 0..whole);
        self.panel::<S, N, FEW>(simd, panel, whole..count);
    }

    /// `N` vectors of either half of the outputs of pairs of the chunk, `M` pairs at once. Each sum is one sequence of fused
    /// multiply-adds and additions, on every processor.
    #[inline(always)]
    fn panel<S: Simd, const N: usize, const M: usize>(
        &mut self,
        simd: S,
        panel: &Panel,
        pairs: Range<usize>,
    ) {
        let Strassen { half, weights, bias, finish, .. } = self.strassen;
        let (weights, _) = S::as_simd_f32s(weights);
        let (weights, _) = weights[PRODUCTS * half * panel.first..][..PRODUCTS * half * N].as_chunks::<N>();
        let [w11, w21, t2, t3, t4, t1, w22]: [&[[S::f32s; N]]; PRODUCTS] =
            std::array::from_fn(|product| &weights[product * half..][..*half]);
        let Scratch { places: [firsts, seconds], sums: inputs, between } = &mut *self.scratch;
        let filled = firsts.outputs().len() * N * S::F32_LANES;
        let [second, third] = between.each_mut().map(|between| {
            at_least(between, filled);
            S::as_mut_simd_f32s(between).0.as_chunks_mut::<N>().0
        });
        let (first_half, second_half) = (panel.first, panel.first + bias.len() / S::F32_LANES / 2);
        let mut epilogue = Epilogue::new(simd, *finish, bias, self.added, self.output);
        let values = self.input.values;
        let after = |places: &[usize], start: usize, distance: usize| -> [usize; M] {
            nearby(places, start).map(|place| place + distance)
        };
        let (a, b, s) = (firsts.inputs(0), seconds.inputs(0), firsts.inputs(1));
        let zero = [[simd.splat_f32s(0.0); N]; M];
        for start in pairs.clone().step_by(M) {
            let mut sums = add_products(simd, values, after(a, start, 0), w11, zero);
            keep(&mut second[start..], &sums);
            sums = add_products(simd, values, after(a, start, *half), w21, sums);
            epilogue.finish(firsts, start, first_half, &mut sums);
        }
        for start in pairs.clone().step_by(M) {
            let mut sums = zero;
            add(simd, &mut sums, &second[start..]);
            sums = add_products(simd, inputs, after(s, start, *half), t2, sums);
            keep(&mut second[start..], &sums);
            sums = add_products(simd, inputs, after(s, start, 2 * half), t3, sums);
            keep(&mut third[start..], &sums);
            sums = add_products(simd, values, after(b, start, *half), t4, sums);
            epilogue.finish(seconds, start, first_half, &mut sums);
        }
        for start in pairs.step_by(M) {
            let mut sums = add_products(simd, inputs, after(s, start, 0), t1, zero);
            // Two tiles do not fit into the registers: one waits.
            let mut others = sums;
            add(simd, &mut others, &third[start..]);
            keep(&mut third[start..], &others);
            add(simd, &mut sums, &second[start..]);
            sums = add_products(simd, inputs, after(s, start, 3 * half), w22, sums);
            epilogue.finish(firsts, start, second_half, &mut sums);
            sums = zero;
            add(simd, &mut sums, &third[start..]);
            epilogue.finish(seconds, start, second_half, &mut sums);
        }
    }
}

/// Keeps sums at the beginning of `to`.
#[inline(always)]
fn keep<V: Copy, const N: usize, const M: usize>(to: &mut [[V; N]], sums: &[[V; N]; M]) {
    for (to, sums) in to[..M].iter_mut().zip(sums) {
        to.copy_from_slice(sums);
    }
}

/// Adds what lies at the beginning of `kept`.
#[inline(always)]
fn add<S: Simd, const N: usize, const M: usize>(
    simd: S,
    sums: &mut [[S::f32s; N]; M],
    kept: &[[S::f32s; N]],
) {
    let kept: &[[S::f32s; N]; M] = nearby(kept, 0);
    for (sum, kept) in sums.as_flattened_mut().iter_mut().zip(kept.as_flattened()) {
        *sum = simd.add_f32s(*kept, *sum);
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self { places: Default::default(), sums: avec![], between: [avec![], avec![]] }
    }
}
