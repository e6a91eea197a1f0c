//! The size that photographs are brought to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Height and width in pixels, each from 1 to 4096; a network may need more. In JSON `[height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "[u32; 2]", into = "[u32; 2]")]
pub struct ImageSize {
    height: u32,
    width: u32,
}

/// A size that is no size, too small or too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "image size: expected N or HEIGHTxWIDTH with {}..={} each, found `{found}`",
    ImageSize::LEAST,
    ImageSize::MOST
)]
pub struct ImageSizeError {
    found: String,
}

impl ImageSize {
    /// The least height or width.
    pub const LEAST: u32 = 1;
    /// The greatest height or width.
    pub const MOST: u32 = 4096;

    /// A size of `height` × `width` pixels.
    pub fn new(height: u32, width: u32) -> Result<Self, ImageSizeError> {
        let range = Self::LEAST..=Self::MOST;
        if range.contains(&height) && range.contains(&width) {
            Ok(Self { height, width })
        } else {
            Err(ImageSizeError { found: format!("{height}x{width}") })
        }
    }

    /// Rows of pixels.
    pub fn height(self) -> u32 {
        self.height
    }

    /// Pixels of a row.
    pub fn width(self) -> u32 {
        self.width
    }

    /// Bytes of one RGB image of this size.
    #[expect(clippy::arithmetic_side_effects, reason = "sides of at most 4096 give at most 48 MiB")]
    pub fn rgb_bytes(self) -> usize {
        self.height as usize * self.width as usize * 3
    }
}

impl TryFrom<[u32; 2]> for ImageSize {
    type Error = ImageSizeError;

    fn try_from([height, width]: [u32; 2]) -> Result<Self, ImageSizeError> {
        Self::new(height, width)
    }
}

impl From<ImageSize> for [u32; 2] {
    fn from(size: ImageSize) -> Self {
        [size.height, size.width]
    }
}

impl FromStr for ImageSize {
    type Err = ImageSizeError;

    fn from_str(text: &str) -> Result<Self, ImageSizeError> {
        let error = || ImageSizeError { found: text.to_owned() };
        let number = |text: &str| text.parse::<u32>().map_err(|_| error());
        let (height, width) = match text.split_once('x') {
            Some((height, width)) => (number(height)?, number(width)?),
            None => (number(text)?, number(text)?),
        };
        Self::new(height, width).map_err(|_| error())
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}", self.height, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_a_square_and_two_are_height_and_width() {
        assert_eq!("180".parse(), ImageSize::new(180, 180));
        assert_eq!("64x96".parse(), ImageSize::new(64, 96));
    }

    #[test]
    fn sizes_outside_the_range_are_refused_with_what_was_found() {
        for text in ["0", "", "x", "32x", "4097", "99999999999", "-180", "180x0"] {
            let error = text.parse::<ImageSize>().unwrap_err().to_string();
            assert!(error.ends_with(&format!("found `{text}`")), "{error}");
        }
    }
}
