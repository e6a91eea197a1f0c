//! The pixels of products, chunk by chunk: where what they read and write lies.

use std::ops::Range;

use convbase_bases::Convolution;

use super::layout::{Extent, Layout, Source, Target};
use super::window::Window;

/// A chunk's pixels are a multiple of this, which every number of rows that are multiplied at once divides.
pub(super) const MULTIPLE: usize = 24;

/// At most so many pixels: more make up for nothing.
pub(super) const MOST_PIXELS: usize = 10 * MULTIPLE;

/// Bytes of the pixels whose products with all weights follow one another: they stay in the second cache of every
/// processor, beside the weights of a panel, and fetching the weights serves them all.
pub(super) const CHUNK: usize = 192 * 1024;

/// What a pixel reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reads<'a> {
    pub(super) window: Window,
    /// Row and column of what is read in one go.
    pub(super) taps: &'a [[usize; 2]],
}

/// Row and column of what is read in one go, and how many values that are: a row of the window where its pixels lie side
/// by side without gaps, else each pixel.
pub(super) fn taps(convolution: &Convolution, layout: &Layout) -> (Vec<[usize; 2]>, usize) {
    let Convolution { inputs, kernel: [height, width], .. } = *convolution;
    let side_by_side = if layout.pixel == inputs { width } else { 1 };
    let taps = (0..height * width).step_by(side_by_side).map(|tap| [tap / width, tap % width]);
    (taps.collect(), side_by_side * inputs)
}

/// Pixels of a chunk where there are so many in all, each with so many bytes: none is much smaller than another.
pub(super) fn chunk_size(pixels: usize, bytes: usize) -> usize {
    let most = (CHUNK / bytes / MULTIPLE * MULTIPLE).clamp(MULTIPLE, MOST_PIXELS);
    pixels.div_ceil(pixels.div_ceil(most).max(1)).next_multiple_of(MULTIPLE)
}

/// Where the pixels of a chunk lie.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Of each tap, where what it reads of each pixel begins.
    inputs: Vec<Vec<usize>>,
    /// Where each pixel is written.
    outputs: Vec<usize>,
    /// Where what is added to each pixel lies.
    added: Vec<usize>,
    /// The last place that is read from.
    furthest: usize,
}

impl Places {
    /// Forgets all pixels, for so many taps.
    pub(super) fn clear(&mut self, taps: usize) {
        self.inputs.resize_with(taps, Vec::new);
        self.inputs.iter_mut().chain([&mut self.outputs, &mut self.added]).for_each(Vec::clear);
        self.furthest = 0;
    }

    /// What the taps of `count` further pixels read, `step` apart, from where they begin.
    pub(super) fn add_inputs(&mut self, starts: impl Iterator<Item = usize>, step: usize, count: usize) {
        for (places, start) in self.inputs.iter_mut().zip(starts) {
            add(places, start, step, count);
            self.furthest = self.furthest.max(start + count.saturating_sub(1) * step);
        }
    }

    /// Where `count` further pixels are written, `step` apart.
    pub(super) fn add_outputs(&mut self, start: usize, step: usize, count: usize) {
        add(&mut self.outputs, start, step, count);
    }

    /// Where what is added to `count` further pixels lies, `step` apart.
    pub(super) fn add_added(&mut self, start: usize, step: usize, count: usize) {
        add(&mut self.added, start, step, count);
    }

    /// The last pixel again, and again to the same place, until every number of rows divides them.
    pub(super) fn fill(&mut self) {
        for places in self.inputs.iter_mut().chain([&mut self.outputs, &mut self.added]) {
            if let Some(&last) = places.last() {
                places.resize(places.len().next_multiple_of(MULTIPLE), last);
            }
        }
    }

    /// The last place that is read from.
    pub(super) fn furthest(&self) -> usize {
        self.furthest
    }

    #[inline(always)]
    pub(super) fn inputs(&self, tap: usize) -> &[usize] {
        &self.inputs[tap]
    }

    #[inline(always)]
    pub(super) fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    #[inline(always)]
    pub(super) fn added(&self) -> &[usize] {
        &self.added
    }
}

/// `count` further places from `start` on, `step` apart.
fn add(places: &mut Vec<usize>, start: usize, step: usize, count: usize) {
    places.extend((0..count).map(|index| start + index * step));
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

    /// Where the pixels of the next chunk lie, and how many there are.
    pub(super) fn next(&mut self, places: &mut Places) -> Option<usize> {
        places.clear(self.reads.taps.len());
        let mut count = 0;
        while count < self.size && self.images.contains(&self.next[0]) && !self.rows.is_empty() {
            count += self.row(places, self.size - count);
        }
        places.fill();
        (count > 0).then_some(count)
    }

    /// Adds the places of at most `most` pixels of the next row.
    fn row(&mut self, places: &mut Places, most: usize) -> usize {
        let [image, row, column] = self.next;
        let Reads { window, taps, .. } = self.reads;
        let width = self.output.width;
        let together = (width - column).min(most);
        let step = window.stride[1] * self.input.layout.pixel;
        let start = |&[tap_row, tap_column]: &[usize; 2]| {
            let start = self.input.row(image, window.first_row(row) + tap_row as isize);
            window.column(&self.input.layout, start, tap_column) + column * step
        };
        places.add_inputs(taps.iter().map(start), step, together);
        let pixel = self.output.pixel;
        let to = self.output.row(self.image + image, row as isize) + column * pixel;
        places.add_outputs(to, pixel, together);
        if let Some(added) = self.added {
            let pixel = added.layout.pixel;
            places.add_added(added.row(image, row as isize) + column * pixel, pixel, together);
        }
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

/// The `N` values from `start` on.
#[inline(always)]
pub(super) fn nearby<T, const N: usize>(values: &[T], start: usize) -> &[T; N] {
    let Some(values) = values[start..].first_chunk() else { panic!("fewer than {N} values") };
    values
}
