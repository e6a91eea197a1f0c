//! How rows are scaled before a linear classifier weighs them.

use std::fmt;
use std::str::FromStr;

use faer::Mat;
use serde::Serialize;

use super::regression::Coefficients;

/// How rows are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum RowScaling {
    /// Not at all.
    #[serde(rename = "none")]
    None,
    /// Each row to length 1 (scikit-learn `normalize`).
    #[serde(rename = "l2")]
    UnitLength,
    /// Each column to mean 0 and standard deviation 1 over the rows that are trained on (scikit-learn `StandardScaler`).
    #[serde(rename = "standard")]
    Standard,
}

impl RowScaling {
    /// All, in the order in which ties are broken.
    pub const ALL: [Self; 3] = [Self::None, Self::UnitLength, Self::Standard];
}

impl fmt::Display for RowScaling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::None => "none",
            Self::UnitLength => "l2",
            Self::Standard => "standard",
        })
    }
}

/// A name that is no scaling's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scaling: expected one of none, l2, standard, found `{0}`")]
pub struct UnknownRowScaling(String);

impl FromStr for RowScaling {
    type Err = UnknownRowScaling;

    fn from_str(text: &str) -> Result<Self, UnknownRowScaling> {
        Self::ALL
            .into_iter()
            .find(|scaling| scaling.to_string() == text)
            .ok_or_else(|| UnknownRowScaling(text.to_owned()))
    }
}

/// Mean and standard deviation of each column.
#[derive(Debug)]
pub(super) struct Columns {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Columns {
    /// Of rows [rows, width]. A column that is everywhere the same has deviation 1.
    pub(super) fn of(rows: &Mat<f64>) -> Self {
        let count = rows.nrows().max(1) as f64;
        let (mut mean, mut deviation) = (Vec::new(), Vec::new());
        for column in rows.col_iter() {
            let average = column.iter().sum::<f64>() / count;
            let variance = column.iter().map(|number| (number - average).powi(2)).sum::<f64>() / count;
            mean.push(average);
            // As scikit-learn: what rounding alone makes of equal numbers is no deviation.
            let is_constant = variance <= 10.0 * f64::EPSILON * count * average * average;
            deviation.push(if is_constant { 1.0 } else { variance.sqrt() });
        }
        Self { mean, deviation }
    }

    /// Brings each column to mean 0 and deviation 1.
    pub(super) fn standardise(&self, rows: &mut Mat<f64>) {
        for (column, (mean, deviation)) in self.mean.iter().zip(&self.deviation).enumerate() {
            for row in 0..rows.nrows() {
                rows[(row, column)] = (rows[(row, column)] - mean) / deviation;
            }
        }
    }

    /// The classifier of rows as they are that says what this one says of standardised rows.
    pub(super) fn fold_into(&self, coefficients: &mut Coefficients) {
        let width = self.mean.len().max(1);
        for (weight, bias) in coefficients.weight.chunks_exact_mut(width).zip(&mut coefficients.bias) {
            for (weight, (mean, deviation)) in weight.iter_mut().zip(self.mean.iter().zip(&self.deviation)) {
                *weight /= deviation;
                *bias -= *weight * mean;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standardised_columns_have_mean_0_and_deviation_1_and_the_scaling_folds_away() {
        let rows = [[1.0_f32, 5.0, 2.0], [3.0, 5.0, 0.0], [5.0, 5.0, -2.0]];
        let mut matrix = Mat::from_fn(3, 3, |row, column| f64::from(rows[row][column]));
        let columns = Columns::of(&matrix);
        columns.standardise(&mut matrix);
        for column in [0, 2] {
            let numbers: Vec<f64> = matrix.col(column).iter().copied().collect();
            assert!(numbers.iter().sum::<f64>().abs() < 1e-12);
            assert!((numbers.iter().map(|number| number * number).sum::<f64>() - 3.0).abs() < 1e-12);
        }
        assert_eq!(matrix.col(1).iter().copied().collect::<Vec<_>>(), [0.0; 3]);
        let standard = Coefficients { weight: vec![0.5, 2.0, -1.0], bias: vec![0.25] };
        let mut folded = standard.clone();
        columns.fold_into(&mut folded);
        for (row, original) in rows.iter().enumerate() {
            let scaled: Vec<f32> = (0..3).map(|column| matrix[(row, column)] as f32).collect();
            assert!((standard.logits(&scaled)[0] - folded.logits(original)[0]).abs() < 1e-6);
        }
    }

    #[test]
    fn names_survive_the_way_through_text() {
        for scaling in RowScaling::ALL {
            assert_eq!(scaling.to_string().parse(), Ok(scaling));
        }
        assert!("minmax".parse::<RowScaling>().is_err());
    }
}
