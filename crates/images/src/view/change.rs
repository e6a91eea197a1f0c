//! What a layer does to one view, with the numbers that were drawn for it.

use convbase_core::{FillMode, Interpolation};

use super::affine::Affine;

/// Float pixels on their way through the layers: [height, width, 3], red, green, blue, 0 to 255.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) pixels: Vec<f32>,
}

/// One layer's change of one view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    /// Left becomes right, or nothing happens.
    Flip { flips: bool },
    /// Around the middle.
    Rotate { degrees: f32 },
    /// Around the middle; below 1 things become larger.
    Zoom { factor: f32 },
    /// By so many pixels.
    Translate { right: f32, down: f32 },
    /// Each channel's distances from its mean are multiplied.
    Contrast { factor: f32 },
}

impl Image {
    /// The pixel at a place; outside the image it is black.
    pub(super) fn at(&self, row: i64, column: i64) -> [f32; 3] {
        if row < 0 || row >= i64::from(self.height) || column < 0 || column >= i64::from(self.width) {
            return [0.0; 3];
        }
        self.pixels.as_chunks::<3>().0[row as usize * self.width as usize + column as usize]
    }
}

impl Change {
    /// Changes an image. `spare` is room of any size, whose content is lost.
    pub(super) fn apply(
        self,
        image: &mut Image,
        spare: &mut Image,
        fill: FillMode,
        interpolation: Interpolation,
    ) {
        let (height, width) = (image.height, image.width);
        let affine = match self {
            Self::Flip { flips: false } => return,
            Self::Flip { flips: true } => return flip(image),
            Self::Contrast { factor } => return change_contrast(image, factor),
            Self::Rotate { degrees } => Affine::rotation(degrees, height, width),
            Self::Zoom { factor } => Affine::zoom(factor, height, width),
            Self::Translate { right, down } => Affine::translation(right, down),
        };
        (spare.height, spare.width) = (height, width);
        spare.pixels.resize(image.pixels.len(), 0.0);
        affine.transform(image, spare, fill, interpolation);
        std::mem::swap(image, spare);
    }
}

fn flip(image: &mut Image) {
    let width = (image.width as usize).max(1);
    image.pixels.as_chunks_mut::<3>().0.chunks_exact_mut(width).for_each(<[_]>::reverse);
}

/// (x − mean) · factor + mean for each channel, within 0 to 255 (Keras `RandomContrast`).
fn change_contrast(image: &mut Image, factor: f32) {
    let pixels = image.pixels.as_chunks_mut::<3>().0;
    let mut sums = [0_f64; 3];
    for pixel in &*pixels {
        sums.iter_mut().zip(pixel).for_each(|(sum, number)| *sum += f64::from(*number));
    }
    let means = sums.map(|sum| (sum / pixels.len() as f64) as f32);
    for pixel in pixels {
        for (number, mean) in pixel.iter_mut().zip(means) {
            *number = ((*number - mean) * factor + mean).clamp(0.0, 255.0);
        }
    }
}
