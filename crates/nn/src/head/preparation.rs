//! What is done to stored features before a head weighs them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use convbase_core::FeatureShape;
use serde::{Deserialize, Serialize};

/// What becomes of the positions of a stored map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MapPooling {
    /// All of them stay, as they lie.
    #[serde(rename = "none")]
    None,
    /// The mean of each channel, summed in float64.
    #[serde(rename = "avg")]
    Average,
    /// The maximum of each channel.
    #[serde(rename = "max")]
    Maximum,
    /// The means, then the maxima.
    #[serde(rename = "avg+max")]
    AverageAndMaximum,
}

/// Pooling, then a scaling of each row by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// What becomes of the map.
    pub pooling: MapPooling,
    /// Whether the row is divided by its Euclidean length (scikit-learn `normalize`): a row of zeros stays one.
    pub unit_length: bool,
    /// Positions of the map; 1 where the features are no map.
    pub positions: usize,
    /// Numbers at each position.
    pub channels: usize,
}

impl Preparation {
    /// For stored features of this shape. Features that are no map have one position.
    pub fn new(shape: &FeatureShape, pooling: MapPooling, unit_length: bool) -> Self {
        let channels = match shape.sides() {
            [_, _, channels] => *channels as usize,
            _ => shape.length(),
        };
        Self { pooling, unit_length, positions: shape.length() / channels.max(1), channels }
    }

    /// Numbers of a row that enters.
    pub fn inputs(&self) -> usize {
        self.positions.saturating_mul(self.channels)
    }

    /// Numbers of a row that leaves.
    pub fn width(&self) -> usize {
        match self.pooling {
            MapPooling::None => self.inputs(),
            MapPooling::Average | MapPooling::Maximum => self.channels,
            MapPooling::AverageAndMaximum => self.channels.saturating_mul(2),
        }
    }

    /// The row `[width]` of stored features `[inputs]`, channels last.
    pub fn prepare<'a>(&self, features: &'a [f32]) -> Cow<'a, [f32]> {
        let mut row = match self.pooling {
            MapPooling::None => Cow::Borrowed(features),
            MapPooling::Average => Cow::Owned(self.means(features)),
            MapPooling::Maximum => Cow::Owned(self.maxima(features)),
            MapPooling::AverageAndMaximum => {
                let mut both = self.means(features);
                both.extend(self.maxima(features));
                Cow::Owned(both)
            }
        };
        if self.unit_length {
            let square = |&number: &f32| f64::from(number) * f64::from(number);
            let length = row.iter().map(square).sum::<f64>().sqrt();
            if length > 0.0 {
                row.to_mut().iter_mut().for_each(|number| *number = (f64::from(*number) / length) as f32);
            }
        }
        row
    }

    fn means(&self, features: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0_f64; self.channels];
        for position in features.chunks_exact(self.channels.max(1)) {
            sums.iter_mut().zip(position).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        sums.into_iter().map(|sum| (sum / self.positions as f64) as f32).collect()
    }

    fn maxima(&self, features: &[f32]) -> Vec<f32> {
        let mut greatest = vec![f32::NEG_INFINITY; self.channels];
        for position in features.chunks_exact(self.channels.max(1)) {
            greatest.iter_mut().zip(position).for_each(|(most, &value)| *most = most.max(value));
        }
        greatest
    }
}

impl MapPooling {
    /// All, with the names that options and files have for them.
    const NAMES: [(Self, &'static str); 4] = [
        (Self::None, "none"),
        (Self::Average, "avg"),
        (Self::Maximum, "max"),
        (Self::AverageAndMaximum, "avg+max"),
    ];
}

impl fmt::Display for MapPooling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(pooling, _)| pooling == self).map(|(_, name)| *name);
        formatter.pad(name.unwrap_or_default())
    }
}

/// A name that is no pooling's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pooling: expected one of none, avg, max, avg+max, found `{0}`")]
pub struct UnknownMapPooling(String);

impl FromStr for MapPooling {
    type Err = UnknownMapPooling;

    fn from_str(text: &str) -> Result<Self, UnknownMapPooling> {
        let found = Self::NAMES.iter().find(|(_, name)| *name == text).map(|(pooling, _)| *pooling);
        found.ok_or_else(|| UnknownMapPooling(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(pooling: MapPooling, unit_length: bool) -> Vec<f32> {
        let shape = FeatureShape::new(vec![1, 2, 2]).unwrap();
        let preparation = Preparation::new(&shape, pooling, unit_length);
        let row = preparation.prepare(&[1.0, 8.0, 5.0, 0.0]).into_owned();
        assert_eq!(row.len(), preparation.width());
        row
    }

    #[test]
    fn a_map_is_pooled_over_its_positions() {
        assert_eq!(prepared(MapPooling::None, false), [1.0, 8.0, 5.0, 0.0]);
        assert_eq!(prepared(MapPooling::Average, false), [3.0, 4.0]);
        assert_eq!(prepared(MapPooling::Maximum, false), [5.0, 8.0]);
        assert_eq!(prepared(MapPooling::AverageAndMaximum, false), [3.0, 4.0, 5.0, 8.0]);
    }

    #[test]
    fn a_row_gets_length_one_unless_it_is_all_zeros() {
        assert_eq!(prepared(MapPooling::Average, true), [0.6, 0.8]);
        let flat = Preparation::new(&FeatureShape::new(vec![3]).unwrap(), MapPooling::None, true);
        assert_eq!(flat.prepare(&[0.0; 3])[..], [0.0; 3]);
        assert_eq!((flat.positions, flat.channels), (1, 3));
    }

    #[test]
    fn names_survive_the_way_through_text() {
        for (pooling, name) in MapPooling::NAMES {
            assert_eq!((name.parse(), pooling.to_string()), (Ok(pooling), name.to_owned()));
            assert_eq!(serde_json::to_string(&pooling).unwrap(), format!("{name:?}"));
        }
        assert!("mean".parse::<MapPooling>().is_err());
    }
}
