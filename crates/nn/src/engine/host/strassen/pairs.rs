//! The pairs of pixels that are multiplied together, chunk by chunk, and the sums of their inputs.

use std::ops::Range;

use aligned_vec::AVec;

use super::super::chunks::{CHUNK, MULTIPLE, Places, nearby};
use super::super::layout::{Extent, FILL, at_least};

/// Sums of a pair's inputs.
pub(super) const SUMS: usize = 4;

/// Values between the sums of pairs, so that they do not all fall into the same sets of the cache.
const GAP: usize = 16;

/// Values from the sums of one pair to those of the next, for `half` of the inputs.
pub(super) fn apart(half: usize) -> usize {
    SUMS * half + GAP
}

/// All pairs of an extent: a pixel and its right neighbour, which mostly resembles it. That keeps what rounding loses in
/// their differences small: with pixels from two halves of a row it was half as much again.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    /// Rows of a group.
    rows: usize,
    width: usize,
    extent: Extent,
}

impl Pairs {
    /// Of groups of so many rows of `width` pixels: of one row each, or of all.
    pub(super) fn new(rows: usize, width: usize, extent: &Extent) -> Self {
        Self { rows, width, extent: extent.clone() }
    }

    /// Pairs of a group.
    fn group(&self) -> usize {
        (self.rows * self.width).div_ceil(2)
    }

    /// Groups of an image.
    fn groups(&self) -> usize {
        self.extent.rows.len().div_ceil(self.rows)
    }

    /// Ranges of pairs whose inputs and sums, of `half` of the inputs each, stay in the second cache; none is much smaller
    /// than another, and all but the last hold whole tiles.
    pub(super) fn chunks(&self, half: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let all = self.extent.images * self.groups() * self.group();
        let most = (CHUNK / (size_of::<f32>() * (4 + SUMS) * half)).max(MULTIPLE);
        let chunks = all.div_ceil(most + MULTIPLE / 2).max(1);
        let bound = move |chunk: usize| {
            if chunk == chunks { all } else { chunk * all / chunks / MULTIPLE * MULTIPLE }
        };
        (0..chunks).map(move |chunk| bound(chunk)..bound(chunk + 1)).filter(|chunk| !chunk.is_empty())
    }

    /// Image, row and column of both pixels of pairs. A pixel that is left over makes a pair with itself.
    pub(super) fn of(&self, pairs: Range<usize>) -> impl Iterator<Item = [[usize; 3]; 2]> {
        let (group, groups) = (self.group(), self.groups());
        pairs.map(move |pair| {
            let (image, row) =
                (pair / group / groups, self.extent.rows.start + pair / group % groups * self.rows);
            let first = pair % group * 2;
            let second = if first + 1 < self.rows * self.width { first + 1 } else { first };
            [first, second].map(|pixel| [image, row + pixel / self.width, pixel % self.width])
        })
    }
}

/// S₁, S₂, S₃ and S₄ of all pairs, whose pixels begin at what `first` and `second` read, into `sums`.
#[inline(always)]
pub(super) fn sums(values: &[f32], [first, second]: &[Places; 2], half: usize, sums: &mut AVec<f32>) {
    at_least(sums, first.outputs().len() * apart(half));
    for ((&a, &b), sums) in
        first.inputs(0).iter().zip(second.inputs(0)).zip(sums.chunks_exact_mut(apart(half)))
    {
        let (a, b) = (&values[a..a + 2 * half], &values[b..b + 2 * half]);
        let vectors = half / FILL * FILL;
        for start in (0..vectors).step_by(FILL) {
            sums_of::<FILL>(a, b, half, start, sums);
        }
        for start in vectors..half {
            sums_of::<1>(a, b, half, start, sums);
        }
    }
}

/// The sums of `N` inputs of each half from `start` on.
#[inline(always)]
fn sums_of<const N: usize>(a: &[f32], b: &[f32], half: usize, start: usize, sums: &mut [f32]) {
    let inputs = |pixel: &[f32], part: usize| -> [f32; N] { *nearby(pixel, part * half + start) };
    let (a1, a2, b1, b2) = (inputs(a, 0), inputs(a, 1), inputs(b, 0), inputs(b, 1));
    let mut found = [[0.0; N]; SUMS];
    for lane in 0..N {
        found[0][lane] = b1[lane] + b2[lane];
        found[1][lane] = found[0][lane] - a1[lane];
        found[2][lane] = a1[lane] - b1[lane];
        found[3][lane] = a2[lane] - found[1][lane];
    }
    for (part, found) in found.iter().enumerate() {
        sums[part * half + start..][..N].copy_from_slice(found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_is_in_a_pair_and_only_one_that_is_left_over_in_a_pair_with_itself() {
        for (rows, width, height, images) in
            [(1, 14, 14, 3), (1, 29, 3, 2), (7, 7, 7, 8), (5, 1, 5, 1), (1, 2, 1, 1)]
        {
            let pairs = Pairs::new(rows, width, &Extent { images, rows: 0..height });
            let mut seen = vec![0; images * height * width];
            let mut alone = 0;
            for chunk in pairs.chunks(256) {
                for pair in pairs.of(chunk) {
                    alone += usize::from(pair[0] == pair[1]);
                    assert_eq!((pair[0][0], pair[0][1] / rows), (pair[1][0], pair[1][1] / rows), "{pair:?}");
                    for [image, row, column] in pair {
                        seen[(image * height + row) * width + column] += 1;
                    }
                }
            }
            let odd = rows * width % 2;
            assert_eq!(alone, images * height / rows * odd);
            assert_eq!(seen.iter().sum::<usize>(), seen.len() + alone);
            assert!(seen.iter().all(|&times| times > 0), "{seen:?}");
        }
    }

    #[test]
    fn a_pairs_pixels_are_the_same_whatever_the_rows_and_images_beside_them() {
        let all = Pairs::new(1, 15, &Extent { images: 2, rows: 0..9 });
        let some = Pairs::new(1, 15, &Extent { images: 1, rows: 4..6 });
        let expected: Vec<_> =
            all.of(0..144).filter(|pair| pair[0][0] == 0 && (4..6).contains(&pair[0][1])).collect();
        assert_eq!(some.of(0..16).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn chunks_hold_all_pairs_and_whole_tiles_and_none_is_tiny() {
        for images in [1, 2, 7, 8] {
            for (rows, width, height) in [(1, 14, 14), (7, 7, 7), (1, 28, 28), (1, 2, 1), (3, 3, 3)] {
                for half in [56, 128, 256, 364, 1024] {
                    let pairs = Pairs::new(rows, width, &Extent { images, rows: 0..height });
                    let all = images * height / rows * (rows * width).div_ceil(2);
                    let chunks: Vec<Range<usize>> = pairs.chunks(half).collect();
                    assert_eq!((chunks[0].start, chunks[chunks.len() - 1].end), (0, all));
                    assert!(chunks.windows(2).all(|pair| pair[0].end == pair[1].start), "{chunks:?}");
                    let (_, whole) = chunks.split_last().unwrap();
                    assert!(whole.iter().all(|chunk| chunk.len().is_multiple_of(MULTIPLE)), "{chunks:?}");
                    let least = chunks.iter().map(Range::len).min().unwrap();
                    assert!(least >= MULTIPLE.min(all), "{chunks:?}");
                }
            }
        }
    }
}
