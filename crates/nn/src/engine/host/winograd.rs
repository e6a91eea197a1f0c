//! A convolution by Winograd's transforms, tile by tile.

use aligned_vec::{AVec, avec};
use pulp::{Arch, Simd, WithSimd};

use super::activation::Finish;
use super::layout::{Source, Target, at_least};
use super::multiply::{ROWS, WEIGHTS, multiply, prefetch};
use super::packing::{Panel, panels, vector};
use super::tiles::{Between, Tiles, enter, leave};
use super::transform::{Filtering, Four, Six};
use super::window::Window;

/// Values between the parts of a tile, so that they do not all fall into the same sets of the cache.
const GAP: usize = 16;

/// The smallest side of maps that are cut into larger tiles. The weights of these are nearly twice as many: on small maps,
/// where channels are most, fetching them would take longer than multiplying. Their last layers would also be most
/// of the difference from other implementations: twice as much in a trial with thirteen such convolutions.
const SMALLEST: usize = 16;

/// Outputs of a tile along each axis, and its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tile {
    Four,
    Six,
}

impl Tile {
    /// Which multiplies less for maps of these sides, whatever the processor. Small maps are left to [`Tile::Four`]: its
    /// weights, which they hardly use, are half as many.
    fn of(sides: [usize; 2]) -> Self {
        let parts = |tile: Self| Tiles::new(tile.side(), sides, 1).count * tile.parts();
        if sides[0].min(sides[1]) >= SMALLEST && parts(Self::Six) < parts(Self::Four) {
            Self::Six
        } else {
            Self::Four
        }
    }

    fn side(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Six => 6,
        }
    }

    fn reach(self) -> usize {
        self.side() + 2
    }

    /// Products of a tile for each pair of channels.
    fn parts(self) -> usize {
        self.reach() * self.reach()
    }
}

/// A 3 × 3 convolution with stride 1, then an activation, and where a pool follows 2 × 2 maximum with stride 2.
#[derive(Debug)]
pub(super) struct Winograd {
    arch: Arch,
    tile: Tile,
    window: Window,
    sides: [usize; 2],
    inputs: usize,
    /// Outputs, filled up to whole vectors.
    filled: usize,
    panels: Vec<Panel>,
    /// [parts, panels, inputs, values of the panel]
    weights: AVec<f32>,
    /// [filled]
    bias: AVec<f32>,
    pools: bool,
    finish: Finish,
}

