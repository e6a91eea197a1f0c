//! A convolution by Winograd's transforms, tile by tile.

use aligned_vec::{AVec, CACHELINE_ALIGN, avec};
use convbase_core::Precision;
use pulp::{Arch, Simd, WithSimd};

use super::activation::activate;
use super::map::Map;
use super::multiply::{DEPTH, ROWS, multiply, panel_vectors};
use super::network::ConvolutionWeights;
use super::panel_values;
use super::transform::{PRODUCTS, REACH, TILE, transform_inputs, transform_products, transform_weights};

/// Values between the 36 parts of a block of tiles, so that they do not all fall into the same sets of the cache.
const GAP: usize = 16;

/// Blocks of tiles that are transformed before they are multiplied. Where channels are few, all that lies between the
/// transforms should stay near; where they are many, the weights are large, and fetching them must serve many tiles: with
/// 16 blocks instead of 48 the multiplications of 512 × 512 channels took 1.13 times as long on a processor with 2 MB of
/// second cache.
fn blocks(inputs: usize, outputs: usize) -> usize {
    (inputs * outputs / 1024).clamp(16, 48)
}

/// Fewer tiles than these do not make up for fetching the weights.
pub(crate) const FEWEST_TILES: usize = 16 * ROWS;

/// A 3 × 3 convolution with stride 1 and zero padding, then ReLU, and where a pool follows 2 × 2 maximum with stride 2.
#[derive(Debug)]
pub(crate) struct Convolution {
    arch: Arch,
    inputs: usize,
    outputs: usize,
    /// [36, panels, inputs, values of a panel]
    weights: AVec<f32>,
    /// `[outputs]`
    bias: AVec<f32>,
    pools: bool,
    /// Of what is stored.
    precision: Precision,
}

/// What lies between the transforms of a chunk of tiles.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// [blocks, 36, ROWS, inputs]
    factors: AVec<f32>,
    /// [blocks, 36, ROWS, outputs]
    products: AVec<f32>,
}

impl Convolution {
    /// What stores its values in `precision`.
    pub(crate) fn new(arch: Arch, convolution: &ConvolutionWeights, precision: Precision) -> Self {
        let ConvolutionWeights { weights, bias, pools } = convolution;
        let outputs = bias.len();
        let inputs = weights.len() / 9 / outputs;
        let panel = panel_values(arch);
        assert!(outputs.is_multiple_of(panel) && weights.len() == outputs * inputs * 9, "{outputs} outputs");
        let mut packed = avec![0.0; PRODUCTS * inputs * outputs];
        let (weights, _) = weights.as_chunks::<9>();
        for first in (0..outputs).step_by(panel) {
            for input in 0..inputs {
                let start = (first / panel * inputs + input) * panel;
                for place in 0..panel {
                    let factors = transform_weights(&weights[(first + place) * inputs + input]);
                    for (product, factor) in factors.into_iter().enumerate() {
                        packed[product * inputs * outputs + start + place] = factor;
                    }
                }
            }
        }
        let bias = AVec::from_slice(CACHELINE_ALIGN, bias);
        Self { arch, inputs, outputs, weights: packed, bias, pools: *pools, precision }
    }

    /// Height or width of what comes out, for what goes in.
    pub(crate) fn output_side(&self, side: usize) -> usize {
        if self.pools { side / 2 } else { side }
    }

    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Convolves the first `images` of `input` into those of `output` from image `first` on.
    pub(crate) fn forward(
        &self,
        input: &Map,
        images: usize,
        scratch: &mut Scratch,
        output: &mut Map,
        first: usize,
    ) {
        let tiles = Tiles::new(input, images);
        self.arch.dispatch(Forward { convolution: self, tiles, input, scratch, output, first });
    }
}

