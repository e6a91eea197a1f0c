//! The inverse cosine transform of a block's lowest frequencies: fewer pixels than its 8 × 8.
#![cfg_attr(
    not(test),
    expect(
        clippy::indexing_slicing,
        reason = "places in arrays of fixed sides, which the loops do not leave"
    )
)]

use std::f64::consts::PI;

/// The numbers of a block, a row of 8 for each vertical frequency.
pub(super) type Block<T> = [T; 64];

/// The place in a [`Block`] of each number in zigzag order (T.81, figure A.6).
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The level that is taken off (T.81, A.3.1), and a half for rounding.
const LEVEL: f32 = 128.5;

/// Cosines for blocks of 1, 2, 4 and 8 pixels a side.
#[derive(Debug)]
pub(super) struct Cosines {
    one: [[f32; 1]; 1],
    two: [[f32; 2]; 2],
    four: [[f32; 4]; 4],
    eight: [[f32; 8]; 8],
}

impl Cosines {
    pub(super) fn new() -> Self {
        Self { one: cosines(), two: cosines(), four: cosines(), eight: cosines() }
    }

    /// The pixels of a block, whose numbers are to be multiplied with `factors`: `across` and `down` of them, row by row
    /// into `rows` of which each begins with the block; false for sides that are not known.
    pub(super) fn pixels<'a>(
        &self,
        block: &Block<i32>,
        factors: &Block<f32>,
        [across, down]: [usize; 2],
        rows: impl Iterator<Item = &'a mut [u8]>,
    ) -> bool {
        let Self { one, two, four, eight } = self;
        match (across, down) {
            (1, 1) => inverse(block, factors, one, one, rows),
            (2, 2) => inverse(block, factors, two, two, rows),
            (4, 4) => inverse(block, factors, four, four, rows),
            (8, 8) => inverse(block, factors, eight, eight, rows),
            (2, 1) => inverse(block, factors, two, one, rows),
            (4, 2) => inverse(block, factors, four, two, rows),
            (8, 4) => inverse(block, factors, eight, four, rows),
            (1, 2) => inverse(block, factors, one, two, rows),
            (2, 4) => inverse(block, factors, two, four, rows),
            (4, 8) => inverse(block, factors, four, eight, rows),
            _ => return false,
        }
        true
    }
}

/// What a number of this vertical and horizontal frequency is multiplied with before the cosines: so that a block of N
/// pixels a side has the values of one of 8 at the middle of its pixels, whatever N.
pub(super) fn scale(vertical: usize, horizontal: usize) -> f32 {
    // Of the orthonormal transform √(1/N) and √(2/N), times √(N/8) for the fewer pixels.
    let factor = |frequency: usize| if frequency == 0 { 0.125_f64.sqrt() } else { 0.5 };
    (factor(vertical) * factor(horizontal)) as f32
}

/// The pixels of a block that has only a mean.
pub(super) fn level(mean: i32, factors: &Block<f32>) -> u8 {
    (LEVEL + mean as f32 * factors[0]) as u8
}

/// [frequency, pixel]: cos((2 · pixel + 1) · frequency · π / 2N).
fn cosines<const N: usize>() -> [[f32; N]; N] {
    std::array::from_fn(|frequency| {
        std::array::from_fn(|pixel| {
            let twice = 2.0 * pixel as f64 + 1.0;
            (twice * frequency as f64 * PI / (2.0 * N as f64)).cos() as f32
        })
    })
}

fn inverse<'a, const W: usize, const H: usize>(
    block: &Block<i32>,
    factors: &Block<f32>,
    horizontal: &[[f32; W]; W],
    vertical: &[[f32; H]; H],
    rows: impl Iterator<Item = &'a mut [u8]>,
) {
    let ((numbers, _), (factors, _)) = (block.as_chunks::<8>(), factors.as_chunks::<8>());
    let half: [[f32; W]; H] = std::array::from_fn(|frequency| {
        let mut sums = [0.0; W];
        for ((number, factor), cosines) in numbers[frequency].iter().zip(&factors[frequency]).zip(horizontal)
        {
            let number = *number as f32 * factor;
            for (sum, cosine) in sums.iter_mut().zip(cosines) {
                *sum += number * cosine;
            }
        }
        sums
    });
    for (y, row) in rows.take(H).enumerate() {
        let mut sums = [LEVEL; W];
        for (half, cosines) in half.iter().zip(vertical) {
            for (sum, half) in sums.iter_mut().zip(half) {
                *sum += half * cosines[y];
            }
        }
        for (pixel, sum) in row.iter_mut().zip(sums) {
            *pixel = sum as u8; // Within 0 and 255.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_pixels_are_the_means_of_a_slope_and_of_a_plain_area() {
        // A block of one level, and one that rises by the same from column to column.
        let cosines = Cosines::new();
        for side in [1, 2, 4, 8] {
            let (mut block, mut factors) = ([0; 64], [0.0; 64]);
            (block[0], factors[0]) = (40 * 8, scale(0, 0));
            let mut pixels = [[0_u8; 8]; 8];
            assert!(cosines.pixels(
                &block,
                &factors,
                [side, side],
                pixels.iter_mut().map(|row| &mut row[..])
            ));
            assert!(pixels[..side].iter().all(|row| row[..side].iter().all(|&pixel| pixel == 168)), "{side}");
        }
        let slope: [f64; 8] = std::array::from_fn(|x| 10.0 * (x as f64 - 3.5));
        let mut factors = [0.0; 64];
        for (frequency, factor) in factors.iter_mut().take(8).enumerate() {
            let cosine = |x: usize| ((2.0 * x as f64 + 1.0) * frequency as f64 * PI / 16.0).cos();
            let norm = if frequency == 0 { 0.125_f64.sqrt() } else { 0.5 };
            let sum: f64 = slope.iter().enumerate().map(|(x, value)| value * cosine(x)).sum();
            // Eight equal rows: √8 in the vertical mean.
            *factor = (norm * sum * 8_f64.sqrt()) as f32 * scale(0, frequency);
        }
        for side in [2, 4, 8] {
            let mut pixels = [[0_u8; 8]; 8];
            cosines.pixels(&[1; 64], &factors, [side, side], pixels.iter_mut().map(|row| &mut row[..]));
            for (x, &pixel) in pixels[0][..side].iter().enumerate() {
                let covered = 8 / side;
                let mean = slope[x * covered..][..covered].iter().sum::<f64>() / covered as f64;
                assert!((f64::from(pixel) - 128.0 - mean).abs() <= 3.0, "{side}: {pixel} for {mean}");
            }
        }
    }
}
