//! The tiles that maps are cut into, and the values that a transform takes from memory.

use super::transform::{REACH, TILE};

/// The tiles of maps, counted image by image and row by row.
#[derive(Debug)]
pub(super) struct Tiles {
    across: usize,
    of_image: usize,
    pub(super) count: usize,
}

impl Tiles {
    pub(super) fn new([height, width]: [usize; 2], images: usize) -> Self {
        let across = width.div_ceil(TILE);
        let of_image = across * height.div_ceil(TILE);
        Self { across, of_image, count: of_image * images }
    }

    /// Image, row and column of a tile's first output.
    pub(super) fn place(&self, tile: usize) -> [usize; 3] {
        let in_image = tile % self.of_image;
        [tile / self.of_image, in_image / self.across * TILE, in_image % self.across * TILE]
    }
}

/// Six values from `start` on, `step` apart.
#[inline(always)]
pub(super) fn six<V: Copy>(values: &[V], start: usize, step: usize) -> [V; REACH] {
    let values = &values[start..start + 5 * step + 1];
    [values[0], values[step], values[2 * step], values[3 * step], values[4 * step], values[5 * step]]
}

/// The values at `index` of six arrays.
#[inline(always)]
pub(super) fn across<V: Copy, const N: usize>(arrays: &[[V; N]; REACH], index: usize) -> [V; REACH] {
    let [a, b, c, d, e, f] = arrays;
    [a[index], b[index], c[index], d[index], e[index], f[index]]
}

/// The values at `index` of six rows.
#[inline(always)]
pub(super) fn down<V: Copy>(rows: &[&[V]; REACH], index: usize) -> [V; REACH] {
    let [a, b, c, d, e, f] = rows;
    [a[index], b[index], c[index], d[index], e[index], f[index]]
}
