//! The layers of VGG16's convolutional base.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ImageSize, Pooling};

/// Convolutions of each block (Simonyan and Zisserman 2015, table 1, configuration D).
const CONVOLUTIONS: [u8; 5] = [2, 2, 3, 3, 3];
/// Output channels of each block's convolutions (same table).
const CHANNELS: [u32; 5] = [64, 128, 256, 512, 512];

/// A layer of VGG16's convolutional base by its Keras name: `block1_conv1` to `block5_pool`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Layer {
    block: u8,
    /// The convolution's number from 1; one more than the last convolution's is the block's pooling.
    step: u8,
}

/// A name that is no layer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("layer: expected block1_conv1 to block5_conv3 or block1_pool to block5_pool, found `{found}`")]
pub struct LayerError {
    found: String,
}

impl Layer {
    /// Every layer from the first to the last.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=5).flat_map(|block| {
            (1..=CONVOLUTIONS[block as usize - 1] + 1).map(move |step| Self { block, step })
        })
    }

    /// The last layer, which the published tutorial uses.
    pub fn block5_pool() -> Self {
        Self { block: 5, step: CONVOLUTIONS[4] + 1 }
    }

    /// Whether this is a pooling and not a convolution.
    pub fn is_pool(self) -> bool {
        self.step > CONVOLUTIONS[self.block as usize - 1]
    }

    /// Channels that leave this layer.
    pub fn channels(self) -> u32 {
        CHANNELS[self.block as usize - 1]
    }

    /// Channels that enter this layer.
    pub fn input_channels(self) -> u32 {
        match (self.block, self.step) {
            (1, 1) => 3,
            (block, 1) => CHANNELS[block as usize - 2],
            _ => self.channels(),
        }
    }

    /// Weights and biases of this layer: 3 × 3 convolutions, poolings have none.
    pub fn parameters(self) -> u64 {
        if self.is_pool() {
            0
        } else {
            u64::from(self.channels()) * (u64::from(self.input_channels()) * 9 + 1)
        }
    }

    /// [height, width, channels] that leave this layer for images of `size`. Each pooling halves, rounding down.
    pub fn map_shape(self, size: ImageSize) -> [u32; 3] {
        let halvings = u32::from(self.block) - u32::from(!self.is_pool());
        [size.height() >> halvings, size.width() >> halvings, self.channels()]
    }

    /// The shape of one image's features: the map's, or `[channels]` when it is pooled.
    pub fn feature_shape(self, size: ImageSize, pooling: Pooling) -> Vec<u32> {
        match pooling {
            Pooling::None => self.map_shape(size).to_vec(),
            Pooling::Average | Pooling::Maximum => vec![self.channels()],
        }
    }
}

impl FromStr for Layer {
    type Err = LayerError;

    fn from_str(text: &str) -> Result<Self, LayerError> {
        Self::all()
            .find(|layer| layer.to_string() == text)
            .ok_or_else(|| LayerError { found: text.to_owned() })
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_pool() {
            write!(formatter, "block{}_pool", self.block)
        } else {
            write!(formatter, "block{}_conv{}", self.block, self.step)
        }
    }
}

impl TryFrom<String> for Layer {
    type Error = LayerError;

    fn try_from(text: String) -> Result<Self, LayerError> {
        text.parse()
    }
}

impl From<Layer> for String {
    fn from(layer: Layer) -> Self {
        layer.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_thirteen_convolutions_and_five_poolings_with_kerass_parameter_count() {
        assert_eq!(Layer::all().filter(|layer| !layer.is_pool()).count(), 13);
        assert_eq!(Layer::all().filter(|layer| layer.is_pool()).count(), 5);
        assert_eq!(Layer::all().map(Layer::parameters).sum::<u64>(), 14_714_688);
    }

    #[test]
    fn shapes_are_those_of_keras() {
        let size = ImageSize::new(180, 180).unwrap();
        let shape = |name: &str| name.parse::<Layer>().unwrap().map_shape(size);
        assert_eq!(shape("block1_conv1"), [180, 180, 64]);
        assert_eq!(shape("block1_pool"), [90, 90, 64]);
        assert_eq!(shape("block3_pool"), [22, 22, 256]);
        assert_eq!(shape("block5_conv3"), [11, 11, 512]);
        assert_eq!(shape("block5_pool"), [5, 5, 512]);
        assert_eq!(Layer::block5_pool().feature_shape(size, Pooling::Average), [512]);
    }

    #[test]
    fn names_that_are_no_layers_are_refused() {
        for name in
            ["", "block0_pool", "block1_conv3", "block6_pool", "block5_conv4", "block5-pool", "Block5_pool"]
        {
            assert!(name.parse::<Layer>().is_err(), "{name}");
        }
    }
}
