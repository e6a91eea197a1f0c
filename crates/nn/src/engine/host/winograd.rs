//! A convolution by Winograd's transforms, tile by tile.

use aligned_vec::{AVec, avec};
use pulp::{Arch, Simd, WithSimd};

use super::activation::Finish;
use super::layout::{Source, Target};
use super::multiply::{ROWS, WEIGHTS, multiply};
use super::packing::{Panel, panels, vector};
use super::tiles::{Tiles, across, down, six};
use super::transform::{PRODUCTS, REACH, TILE, transform_inputs, transform_products, transform_weights};
use super::window::Window;

/// Values between the 36 parts of a block of tiles, so that they do not all fall into the same sets of the cache.
const GAP: usize = 16;

/// Blocks of tiles that are transformed before they are multiplied. Where channels are few, all that lies between the
/// transforms should stay near; where they are many, the weights are large, and fetching them must serve many tiles.
fn blocks(inputs: usize, outputs: usize) -> usize {
    // Measured: 64 × 64 and 128 × 128 channels take a tenth longer with 16 blocks than with 2, 512 × 512 a quarter
    // longer with 2 than with 32.
    (inputs * outputs / 8192).clamp(2, 48)
}

/// A 3 × 3 convolution with stride 1, then an activation, and where a pool follows 2 × 2 maximum with stride 2.
#[derive(Debug)]
pub(super) struct Winograd {
    arch: Arch,
    window: Window,
    sides: [usize; 2],
    inputs: usize,
    /// Outputs, filled up to whole vectors.
    filled: usize,
    panels: Vec<Panel>,
    /// [36, panels, inputs, values of the panel]
    weights: AVec<f32>,
    /// [filled]
    bias: AVec<f32>,
    pools: bool,
    finish: Finish,
}

/// What lies between the transforms of a chunk of tiles.
#[derive(Debug)]
pub(super) struct Scratch {
    /// [blocks, 36, ROWS, inputs]
    factors: AVec<f32>,
    /// [blocks, 36, ROWS, filled]
    products: AVec<f32>,
}

impl Winograd {
    /// Whether the transforms can compute a convolution, whose inputs are read a vector at a time.
    pub(super) fn fits(arch: Arch, convolution: &convbase_bases::Convolution) -> bool {
        let convbase_bases::Convolution { inputs, groups, kernel, stride, .. } = convolution;
        (*groups, *kernel, *stride) == (1, [3, 3], [1, 1]) && inputs.is_multiple_of(vector(arch).lanes)
    }

    /// `sides` are height and width of what is convolved, before any pool.
    pub(super) fn new(
        arch: Arch,
        convolution: &convbase_bases::Convolution,
        sides: [usize; 2],
        pools: bool,
        finish: Finish,
    ) -> Self {
        let convbase_bases::Convolution { weight, bias, inputs, outputs, .. } = convolution;
        let (inputs, outputs, lanes) = (*inputs, *outputs, vector(arch).lanes);
        let filled = outputs.next_multiple_of(lanes);
        let panels = panels(arch, outputs);
        let mut packed = avec![0.0; PRODUCTS * inputs * filled];
        let (weights, _) = weight.as_chunks::<9>();
        for panel in &panels {
            let (first, width) = (panel.first * lanes, panel.vectors * lanes);
            for input in 0..inputs {
                let start = first * inputs + input * width;
                for place in 0..width.min(outputs - first) {
                    let factors = transform_weights(&weights[(first + place) * inputs + input]);
                    for (product, factor) in factors.into_iter().enumerate() {
                        packed[product * inputs * filled + start + place] = factor;
                    }
                }
            }
        }
        let mut filled_bias = avec![0.0; filled];
        filled_bias[..outputs].copy_from_slice(bias);
        let window = Window::new(convolution.kernel, convolution.stride, convolution.padding);
        Self {
            arch,
            window,
            sides,
            inputs,
            filled,
            panels,
            weights: packed,
            bias: filled_bias,
            pools,
            finish,
        }
    }

    /// How many, transformed and filled up.
    pub(super) fn weights(&self) -> usize {
        self.weights.len()
    }

    /// How many tiles a map has.
    pub(super) fn tiles(&self) -> usize {
        Tiles::new(self.sides, 1).count
    }

