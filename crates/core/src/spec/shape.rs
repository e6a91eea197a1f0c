//! The shape of one image's features.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The sides of one image's features, channels last: at least one side, none of them 0, and at most 2³² numbers in all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
pub struct FeatureShape {
    sides: Vec<u32>,
    /// The product of the sides.
    length: usize,
}

/// Sides that are no shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "shape: expected sides from 1 with a product of at most {}, found {found:?}",
    FeatureShape::MOST_NUMBERS
)]
pub struct FeatureShapeError {
    found: Vec<u32>,
}

impl FeatureShape {
    /// The most numbers of one image: 16 GiB of float32.
    pub const MOST_NUMBERS: u64 = 1 << 32;

    /// Takes the sides, channels last.
    pub fn new(sides: Vec<u32>) -> Result<Self, FeatureShapeError> {
        let product = sides.iter().try_fold(1_u64, |product, &side| product.checked_mul(u64::from(side)));
        match product.filter(|product| (1..=Self::MOST_NUMBERS).contains(product)) {
            Some(product) if !sides.is_empty() => Ok(Self { sides, length: product as usize }),
            _ => Err(FeatureShapeError { found: sides }),
        }
    }

    /// The sides, channels last.
    pub fn sides(&self) -> &[u32] {
        &self.sides
    }

    /// Numbers of one image's features.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl TryFrom<Vec<u32>> for FeatureShape {
    type Error = FeatureShapeError;

    fn try_from(sides: Vec<u32>) -> Result<Self, FeatureShapeError> {
        Self::new(sides)
    }
}

impl From<FeatureShape> for Vec<u32> {
    fn from(shape: FeatureShape) -> Self {
        shape.sides
    }
}

impl fmt::Display for FeatureShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_the_product_of_the_sides() {
        assert_eq!(FeatureShape::new(vec![5, 5, 512]).unwrap().length(), 12_800);
        assert_eq!(FeatureShape::new(vec![1]).unwrap().length(), 1);
    }

    #[test]
    fn shapes_without_numbers_or_with_too_many_are_refused() {
        for sides in [vec![], vec![5, 0], vec![u32::MAX; 2], vec![u32::MAX; 4]] {
            let error = FeatureShape::new(sides.clone()).unwrap_err().to_string();
            assert!(error.ends_with(&format!("found {sides:?}")), "{error}");
        }
    }
}
