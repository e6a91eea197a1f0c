//! The pixels of products, chunk by chunk: where what they read and write lies.

use std::ops::Range;

use convbase_bases::Convolution;

use super::layout::{Extent, Layout, Source, Target};
use super::window::Window;

/// A chunk's pixels are a multiple of this, which every number of rows that are multiplied at once divides.
pub(super) const MULTIPLE: usize = 24;

/// At most so many multiples: more make up for nothing.
const MOST: usize = 10;

/// What a pixel reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reads<'a> {
    pub(super) window: Window,
    /// Row and column of what is read in one go.
    pub(super) taps: &'a [[usize; 2]],
    /// Values that are read in one go.
    pub(super) length: usize,
}

/// Row and column of what is read in one go, and how many values that are: a row of the window where its pixels lie side
/// by side without gaps, else each pixel.
pub(super) fn taps(convolution: &Convolution, layout: &Layout) -> (Vec<[usize; 2]>, usize) {
    let Convolution { inputs, kernel: [height, width], .. } = *convolution;
    let side_by_side = if layout.pixel == inputs { width } else { 1 };
    let taps = (0..height * width).step_by(side_by_side).map(|tap| [tap / width, tap % width]);
    (taps.collect(), side_by_side * inputs)
}

/// Pixels of a chunk where there are so many in all, each with so many bytes, and a chunk may have `most`: none is much
/// smaller than another.
pub(super) fn chunk_size(pixels: usize, bytes: usize, most: usize) -> usize {
    let most = (most / bytes / MULTIPLE).clamp(1, MOST) * MULTIPLE;
    pixels.div_ceil(pixels.div_ceil(most).max(1)).next_multiple_of(MULTIPLE)
}

/// Where the pixels of a chunk lie.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Pixels that there is room for.
    size: usize,
    /// [taps, size]
    inputs: Vec<usize>,
    /// `[size]`
    outputs: Vec<usize>,
    /// `[size]`
    added: Vec<usize>,
}

impl Places {
    /// What one tap of each pixel reads begins there.
    #[inline(always)]
    pub(super) fn inputs(&self, tap: usize) -> &[usize] {
        &self.inputs[tap * self.size..][..self.size]
    }

    /// Where each pixel is written.
    #[inline(always)]
    pub(super) fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    /// Where what is added to each pixel lies.
    #[inline(always)]
    pub(super) fn added(&self) -> &[usize] {
        &self.added
    }
}

/// The pixels that an operator writes, in chunks of at most `size`.
pub(super) struct Chunks<'a> {
    reads: Reads<'a>,
    input: Source<'a>,
    added: Option<Source<'a>>,
    output: Layout,
    /// The first image that is written.
    image: usize,
    images: Range<usize>,
    rows: Range<usize>,
    size: usize,
    /// Image, row and column that come next.
    next: [usize; 3],
}

impl<'a> Chunks<'a> {
    pub(super) fn new(
        reads: Reads<'a>,
        input: Source<'a>,
        added: Option<Source<'a>>,
        output: &Target,
        extent: &Extent,
        size: usize,
    ) -> Self {
        let (images, rows) = (0..extent.images, extent.rows.clone());
        let next = [0, rows.start, 0];
        Self { reads, input, added, output: output.layout, image: output.image, images, rows, size, next }
    }

    /// Where the pixels of the next chunk lie, and how many there are. The last one comes again, and again to the same
    /// place, until every number of rows divides them.
    ///
    /// # Panics
    /// When one of them would read beyond the values that there are.
    pub(super) fn next(&mut self, places: &mut Places) -> Option<usize> {
        places.size = self.size;
        places.inputs.resize(self.reads.taps.len() * self.size, 0);
        places.outputs.resize(self.size, 0);
        places.added.resize(self.size, 0);
        let mut count = 0;
        while count < self.size && self.images.contains(&self.next[0]) && !self.rows.is_empty() {
            count += self.row(places, count);
        }
        let last = count.checked_sub(1)?;
        let filled = count.next_multiple_of(MULTIPLE);
        let mut furthest = 0;
        for places in places.inputs.chunks_exact_mut(self.size) {
            let last = places[last];
            places[count..filled].fill(last);
            furthest = places[..count].iter().fold(furthest, |furthest, &place| place.max(furthest));
        }
        for places in [&mut places.outputs, &mut places.added] {
            let last = places[last];
            places[count..filled].fill(last);
        }
        assert!(furthest.saturating_add(self.reads.length) <= self.input.values.len());
        Some(count)
    }

    /// Sets the places of as many pixels of the next row as there is room for behind the first `count`.
    fn row(&mut self, places: &mut Places, count: usize) -> usize {
        let [image, row, column] = self.next;
        let Reads { window, taps, .. } = self.reads;
        let width = self.output.width;
        let together = (width - column).min(self.size - count);
        let step = window.stride[1] * self.input.layout.pixel;
        for (&[tap_row, tap_column], places) in taps.iter().zip(places.inputs.chunks_exact_mut(self.size)) {
            let start = self.input.row(image, window.first_row(row) + tap_row as isize);
            let start = window.column(&self.input.layout, start, tap_column);
            set(&mut places[count..], start + column * step, step, together);
        }
        let pixel = self.output.pixel;
        let to = self.output.row(self.image + image, row as isize);
        set(&mut places.outputs[count..], to + column * pixel, pixel, together);
        let (plus, pixel) =
            self.added.map_or((0, 0), |added| (added.row(image, row as isize), added.layout.pixel));
        set(&mut places.added[count..], plus + column * pixel, pixel, together);
        self.next = if column + together < width {
            [image, row, column + together]
        } else if row + 1 < self.rows.end {
            [image, row + 1, 0]
        } else {
            [image + 1, self.rows.start, 0]
        };
        together
    }
}

/// `count` places from `start` on, `step` apart.
fn set(places: &mut [usize], start: usize, step: usize, count: usize) {
    for (index, place) in places[..count].iter_mut().enumerate() {
        *place = start + index * step;
    }
}

/// The `N` values from `start` on.
#[inline(always)]
pub(super) fn nearby<T, const N: usize>(values: &[T], start: usize) -> &[T; N] {
    let Some(values) = values[start..].first_chunk() else { panic!("fewer than {N} values") };
    values
}