struct Forward<'a> {
    convolution: &'a Convolution,
    tiles: Tiles,
    input: &'a Map,
    scratch: &'a mut Scratch,
    output: &'a mut Map,
    first: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Convolution { inputs, outputs, .. } = *self.convolution;
        let tiles = &self.tiles;
        let (factors, products) = (ROWS * inputs + GAP, ROWS * outputs + GAP);
        let blocks = blocks(inputs, outputs);
        at_least(&mut self.scratch.factors, blocks * PRODUCTS * factors);
        at_least(&mut self.scratch.products, blocks * PRODUCTS * products);
        let mut start = 0;
        while start < tiles.count {
            let end = tiles.count.min(start + blocks * ROWS);
            for (tile, slot) in (start..end).zip(0..) {
                let to = slot / ROWS * PRODUCTS * factors + slot % ROWS * inputs;
                inputs_of_tile(simd, self.input, tiles, tile, &mut self.scratch.factors[to..], factors);
            }
            let blocks = (end - start).div_ceil(ROWS);
            if panel_vectors(S::REGISTER_COUNT) == 4 {
                multiply_blocks::<S, 4>(simd, self.convolution, self.scratch, blocks, factors, products);
            } else {
                multiply_blocks::<S, 2>(simd, self.convolution, self.scratch, blocks, factors, products);
            }
            for (tile, slot) in (start..end).zip(0..) {
                let from = slot / ROWS * PRODUCTS * products + slot % ROWS * outputs;
                outputs_of_tile(
                    simd,
                    self.convolution,
                    &self.scratch.products[from..],
                    products,
                    tiles,
                    tile,
                    self.output,
                    self.first,
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

/// The tiles of maps, counted image by image and row by row.
struct Tiles {
    across: usize,
    of_image: usize,
    count: usize,
}

impl Tiles {
    fn new(map: &Map, images: usize) -> Self {
        let across = map.width.div_ceil(TILE);
        let of_image = across * map.height.div_ceil(TILE);
        Self { across, of_image, count: of_image * images }
    }

    /// Image, row and column of a tile's first output.
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let in_image = tile % self.of_image;
        (tile / self.of_image, in_image / self.across * TILE, in_image % self.across * TILE)
    }
}

/// Six values from `start` on, `step` apart.
#[inline(always)]
fn six<V: Copy>(values: &[V], start: usize, step: usize) -> [V; REACH] {
    let values = &values[start..start + 5 * step + 1];
    [values[0], values[step], values[2 * step], values[3 * step], values[4 * step], values[5 * step]]
}

/// The values at `index` of six arrays.
#[inline(always)]
fn across<V: Copy, const N: usize>(arrays: &[[V; N]; REACH], index: usize) -> [V; REACH] {
    let [a, b, c, d, e, f] = arrays;
    [a[index], b[index], c[index], d[index], e[index], f[index]]
}

#[inline(always)]
fn inputs_of_tile<S: Simd>(
    simd: S,
    input: &Map,
    tiles: &Tiles,
    tile: usize,
    factors: &mut [f32],
    stride: usize,
) {
    let (image, row, column) = tiles.place(tile);
    let vectors = input.channels / S::F32_LANES;
    let (values, _) = S::as_simd_f32s(&input.values);
    // The frame is one pixel wide: the tile's first input has the coordinates of its first output, with the frame.
    let start = (image * input.image + (row * input.stride + column) * input.channels) / S::F32_LANES;
    let (factors, _) = S::as_mut_simd_f32s(factors);
    let stride = stride / S::F32_LANES;
    let row_stride = input.stride * vectors;
    for vector in 0..vectors {
        // Arrays written out, and functions for closures: begun with zeros they would be filled twice, by a call of
        // memset, an eighth of all time; closures would not become part of this function.
        let column = |x: usize| start + x * vectors + vector;
        let half = [
            transform_inputs(simd, six(values, column(0), row_stride)),
            transform_inputs(simd, six(values, column(1), row_stride)),
            transform_inputs(simd, six(values, column(2), row_stride)),
            transform_inputs(simd, six(values, column(3), row_stride)),
            transform_inputs(simd, six(values, column(4), row_stride)),
            transform_inputs(simd, six(values, column(5), row_stride)),
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
fn multiply_blocks<S: Simd, const N: usize>(
    simd: S,
    convolution: &Convolution,
    scratch: &mut Scratch,
    blocks: usize,
    factors: usize,
    products: usize,
) {
    let Convolution { inputs, outputs, .. } = *convolution;
    let (weights, _) = S::as_simd_f32s(&convolution.weights);
    let (sums, _) = S::as_mut_simd_f32s(&mut scratch.products);
    let outputs = outputs / S::F32_LANES;
    let products = products / S::F32_LANES;
    for (panel, weights) in weights.chunks_exact(inputs * N).enumerate() {
        let (product, column) = (panel / (outputs / N), panel % (outputs / N) * N);
        let (weights, _) = weights.as_chunks::<N>();
        for (start, weights) in (0..).step_by(DEPTH).zip(weights.chunks(DEPTH)) {
            for block in 0..blocks {
                let part = block * PRODUCTS + product;
                multiply::<S, N>(
                    simd,
                    &scratch.factors[part * factors + start..],
                    inputs,
                    weights,
                    &mut sums[part * products + column..],
                    outputs,
                    start > 0,
                );
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one loop body")]
fn outputs_of_tile<S: Simd>(
    simd: S,
    convolution: &Convolution,
    products: &[f32],
    stride: usize,
    tiles: &Tiles,
    tile: usize,
    output: &mut Map,
    first: usize,
) {
    let (image, row, column) = tiles.place(tile);
    let vectors = convolution.outputs / S::F32_LANES;
    let (products, _) = S::as_simd_f32s(products);
    let stride = stride / S::F32_LANES;
    let (bias, _) = S::as_simd_f32s(&convolution.bias);
    let precision = convolution.precision;
    let (row, column, side) = if convolution.pools { (row / 2, column / 2, 2) } else { (row, column, TILE) };
    let (rows, columns) =
        (side.min(output.height.saturating_sub(row)), side.min(output.width.saturating_sub(column)));
    let start = output.position(first + image, row, column) / S::F32_LANES;
    let row_stride = output.stride * vectors;
    let (values, _) = S::as_mut_simd_f32s(&mut output.values);
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
        if convolution.pools {
            // The maximum may go before bias, ReLU and rounding: all keep order.
            for y in 0..rows {
                for x in 0..columns {
                    let pair = |y: usize| simd.max_f32s(tile[y][2 * x], tile[y][2 * x + 1]);
                    let most = simd.max_f32s(pair(2 * y), pair(2 * y + 1));
                    values[start + y * row_stride + x * vectors + vector] =
                        activate(simd, most, bias, precision);
                }
            }
        } else {
            for y in 0..rows {
                for x in 0..columns {
                    values[start + y * row_stride + x * vectors + vector] =
                        activate(simd, tile[y][x], bias, precision);
                }
            }
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self { factors: avec![], products: avec![] }
    }
}
