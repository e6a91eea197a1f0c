//! How maps lie in memory.

use std::ops::Range;

use aligned_vec::AVec;

/// Values that a pixel's channels are filled up to, so that vectors of every processor begin at a channel of their own.
pub(super) const FILL: usize = 16;

/// Maps [images, height, width, channels], channels last. A row of zeros lies before them all: it stands for every row
/// above and below a map, whatever the padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    /// Values from one pixel to the next.
    pub(super) pixel: usize,
    /// Where the first channel lies in a pixel: maps that are joined along their channels share their pixels.
    pub(super) first: usize,
    /// Pixels of zeros on the left of each row, and on the right.
    pub(super) left: usize,
    pub(super) right: usize,
    /// Rows that there is room for: a row takes the place of the one that lies so many above it.
    pub(super) slots: usize,
}

impl Layout {
    /// Of maps without zeros around them and with room for all rows, each pixel of `pixel` values.
    pub(super) fn new([height, width, channels]: [usize; 3], pixel: usize) -> Self {
        Self { height, width, channels, pixel, first: 0, left: 0, right: 0, slots: height }
    }

    fn row_values(&self) -> usize {
        (self.left + self.width + self.right) * self.pixel
    }

    /// Values of `images` maps with all that lies around them.
    pub(super) fn values(&self, images: usize) -> usize {
        (1 + images * self.slots) * self.row_values()
    }

    /// Where the first channel of a row's first pixel lies.
    pub(super) fn row(&self, image: usize, row: isize) -> usize {
        let slot = match usize::try_from(row) {
            Ok(row) if row < self.height => 1 + image * self.slots + row % self.slots,
            _ => 0,
        };
        slot * self.row_values() + self.left * self.pixel + self.first
    }

    /// Sets all that lies around `images` maps to zero: memory served other maps before.
    pub(super) fn clear(&self, values: &mut [f32], images: usize) {
        let row = self.row_values();
        let (zeros, maps) = values.split_at_mut(row);
        zeros.fill(0.0);
        if self.left + self.right > 0 {
            for row in maps.chunks_exact_mut(row).take(images * self.slots) {
                row[..self.left * self.pixel].fill(0.0);
                row[(self.left + self.width) * self.pixel..].fill(0.0);
            }
        }
    }
}

/// Maps that are read, from an image on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) layout: Layout,
    pub(super) values: &'a [f32],
    pub(super) image: usize,
}

impl Source<'_> {
    /// Where the first channel of a row's first pixel lies.
    pub(super) fn row(&self, image: usize, row: isize) -> usize {
        self.layout.row(self.image + image, row)
    }
}

/// Maps that are written, from an image on.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) layout: Layout,
    pub(super) values: &'a mut [f32],
    pub(super) image: usize,
}

impl Target<'_> {
    /// How many pixels are computed.
    pub(super) fn pixels(&self, extent: &Extent) -> usize {
        extent.images * extent.rows.len() * self.layout.width
    }

    /// Where the first channel of a row's first pixel lies.
    pub(super) fn row(&self, image: usize, row: usize) -> usize {
        self.layout.row(self.image + image, row as isize)
    }
}

/// What is computed of the maps that are written.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    pub(super) images: usize,
    pub(super) rows: Range<usize>,
}

impl Extent {
    /// Image and row of each row.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let rows = self.rows.clone();
        (0..self.images).flat_map(move |image| rows.clone().map(move |row| (image, row)))
    }
}

/// Makes room that is never given back: filling it with zeros for each layer anew was an eighth of an extraction.
pub(super) fn at_least(values: &mut AVec<f32>, count: usize) {
    if values.len() < count {
        values.resize(count, 0.0);
    }
}
