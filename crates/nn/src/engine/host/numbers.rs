//! Rows of maps as whole numbers from 0 to 255.

use pulp::Simd;

use super::chunks::MULTIPLE;
use super::integers::Integers;
use super::layout::Source;
use super::window::Window;

/// The greatest number that a value becomes.
const GREATEST: f32 = 255.0;

/// The least difference of values that tells them apart: its inverse is finite.
const LEAST_RANGE: f32 = 1e-30;

/// The numbers that rows of pixels read.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// [rows, rows of the window, words of a row]; what lies behind `end` is of earlier rows.
    words: Vec<u32>,
    end: usize,
    /// Of each row: what one of its numbers is worth, and what zero stands for.
    ranges: Vec<[f32; 2]>,
    /// The row of each pixel.
    rows: Vec<usize>,
}

impl Numbers {
    /// Of all rows, the numbers in words.
    #[inline(always)]
    pub(super) fn words(&self) -> &[u32] {
        &self.words[..self.end]
    }

    /// Of each row, what one of its numbers is worth, and what zero stands for.
    #[inline(always)]
    pub(super) fn ranges(&self) -> &[[f32; 2]] {
        &self.ranges
    }

    /// The row of each pixel.
    #[inline(always)]
    pub(super) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.end = 0;
        self.ranges.clear();
        self.rows.clear();
    }

    /// The last pixel again, until every number of rows divides them; how many there were.
    pub(super) fn fill(&mut self) -> usize {
        let count = self.rows.len();
        self.rows.resize(count.next_multiple_of(MULTIPLE), self.ranges.len().saturating_sub(1));
        count
    }

    /// Adds the numbers of all that `width` pixels of a row of an image read, each from 0 for the least of these values to
    /// 255 for the greatest; gives the word at which they begin.
    #[inline(always)]
    pub(super) fn add<I: Integers>(
        &mut self,
        integers: I,
        input: &Source,
        window: &Window,
        width: usize,
        [image, row]: [usize; 2],
    ) -> usize {
        let (simd, lanes) = (integers.simd(), <I::Simd as Simd>::F32_LANES);
        let (values, _) = I::Simd::as_simd_f32s(input.values);
        let (columns, pixel) = (window.columns(width), input.layout.pixel);
        // Between the last vector of a pixel and the next pixel lies nothing that was written.
        let vectors = input.layout.channels.div_ceil(lanes);
        let (pieces, vectors) =
            if vectors * lanes == pixel { (1, columns * vectors) } else { (columns, vectors) };
        let place = |tap: usize| {
            let row = input.row(image, window.first_row(row) + tap as isize);
            window.column(&input.layout, row, 0) / lanes
        };
        let read = |tap: usize, piece: usize| &values[place(tap) + piece * pixel / lanes..][..vectors];
        let zero = simd.splat_f32s(0.0);
        let (mut least, mut most) = (zero, zero);
        for tap in 0..window.kernel[0] {
            for piece in 0..pieces {
                for value in read(tap, piece) {
                    least = simd.min_f32s(least, *value);
                    most = simd.max_f32s(most, *value);
                }
            }
        }
        let least = simd.reduce_min_f32s(least);
        // Not the zero below zero.
        let least = if least < 0.0 { least } else { 0.0 };
        let range = simd.reduce_max_f32s(most) - least;
        let [step, inverse] =
            if range < LEAST_RANGE { [0.0; 2] } else { [range / GREATEST, GREATEST / range] };
        self.rows.resize(self.rows.len() + width, self.ranges.len());
        self.ranges.push([step, least]);
        let (start, row_words) = (self.end, columns * pixel / I::GROUP);
        self.end += window.kernel[0] * row_words;
        if self.words.len() < self.end {
            self.words.resize(self.end, 0);
        }
        let (least, inverse) = (simd.splat_f32s(least), simd.splat_f32s(inverse));
        for tap in 0..window.kernel[0] {
            for piece in 0..pieces {
                let numbers = &mut self.words[start + tap * row_words + piece * pixel / I::GROUP..];
                for (value, to) in read(tap, piece).iter().zip(numbers.chunks_exact_mut(lanes / I::GROUP)) {
                    integers.round(simd.mul_f32s(simd.sub_f32s(*value, least), inverse), to);
                }
            }
        }
        start
    }
}
