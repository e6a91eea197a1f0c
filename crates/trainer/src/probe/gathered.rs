//! Prepared rows of a store in memory.

use anyhow::Context;
use convbase_core::FeatureShape;
use convbase_core::exit::WithHint;
use convbase_nn::{MapPooling, Preparation, Rows};
use faer::Mat;

use super::scaling::{Columns, RowScaling};

/// The rows of a store, pooled in one way.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) pooling: MapPooling,
    /// Numbers of a row.
    width: usize,
    /// [rows, width]
    numbers: Vec<f32>,
    labels: Vec<usize>,
}

impl Gathered {
    /// Pools all rows in each of these ways, in one pass through the store.
    pub(super) fn all(
        rows: &Rows,
        shape: &FeatureShape,
        poolings: &[MapPooling],
        store: &str,
    ) -> anyhow::Result<Vec<Self>> {
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
            let features = rows.floats(position)?;
            if let Some(number) = features.iter().find(|number| !number.is_finite()) {
                Err(anyhow::anyhow!("`{store}`: row {position}: expected finite features, found {number}"))
                    .hint(|| "`extractor verify` finds all of them")?;
            }
            for (gathered, preparation) in gathered.iter_mut().zip(&preparations) {
                gathered.numbers.extend_from_slice(&preparation.prepare(&features));
            }
        }
        Ok(gathered)
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn labels(&self) -> &[usize] {
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

/// Refuses what would not fit into memory: pooled rows in float32, and for each thread the rows in float64 (as they are,
/// with their intercepts, and scaled) with four square matrices of the smaller side.
pub(super) fn check_memory(
    rows: usize,
    shape: &FeatureShape,
    poolings: &[MapPooling],
    threads: usize,
    store: &str,
) -> anyhow::Result<()> {
    let widths = poolings.iter().map(|&pooling| Preparation::new(shape, pooling, false).width() as u128);
    let (rows, threads) = (rows as u128, threads as u128);
    let widest = widths.clone().max().unwrap_or(0);
    let side = widest.min(rows);
    let need = 4 * rows * widths.sum::<u128>() + threads * 8 * (3 * rows * widest + 4 * side * side);
    convbase_nn::check_memory(need)
        .with_context(|| format!("cannot fit a probe to `{store}`"))
        .hint(|| "`--pooling avg` makes rows short; fewer `--threads` need less")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_does_not_fit_into_memory_is_refused_with_its_need() {
        let shape = FeatureShape::new(vec![5, 5, 512]).unwrap();
        let error = check_memory(1 << 40, &shape, &[MapPooling::None], 2, "store").unwrap_err();
        let text = format!("{error:#}");
        let start = "cannot fit a probe to `store`: memory: expected a need of at most ";
        assert!(text.starts_with(start) && text.ends_with(" bytes)"), "{text}");
        check_memory(10, &shape, &[MapPooling::None], 2, "store")
            .map_err(|error| format!("{error:#}"))
            .unwrap();
    }
}