    /// Pixels beyond the left edge of a map that tiles read.
    pub(super) fn left(&self) -> usize {
        self.window.before[1]
    }

    /// Pixels beyond the right edge of a map of `width` that tiles read.
    pub(super) fn behind(&self, width: usize) -> usize {
        (self.sides[1].next_multiple_of(TILE) + REACH - TILE).saturating_sub(width + self.window.before[1])
    }

    /// Convolves the first `images` of `input` into those of `output`.
    pub(super) fn forward(&self, input: Source, output: &mut Target, images: usize, scratch: &mut Scratch) {
        let tiles = Tiles::new(self.sides, images);
        self.arch.dispatch(Forward { winograd: self, tiles, input, scratch, output });
    }
}

struct Forward<'a, 'b> {
    winograd: &'a Winograd,
    tiles: Tiles,
    input: Source<'a>,
    scratch: &'a mut Scratch,
    output: &'a mut Target<'b>,
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { winograd, tiles, input, scratch, output } = self;
        let Winograd { inputs, filled, .. } = *winograd;
        let (factors, products) = (ROWS * inputs + GAP, ROWS * filled + GAP);
        let blocks = blocks(inputs, filled);
        at_least(&mut scratch.factors, blocks * PRODUCTS * factors);
        at_least(&mut scratch.products, blocks * PRODUCTS * products);
        let mut start = 0;
        while start < tiles.count {
            let end = tiles.count.min(start + blocks * ROWS);
            for (tile, slot) in (start..end).zip(0..) {
                let to = slot / ROWS * PRODUCTS * factors + slot % ROWS * inputs;
                inputs_of_tile(
                    simd,
                    winograd,
                    &input,
                    tiles.place(tile),
                    &mut scratch.factors[to..],
                    factors,
                );
            }
            multiply_blocks(simd, winograd, scratch, (end - start).div_ceil(ROWS), factors, products);
            for (tile, slot) in (start..end).zip(0..) {
                let from = slot / ROWS * PRODUCTS * products + slot % ROWS * filled;
                outputs_of_tile(
                    simd,
                    winograd,
                    &scratch.products[from..],
                    products,
                    tiles.place(tile),
                    output,
                );
            }
            start = end;
        }
    }
}

/// Makes room that is never given back: filling it with zeros for each layer anew was an eighth of an extraction.
fn at_least(values: &mut AVec<f32>, count: usize) {
    if values.len() < count {
        values.resize(count, 0.0);
    }
}

#[inline(always)]
fn inputs_of_tile<S: Simd>(
    simd: S,
    winograd: &Winograd,
    input: &Source,
    [image, row, column]: [usize; 3],
    factors: &mut [f32],
    stride: usize,
) {
    let window = winograd.window;
    let vectors = winograd.inputs / S::F32_LANES;
    let pixel = input.layout.pixel / S::F32_LANES;
    let (values, _) = S::as_simd_f32s(input.values);
    let line = |y: usize| {
        let start = input.row(image, window.first_row(row) + y as isize);
        let start = window.column(&input.layout, start + column * input.layout.pixel, 0) / S::F32_LANES;
        &values[start..start + 5 * pixel + vectors]
    };
    let rows = [line(0), line(1), line(2), line(3), line(4), line(5)];
    let (factors, _) = S::as_mut_simd_f32s(factors);
    let stride = stride / S::F32_LANES;
    for vector in 0..vectors {
        // Arrays written out, and functions for closures: begun with zeros they would be filled twice, by a call of
        // memset, an eighth of all time; closures would not become part of this function.
        let half = [
            transform_inputs(simd, down(&rows, vector)),
            transform_inputs(simd, down(&rows, pixel + vector)),
            transform_inputs(simd, down(&rows, 2 * pixel + vector)),
            transform_inputs(simd, down(&rows, 3 * pixel + vector)),
            transform_inputs(simd, down(&rows, 4 * pixel + vector)),
            transform_inputs(simd, down(&rows, 5 * pixel + vector)),
        ];
        for y in 0..REACH {
            let row = transform_inputs(simd, across(&half, y));
            for (x, value) in row.into_iter().enumerate() {
                factors[(y * REACH + x) * stride + vector] = value;
            }
        }
    }
}

