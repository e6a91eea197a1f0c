//! Prepared rows of a store in memory.

use convbase_core::FeatureShape;
use faer::Mat;

use super::scaling::{Columns, RowScaling};
use crate::{MapPooling, MinibatchError, NotEnoughMemory, Preparation, Rows};

/// The rows of a store, or of several, pooled in one way: of each photograph view 0.
#[derive(Debug)]
pub struct Gathered {
    pooling: MapPooling,
    /// Numbers of a row.
    width: usize,
    /// [rows, width]
    numbers: Vec<f32>,
    labels: Vec<usize>,
}

impl Gathered {
    /// Pools all rows, whose features have a shape, in each of these ways, in one pass through the store. Fails where a
    /// file is damaged or a number is not finite.
    pub fn all(
        rows: &Rows,
        shape: &FeatureShape,
        poolings: &[MapPooling],
    ) -> Result<Vec<Self>, MinibatchError> {
        let preparations: Vec<Preparation> =
            poolings.iter().map(|&pooling| Preparation::new(shape, pooling, false)).collect();
        let mut gathered: Vec<Self> = preparations
            .iter()
            .map(|preparation| {
                let (width, labels) = (preparation.width(), rows.labels().to_vec());
                let numbers = Vec::with_capacity(width * rows.len());
                Self { pooling: preparation.pooling, width, numbers, labels }
            })
            .collect();
        for position in 0..rows.len() {
            let features = rows.finite_floats(position)?;
            for (gathered, preparation) in gathered.iter_mut().zip(&preparations) {
                gathered.numbers.extend_from_slice(&preparation.prepare(&features));
            }
        }
        Ok(gathered)
    }

    /// Adds the rows of another store, whose labels are of the same class list.
    ///
    /// # Panics
    /// When they were pooled in another way or have another width.
    pub fn append(&mut self, other: Self) {
        assert_eq!((self.pooling, self.width), (other.pooling, other.width), "rows that can be compared");
        self.numbers.extend_from_slice(&other.numbers);
        self.labels.extend_from_slice(&other.labels);
    }

    /// Some of the rows, with labels of their own.
    ///
    /// # Panics
    /// When there is no such row, or not one label for each.
    #[must_use]
    pub fn select(&self, positions: &[usize], labels: Vec<usize>) -> Self {
        assert_eq!(positions.len(), labels.len(), "a label for each row");
        let row = |&position: &usize| &self.numbers[position * self.width..(position + 1) * self.width];
        let mut numbers = Vec::with_capacity(positions.len() * self.width);
        positions.iter().for_each(|position| numbers.extend_from_slice(row(position)));
        Self { pooling: self.pooling, width: self.width, numbers, labels }
    }

    /// How they were pooled.
    pub fn pooling(&self) -> MapPooling {
        self.pooling
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Numbers of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All rows [rows, width], one after the other, before any scaling.
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// Each row's class.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// One row `[width]`, with length 1 where the scaling says so.
    pub(super) fn row(&self, position: usize, scaling: RowScaling) -> Vec<f32> {
        let row = &self.numbers[position * self.width..(position + 1) * self.width];
        if scaling != RowScaling::UnitLength {
            return row.to_vec();
        }
        // The very arithmetic that the checkpoint's head uses.
        let by_itself =
            Preparation { pooling: MapPooling::None, unit_length: true, positions: 1, channels: self.width };
        by_itself.prepare(row).into_owned()
    }

    /// Scaled rows as a matrix [positions, width], and the columns' scaling where they were standardised.
    pub(super) fn matrix(&self, positions: &[usize], scaling: RowScaling) -> (Mat<f64>, Option<Columns>) {
        let mut matrix = Mat::zeros(positions.len(), self.width);
        for (row, &position) in positions.iter().enumerate() {
            for (column, number) in self.row(position, scaling).into_iter().enumerate() {
                matrix[(row, column)] = f64::from(number);
            }
        }
        if scaling != RowScaling::Standard {
            return (matrix, None);
        }
        let columns = Columns::of(&matrix);
        columns.standardise(&mut matrix);
        (matrix, Some(columns))
    }
}

/// Refuses a probe that would not fit into memory: pooled rows in float32, and for each thread the rows in float64 (as they are,
/// with their intercepts, and scaled) with four square matrices of the smaller side.
pub fn check_memory(
    rows: usize,
    shape: &FeatureShape,
    poolings: &[MapPooling],
    threads: usize,
) -> Result<(), NotEnoughMemory> {
    let widths = poolings.iter().map(|&pooling| Preparation::new(shape, pooling, false).width() as u128);
    let (rows, threads) = (rows as u128, threads as u128);
    let widest = widths.clone().max().unwrap_or(0);
    let side = widest.min(rows);
    let need = 4 * rows * widths.sum::<u128>() + threads * 8 * (3 * rows * widest + 4 * side * side);
    crate::check_memory(need)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_does_not_fit_into_memory_is_refused_with_its_need() {
        let shape = FeatureShape::new(vec![5, 5, 512]).unwrap();
        let text = check_memory(1 << 40, &shape, &[MapPooling::None], 2).unwrap_err().to_string();
        let start = "memory: expected a need of at most ";
        assert!(text.starts_with(start) && text.ends_with(" bytes)"), "{text}");
        check_memory(10, &shape, &[MapPooling::None], 2).unwrap();
    }
}
