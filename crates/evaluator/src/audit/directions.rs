//! Rows of features as directions from their common centre.

use faer::MatRef;

/// Rows of length 1 [rows, width]: their mean was taken off first.
///
/// Averages of what a ReLU lets through are never negative, so that all photographs look alike (cosines of 0.6 and more
/// between any two); seen from their mean only copies do.
#[derive(Debug)]
pub(super) struct Directions {
    width: usize,
    numbers: Vec<f32>,
}

impl Directions {
    /// Of finite rows [rows, width]. A row that is the mean has no direction and stays zero.
    pub(super) fn new(rows: &[f32], width: usize) -> Self {
        let width = width.max(1);
        let count = (rows.len() / width).max(1) as f64;
        let mut mean = vec![0.0_f64; width];
        for row in rows.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(mean, &number)| *mean += f64::from(number) / count);
        }
        let mut numbers = Vec::with_capacity(rows.len());
        for row in rows.chunks_exact(width) {
            let centred = || row.iter().zip(&mean).map(|(&number, mean)| f64::from(number) - mean);
            let length = centred().map(|number| number * number).sum::<f64>().sqrt();
            // What rounding leaves of equal rows is no direction.
            let scale = mean.iter().map(|number| number * number).sum::<f64>().sqrt();
            let is_direction = length > 1e-6 * scale && length > 0.0;
            numbers.extend(centred().map(|number| if is_direction { (number / length) as f32 } else { 0.0 }));
        }
        Self { width, numbers }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len() / self.width
    }

    /// Some rows next to one another [rows, width].
    pub(super) fn rows(&self, positions: std::ops::Range<usize>) -> MatRef<'_, f32> {
        let numbers = &self.numbers[positions.start * self.width..positions.end * self.width];
        MatRef::from_row_major_slice(numbers, positions.len(), self.width)
    }

    /// The cosine of two rows, summed in float64.
    pub(super) fn cosine(&self, a: usize, b: usize) -> f64 {
        let row = |position: usize| &self.numbers[position * self.width..(position + 1) * self.width];
        row(a).iter().zip(row(b)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_point_away_from_their_mean_with_length_one() {
        let directions = Directions::new(&[1.0, 2.0, 3.0, 2.0, 2.0, 5.0, 2.0, 3.0], 2);
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
        let directions = Directions::new(&[0.1; 21], 3);
        assert_eq!(directions.cosine(0, 6), 0.0);
    }
}
