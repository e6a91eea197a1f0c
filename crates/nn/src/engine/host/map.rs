//! Maps of several images in memory, with the border that convolutions read.

use aligned_vec::{AVec, avec};

use super::transform::TILE;

/// Maps [images, height, width, channels] in a frame of zeros: one above and to the left for the convolution's zero
/// padding, and below and to the right as many as whole tiles need. Writers leave the frame alone.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    /// Pixels of a row with its frame.
    pub(crate) stride: usize,
    /// Values of an image with its frame.
    pub(crate) image: usize,
    pub(crate) values: AVec<f32>,
}

impl Map {
    /// Maps of zeros.
    pub(crate) fn new(images: usize, height: usize, width: usize, channels: usize) -> Self {
        let (rows, stride) = (height.next_multiple_of(TILE) + 2, width.next_multiple_of(TILE) + 2);
        let image = rows * stride * channels;
        Self { height, width, channels, stride, image, values: avec![0.0; images * image] }
    }

    /// Where the value of channel 0 lies.
    pub(crate) fn position(&self, image: usize, row: usize, column: usize) -> usize {
        image * self.image + ((row + 1) * self.stride + column + 1) * self.channels
    }

    /// The values [height, width, channels] of one image, without the frame, row by row.
    pub(crate) fn rows(&self, image: usize) -> impl Iterator<Item = &[f32]> {
        (0..self.height).map(move |row| {
            let start = self.position(image, row, 0);
            &self.values[start..start + self.width * self.channels]
        })
    }
}