#[inline(always)]
fn multiply_blocks<S: Simd>(
    simd: S,
    winograd: &Winograd,
    scratch: &mut Scratch,
    blocks: usize,
    factors: usize,
    products: usize,
) {
    for product in 0..PRODUCTS {
        for panel in &winograd.panels {
            let panel = PanelOf { winograd, product, panel, blocks, factors, products };
            match panel.panel.vectors {
                1 => panel.multiply::<S, 1>(simd, scratch),
                2 => panel.multiply::<S, 2>(simd, scratch),
                3 => panel.multiply::<S, 3>(simd, scratch),
                _ => panel.multiply::<S, 4>(simd, scratch),
            }
        }
    }
}

/// A panel of one of the 36 parts.
struct PanelOf<'a> {
    winograd: &'a Winograd,
    product: usize,
    panel: &'a Panel,
    blocks: usize,
    factors: usize,
    products: usize,
}

impl PanelOf<'_> {
    #[inline(always)]
    fn multiply<S: Simd, const N: usize>(&self, simd: S, scratch: &mut Scratch) {
        let Winograd { inputs, filled, weights, .. } = self.winograd;
        let start = self.product * inputs * filled / S::F32_LANES + self.panel.first * inputs;
        let weights = &S::as_simd_f32s(weights).0[start..start + N * inputs];
        let (weights, _) = weights.as_chunks::<N>();
        let (sums, _) = S::as_mut_simd_f32s(&mut scratch.products);
        let depth = WEIGHTS / size_of::<[S::f32s; N]>();
        for (start, weights) in (0..).step_by(depth).zip(weights.chunks(depth)) {
            for block in 0..self.blocks {
                let part = block * PRODUCTS + self.product;
                multiply::<S, N>(
                    simd,
                    &scratch.factors[part * self.factors + start..],
                    *inputs,
                    weights,
                    &mut sums[part * self.products / S::F32_LANES + self.panel.first..],
                    filled / S::F32_LANES,
                    start > 0,
                );
            }
        }
    }
}

#[inline(always)]
fn outputs_of_tile<S: Simd>(
    simd: S,
    winograd: &Winograd,
    products: &[f32],
    stride: usize,
    [image, row, column]: [usize; 3],
    output: &mut Target,
) {
    let Winograd { filled, pools, finish, .. } = *winograd;
    let vectors = filled / S::F32_LANES;
    let (products, _) = S::as_simd_f32s(products);
    let limits = finish.limits(simd);
    let stride = stride / S::F32_LANES;
    let (bias, _) = S::as_simd_f32s(&winograd.bias);
    let (row, column, side) = if pools { (row / 2, column / 2, 2) } else { (row, column, TILE) };
    let layout = output.layout;
    let rows = side.min(layout.height.saturating_sub(row));
    let columns = side.min(layout.width.saturating_sub(column));
    let pixel = layout.pixel / S::F32_LANES;
    let lines: [usize; TILE] = std::array::from_fn(|y| {
        (output.row(image, (row + y).min(layout.height - 1)) + column * layout.pixel) / S::F32_LANES
    });
    let (values, _) = S::as_mut_simd_f32s(output.values);
    for vector in 0..vectors {
        let half = [
            transform_products(simd, six(products, vector, REACH * stride)),
            transform_products(simd, six(products, stride + vector, REACH * stride)),
            transform_products(simd, six(products, 2 * stride + vector, REACH * stride)),
            transform_products(simd, six(products, 3 * stride + vector, REACH * stride)),
            transform_products(simd, six(products, 4 * stride + vector, REACH * stride)),
            transform_products(simd, six(products, 5 * stride + vector, REACH * stride)),
        ];
        let tile = [
            transform_products(simd, across(&half, 0)),
            transform_products(simd, across(&half, 1)),
            transform_products(simd, across(&half, 2)),
            transform_products(simd, across(&half, 3)),
        ];
        let bias = bias[vector];
        for y in 0..rows {
            for x in 0..columns {
                let sum = if pools {
                    // The maximum may go before bias, activation and rounding: all keep order.
                    let pair = |y: usize| simd.max_f32s(tile[y][2 * x], tile[y][2 * x + 1]);
                    simd.max_f32s(pair(2 * y), pair(2 * y + 1))
                } else {
                    tile[y][x]
                };
                values[lines[y] + x * pixel + vector] = limits.apply(simd, simd.add_f32s(sum, bias));
            }
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self { factors: avec![], products: avec![] }
    }
}
