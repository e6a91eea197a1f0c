//! The tiles that maps are cut into, on their way into products and out of them.

use pulp::Simd;

use super::activation::Finish;
use super::layout::{Source, Target};
use super::transform::Filtering;
use super::window::Window;

/// The tiles of maps, counted image by image and row by row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiles {
    /// Outputs of a tile along each axis.
    side: usize,
    across: usize,
    of_image: usize,
    pub(super) count: usize,
}

impl Tiles {
    pub(super) fn new(side: usize, [height, width]: [usize; 2], images: usize) -> Self {
        let across = width.div_ceil(side);
        let of_image = across * height.div_ceil(side);
        Self { side, across, of_image, count: of_image * images }
    }

    /// Image, row and column of a tile's first output.
    pub(super) fn place(&self, tile: usize) -> [usize; 3] {
        let in_image = tile % self.of_image;
        [tile / self.of_image, in_image / self.across * self.side, in_image % self.across * self.side]
    }
}

/// Values between two transforms of a tile, along one axis and along the other. It serves all tiles: an array that is
/// made for each is filled with zeros first, an eighth of all time.
pub(super) type Between<V, const REACH: usize> = [[V; REACH]; REACH];

/// The inputs of a tile become factors, a part every `stride` values.
#[inline(always)]
pub(super) fn enter<S: Simd, F: Filtering<TILE, REACH>, const TILE: usize, const REACH: usize>(
    simd: S,
    (input, window, channels): (&Source, Window, usize),
    [image, row, column]: [usize; 3],
    between: &mut Between<S::f32s, REACH>,
    factors: &mut [f32],
    stride: usize,
) {
    let vectors = channels / S::F32_LANES;
    let pixel = input.layout.pixel / S::F32_LANES;
    let (values, _) = S::as_simd_f32s(input.values);
    let mut rows: [&[S::f32s]; REACH] = [&[]; REACH];
    for (y, line) in rows.iter_mut().enumerate() {
        let start = input.row(image, window.first_row(row) + y as isize);
        let start = window.column(&input.layout, start + column * input.layout.pixel, 0) / S::F32_LANES;
        *line = &values[start..start + (REACH - 1) * pixel + vectors];
    }
    let (factors, _) = S::as_mut_simd_f32s(factors);
    let stride = stride / S::F32_LANES;
    for vector in 0..vectors {
        for (x, column) in between.iter_mut().enumerate() {
            let mut inputs = [simd.splat_f32s(0.0); REACH];
            for (input, row) in inputs.iter_mut().zip(&rows) {
                *input = row[x * pixel + vector];
            }
            *column = F::inputs(simd, inputs);
        }
        for y in 0..REACH {
            let row = F::inputs(simd, across(simd, between, y));
            for (x, value) in row.into_iter().enumerate() {
                factors[(y * REACH + x) * stride + vector] = value;
            }
        }
    }
}

/// The products of a tile, a part every `stride` values, become outputs. Where a pool follows, its maxima are written.
#[inline(always)]
pub(super) fn leave<S: Simd, F: Filtering<TILE, REACH>, const TILE: usize, const REACH: usize>(
    simd: S,
    (products, stride): (&[f32], usize),
    between: &mut Between<S::f32s, REACH>,
    [image, row, column]: [usize; 3],
    output: &mut Target,
    (bias, finish, pools): (&[f32], Finish, bool),
) {
    let (bias, _) = S::as_simd_f32s(bias);
    let (products, _) = S::as_simd_f32s(products);
    let limits = finish.limits(simd);
    let stride = stride / S::F32_LANES;
    let (row, column, side) = if pools { (row / 2, column / 2, TILE / 2) } else { (row, column, TILE) };
    let layout = output.layout;
    let rows = side.min(layout.height.saturating_sub(row));
    let columns = side.min(layout.width.saturating_sub(column));
    let pixel = layout.pixel / S::F32_LANES;
    let lines: [usize; TILE] = std::array::from_fn(|y| {
        (output.row(image, (row + y).min(layout.height - 1)) + column * layout.pixel) / S::F32_LANES
    });
    let (values, _) = S::as_mut_simd_f32s(output.values);
    for (vector, &bias) in bias.iter().enumerate() {
        for (x, column) in between.iter_mut().enumerate() {
            let mut parts = [simd.splat_f32s(0.0); REACH];
            for (y, part) in parts.iter_mut().enumerate() {
                *part = products[(y * REACH + x) * stride + vector];
            }
            column[..TILE].copy_from_slice(&F::products(simd, parts));
        }
        let mut tile = [[bias; TILE]; TILE];
        for (y, row) in tile.iter_mut().enumerate() {
            *row = F::products(simd, across(simd, between, y));
        }
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

/// The values at `index` of all arrays.
#[inline(always)]
fn across<S: Simd, const REACH: usize>(
    simd: S,
    arrays: &Between<S::f32s, REACH>,
    index: usize,
) -> [S::f32s; REACH] {
    let mut values = [simd.splat_f32s(0.0); REACH];
    for (value, array) in values.iter_mut().zip(arrays) {
        *value = array[index];
    }
    values
}
