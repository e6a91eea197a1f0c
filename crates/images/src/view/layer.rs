//! The layers of an augmentation: which there are, how strong they are, and what they draw.

use std::fmt;

use super::change::Change;
use super::draw::Draw;

/// One layer of an augmentation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Layer {
    /// Keras `RandomFlip("horizontal")`.
    Flip,
    /// Keras `RandomRotation(factor)`: the factor is a share of a whole turn.
    Rotate(f64),
    /// Keras `RandomZoom(height_factor=factor)`: the width follows the height.
    Zoom(f64),
    /// Keras `RandomTranslation(factor, factor)`: shares of height and width.
    Translate(f64),
    /// Keras `RandomContrast(factor)`.
    Contrast(f64),
}

impl Layer {
    /// How each layer is written.
    pub(super) const FORMS: [&'static str; 5] = ["flip", "rotate=F", "zoom=F", "translate=F", "contrast=F"];

    /// The layer of a name and, but for `flip`, its factor. `None` where there is no such layer.
    pub(super) fn of(name: &str, factor: f64) -> Option<Self> {
        match name {
            "flip" => Some(Self::Flip),
            "rotate" => Some(Self::Rotate(factor)),
            "zoom" => Some(Self::Zoom(factor)),
            "translate" => Some(Self::Translate(factor)),
            "contrast" => Some(Self::Contrast(factor)),
            _ => None,
        }
    }

    /// The name that stands before the factor.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flip => "flip",
            Self::Rotate(_) => "rotate",
            Self::Zoom(_) => "zoom",
            Self::Translate(_) => "translate",
            Self::Contrast(_) => "contrast",
        }
    }

    /// How strong it is, but for `flip`.
    fn factor(self) -> Option<f64> {
        match self {
            Self::Flip => None,
            Self::Rotate(factor) | Self::Zoom(factor) | Self::Translate(factor) | Self::Contrast(factor) => {
                Some(factor)
            }
        }
    }

    /// What it does to one view of this size, drawn evenly from the range that Keras 3.15 draws from.
    pub(super) fn draw(self, mut draw: Draw, height: u32, width: u32) -> Change {
        match self {
            Self::Flip => Change::Flip { flips: draw.share() <= 0.5 },
            Self::Rotate(factor) => Change::Rotate { degrees: draw.around(0.0, factor * 360.0) as f32 },
            Self::Zoom(factor) => Change::Zoom { factor: draw.around(1.0, factor) as f32 },
            Self::Translate(factor) => {
                // As in Keras the height comes first.
                let down = draw.around(0.0, factor) * f64::from(height);
                let right = draw.around(0.0, factor) * f64::from(width);
                Change::Translate { right: right as f32, down: down as f32 }
            }
            // Of a single number Keras makes the bounds 0 and `factor`, not −`factor` and `factor` as it says: contrast
            // only grows.
            Self::Contrast(factor) => Change::Contrast { factor: (1.0 + draw.share() * factor) as f32 },
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.factor() {
            None => formatter.write_str(self.name()),
            Some(factor) => write!(formatter, "{}={factor}", self.name()),
        }
    }
}