/// What lies between the transforms of a chunk of tiles.
#[derive(Debug)]
pub(super) struct Scratch {
    /// [tiles, parts + 1, inputs + GAP]
    factors: AVec<f32>,
    /// [tiles, parts + 1, filled + GAP]
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
        let tile = Tile::of(sides);
        let mut packed = avec![0.0; tile.parts() * inputs * filled];
        let (weights, _) = weight.as_chunks::<9>();
        for panel in &panels {
            let (first, width) = (panel.first * lanes, panel.vectors * lanes);
            for input in 0..inputs {
                let start = first * inputs + input * width;
                for place in 0..width.min(outputs - first) {
                    let weights = &weights[(first + place) * inputs + input];
                    let mut pack = |factors: &[f32]| {
                        for (part, factor) in factors.iter().enumerate() {
                            packed[part * inputs * filled + start + place] = *factor;
                        }
                    };
                    match tile {
                        Tile::Four => pack(Four::weights(weights).as_flattened()),
                        Tile::Six => pack(Six::weights(weights).as_flattened()),
                    }
                }
            }
        }
        let mut filled_bias = avec![0.0; filled];
        filled_bias[..outputs].copy_from_slice(bias);
        let window = Window::new(convolution.kernel, convolution.stride, convolution.padding);
        Self {
            arch,
            tile,
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

    /// Blocks of tiles that are transformed before they are multiplied. Where channels are few, all that lies between the
    /// transforms should stay near; where they are many, the weights are large, and fetching them must serve many tiles.
    fn blocks(&self, tiles: usize) -> usize {
        // Measured: 64 × 64 and 128 × 128 channels take a tenth longer with 16 blocks than with 2, 512 × 512 a quarter
        // longer with 2 than with 32.
        (self.inputs * self.filled / 8192).clamp(2, 48).min(tiles.div_ceil(ROWS))
    }

    /// Values that lie between the transforms where `images` are convolved.
    pub(super) fn scratch_values(&self, images: usize) -> usize {
        let tiles = self.blocks(images * self.tiles()) * ROWS;
        tiles * apart(self.tile.parts()) * (self.inputs + self.filled + 2 * GAP)
    }

    /// How many tiles a map has.
    pub(super) fn tiles(&self) -> usize {
        Tiles::new(self.tile.side(), self.sides, 1).count
    }

    /// Pixels beyond the left edge of a map that tiles read.
    pub(super) fn left(&self) -> usize {
        self.window.before[1]
    }

    /// Pixels beyond the right edge of a map of `width` that tiles read.
    pub(super) fn behind(&self, width: usize) -> usize {
        let tiled = self.sides[1].next_multiple_of(self.tile.side());
        (tiled + self.tile.reach() - self.tile.side()).saturating_sub(width + self.window.before[1])
    }

    /// Convolves the first `images` of `input` into those of `output`.
    pub(super) fn forward(&self, input: Source, output: &mut Target, images: usize, scratch: &mut Scratch) {
        let tiles = Tiles::new(self.tile.side(), self.sides, images);
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
        match self.winograd.tile {
            Tile::Four => self.filter::<S, Four, 4, 6>(simd),
            Tile::Six => self.filter::<S, Six, 6, 8>(simd),
        }
    }
}

impl Forward<'_, '_> {
    #[inline(always)]
    fn filter<S: Simd, F: Filtering<TILE, REACH>, const TILE: usize, const REACH: usize>(self, simd: S) {
        let Self { winograd, tiles, input, scratch, output } = self;
        let Winograd { window, inputs, filled, finish, pools, .. } = *winograd;
        let parts = REACH * REACH;
        let (factors, products) = (inputs + GAP, filled + GAP);
        let apart = apart(parts);
        let blocks = winograd.blocks(tiles.count);
        at_least(&mut scratch.factors, blocks * ROWS * apart * factors);
        at_least(&mut scratch.products, blocks * ROWS * apart * products);
        let mut between: Between<S::f32s, REACH> = [[simd.splat_f32s(0.0); REACH]; REACH];
        let mut start = 0;
        while start < tiles.count {
            let end = tiles.count.min(start + blocks * ROWS);
            for (tile, slot) in (start..end).zip(0..) {
                let to = &mut scratch.factors[slot * apart * factors..];
                let read = (&input, window, inputs);
                enter::<S, F, TILE, REACH>(simd, read, tiles.place(tile), &mut between, to, factors);
            }
            multiply_blocks(simd, winograd, scratch, (end - start).div_ceil(ROWS), factors, products);
            for (tile, slot) in (start..end).zip(0..) {
                let from = (&scratch.products[slot * apart * products..], products);
                let end = (&winograd.bias[..], finish, pools);
                leave::<S, F, TILE, REACH>(simd, from, &mut between, tiles.place(tile), output, end);
            }
            start = end;
        }
    }
}

/// Parts from one tile to the next: one more than there are, so that the tiles which are multiplied at once do not fall
/// into the same sets of the cache either.
const fn apart(parts: usize) -> usize {
    parts + 1
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
    for part in 0..winograd.tile.parts() {
        for panel in &winograd.panels {
            let panel = PanelOf { winograd, part, panel, blocks, factors, products };
            match panel.panel.vectors {
                1 => panel.multiply::<S, 1>(simd, scratch),
                2 => panel.multiply::<S, 2>(simd, scratch),
                3 => panel.multiply::<S, 3>(simd, scratch),
                _ => panel.multiply::<S, 4>(simd, scratch),
            }
        }
    }
}

/// A panel of one of the parts.
struct PanelOf<'a> {
    winograd: &'a Winograd,
    part: usize,
    panel: &'a Panel,
    blocks: usize,
    factors: usize,
    products: usize,
}

impl PanelOf<'_> {
    /// Whether the weights that come next are fetched meanwhile. Measured: with vectors of 8 values 512 × 512 channels take
    /// a fourteenth less; with vectors of 16 a fiftieth more, as with weights so few that they are near anyway.
    fn fetches_ahead<S: Simd>(&self) -> bool {
        S::F32_LANES <= 8 && self.blocks >= 8
    }

    #[inline(always)]
    fn multiply<S: Simd, const N: usize>(&self, simd: S, scratch: &mut Scratch) {
        let Winograd { inputs, filled, weights, .. } = self.winograd;
        let (all, _) = S::as_simd_f32s(weights);
        let mut next = self.part * inputs * filled / S::F32_LANES + self.panel.first * inputs;
        let (weights, _) = all[next..next + N * inputs].as_chunks::<N>();
        let (sums, _) = S::as_mut_simd_f32s(&mut scratch.products);
        let apart = apart(self.winograd.tile.parts());
        let depth = WEIGHTS / size_of::<[S::f32s; N]>();
        for (start, weights) in (0..).step_by(depth).zip(weights.chunks(depth)) {
            next += N * weights.len();
            let end = if self.fetches_ahead::<S>() { next + N * depth } else { next };
            let ahead = &all[next..end.min(all.len())];
            let mut shares = ahead.chunks(ahead.len().div_ceil(self.blocks).max(1));
            for block in 0..self.blocks {
                prefetch(shares.next().unwrap_or_default());
                let tile = block * ROWS * apart + self.part;
                multiply::<S, N>(
                    simd,
                    &scratch.factors[tile * self.factors + start..],
                    apart * self.factors,
                    weights,
                    &mut sums[tile * self.products / S::F32_LANES + self.panel.first..],
                    apart * self.products / S::F32_LANES,
                    start > 0,
                );
            }
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self { factors: avec![], products: avec![] }
    }
}
