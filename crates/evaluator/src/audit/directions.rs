//! Rows of features as directions from their common centre.

use std::ops::Range;

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Accum, Mat, MatRef, Par, Side};
use rayon::prelude::*;

/// Rows that are whitened at a time.
const CHUNK: usize = 512;
/// What is added to the variance of every direction, where that of every column is 1: so much that a direction in which
/// few photographs happen to differ does not outweigh all others.
const SHRINKAGE: f64 = 10.0;

/// Rows of length 1 [rows, width]: their mean was taken off first.
#[derive(Debug)]
pub(super) struct Directions {
    width: usize,
    numbers: Vec<f32>,
}

impl Directions {
    /// Of finite rows [rows, width], seen from their mean.
    ///
    /// Averages of what a ReLU lets through are never negative, so that all photographs look alike; seen from their mean
    /// only those do that show alike things. A row that is the mean has no direction and stays zero.
    pub(super) fn centred(rows: &[f32], width: usize) -> Self {
        let width = width.max(1);
        let Columns { mean, scale, .. } = Columns::of(rows, width, f64::from);
        let mut numbers = Vec::with_capacity(rows.len());
        for row in rows.chunks_exact(width) {
            let centred: Vec<f64> =
                row.iter().zip(&mean).map(|(&number, mean)| f64::from(number) - mean).collect();
            push_direction(&centred, scale, &mut numbers);
        }
        Self { width, numbers }
    }

    /// Of finite rows [rows, width], seen from their mean through a lens that makes what many photographs have in common
    /// small: square roots with their signs (Perronnin, Sánchez, Mensink 2010), columns of deviation 1, and whitening with
    /// the covariance, to which [`SHRINKAGE`] times the unit matrix is added (Jégou, Chum 2012, "the benefit of PCA and
    /// whitening"). What is left are the marks by which a copy is known.
    ///
    /// The Cholesky factor serves as well as principal components: cosines are the same.
    pub(super) fn whitened(rows: &[f32], width: usize) -> Self {
        let width = width.max(1);
        let root = |number: f32| f64::from(number).abs().sqrt().copysign(f64::from(number));
        let Columns { mean, deviation, scale } = Columns::of(rows, width, root);
        let count = rows.len() / width;
        let standard = |positions: &Range<usize>| {
            Mat::from_fn(width, positions.len(), |column, row| {
                let number = root(rows[(positions.start + row) * width + column]);
                (number - mean[column]) / deviation[column]
            }) // [width, rows]
        };
        let chunks: Vec<Range<usize>> =
            (0..count).step_by(CHUNK).map(|start| start..(start + CHUNK).min(count)).collect();
        let mut covariance = Mat::<f64>::zeros(width, width);
        for chunk in &chunks {
            let rows = standard(chunk);
            let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
            let into = covariance.as_mut();
            let share = 1.0 / count as f64;
            triangular::matmul(
                into,
                lower,
                Accum::Add,
                rows.as_ref(),
                whole,
                rows.transpose(),
                whole,
                share,
                Par::Seq,
            );
        }
        (0..width).for_each(|column| covariance[(column, column)] += SHRINKAGE);
        let factor = covariance.llt(Side::Lower);
        let whitened = chunks.par_iter().map(|chunk| {
            let mut rows = standard(chunk);
            // A covariance with a shrunken diagonal has a factor; without one rows stay as they are.
            if let Ok(factor) = &factor {
                solve_lower_triangular_in_place(factor.L(), rows.as_mut(), Par::Seq);
            }
            let mut numbers = Vec::with_capacity(chunk.len() * width);
            for row in rows.col_iter() {
                let row: Vec<f64> = row.iter().copied().collect();
                push_direction(&row, if scale > 0.0 { 1.0 } else { 0.0 }, &mut numbers);
            }
            numbers
        });
        let numbers = whitened.collect::<Vec<Vec<f32>>>().concat();
        Self { width, numbers }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len() / self.width
    }

    /// Some rows next to one another [rows, width].
    pub(super) fn rows(&self, positions: Range<usize>) -> MatRef<'_, f32> {
        let numbers = &self.numbers[positions.start * self.width..positions.end * self.width];
        MatRef::from_row_major_slice(numbers, positions.len(), self.width)
    }

    /// The cosine of two rows, summed in float64.
    pub(super) fn cosine(&self, a: usize, b: usize) -> f64 {
        let row = |position: usize| &self.numbers[position * self.width..(position + 1) * self.width];
        row(a).iter().zip(row(b)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }
}

/// Adds a row with length 1, or zeros where it is no longer than what rounding leaves of numbers of this scale.
fn push_direction(row: &[f64], scale: f64, into: &mut Vec<f32>) {
    let length = row.iter().map(|number| number * number).sum::<f64>().sqrt();
    let is_direction = length > 1e-6 * scale && length > 0.0;
    into.extend(row.iter().map(|number| if is_direction { (number / length) as f32 } else { 0.0 }));
}

/// What the columns of rows [rows, width] have in common, after a function of each number.
struct Columns {
    mean: Vec<f64>,
    /// Of a column that is the same everywhere 1.
    deviation: Vec<f64>,
    /// The length of the mean.
    scale: f64,
}

impl Columns {
    fn of(rows: &[f32], width: usize, function: impl Fn(f32) -> f64) -> Self {
        let count = (rows.len() / width).max(1) as f64;
        let mut mean = vec![0.0_f64; width];
        for row in rows.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(mean, &number)| *mean += function(number) / count);
        }
        let mut variance = vec![0.0_f64; width];
        for row in rows.chunks_exact(width) {
            for ((variance, mean), &number) in variance.iter_mut().zip(&mean).zip(row) {
                *variance += (function(number) - mean).powi(2) / count;
            }
        }
        // What rounding alone makes of equal numbers is no deviation.
        let deviation = variance.iter().zip(&mean).map(|(variance, mean)| {
            if *variance <= 10.0 * f64::EPSILON * count * mean * mean { 1.0 } else { variance.sqrt() }
        });
        let (deviation, scale) =
            (deviation.collect(), mean.iter().map(|number| number * number).sum::<f64>().sqrt());
        Self { mean, deviation, scale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_point_away_from_their_mean_with_length_one() {
        let directions = Directions::centred(&[1.0, 2.0, 3.0, 2.0, 2.0, 5.0, 2.0, 3.0], 2);
        assert_eq!(directions.len(), 4);
        // The mean is (2, 3): the last row is the mean itself.
        let half = 0.5_f64.sqrt();
        assert!((directions.cosine(0, 2) + half).abs() < 1e-6 && directions.cosine(0, 1).abs() < 1e-6);
        assert!((directions.cosine(2, 2) - 1.0).abs() < 1e-6);
        assert_eq!(directions.cosine(3, 0), 0.0);
        assert_eq!(directions.rows(1..3).nrows(), 2);
    }

    #[test]
    fn equal_rows_have_no_direction_whatever_rounding_leaves() {
        for directions in [Directions::centred(&[0.1; 21], 3), Directions::whitened(&[0.1; 21], 3)] {
            assert_eq!(directions.cosine(0, 6), 0.0);
        }
    }

    #[test]
    fn whitening_makes_what_all_have_in_common_small() {
        // Two columns that go together in all rows, and one that is of its own.
        let numbers: Vec<f32> = (0..900_u16)
            .flat_map(|row| {
                let wave = |step: f32| (f32::from(row) * step).sin() + 1.5;
                [wave(0.37), wave(0.37) * 1.1, wave(0.83)]
            })
            .collect();
        let (centred, whitened) = (Directions::centred(&numbers, 3), Directions::whitened(&numbers, 3));
        assert_eq!(whitened.len(), 900);
        for row in 0..900 {
            assert!((whitened.cosine(row, row) - 1.0).abs() < 1e-5, "{row}");
        }
        let mean = |directions: &Directions| {
            (1..900).map(|row| directions.cosine(row, row - 1).abs()).sum::<f64>() / 899.0
        };
        assert!(mean(&whitened) < mean(&centred), "{} {}", mean(&whitened), mean(&centred));
    }
}
