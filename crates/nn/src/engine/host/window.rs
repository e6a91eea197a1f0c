//! A window that moves over a map: which rows and columns it reads.

use std::ops::Range;

use convbase_bases::Padding;

use super::layout::Layout;

/// Height and width, steps, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    /// How far it reaches over the top and over the left edge.
    pub(super) before: [usize; 2],
}

impl Window {
    /// What reads one pixel where it writes one.
    pub(super) const ONE: Self = Self { kernel: [1, 1], stride: [1, 1], before: [0, 0] };

    pub(super) fn new(kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Self {
        Self { kernel, stride, before: [padding.top, padding.left] }
    }

    /// The first row that row `row` of what is written reads.
    pub(super) fn first_row(&self, row: usize) -> isize {
        (row * self.stride[0]) as isize - self.before[0] as isize
    }

    /// The rows of a map of `height` that rows `rows` of what is written read.
    pub(super) fn rows(&self, rows: Range<usize>, height: usize) -> Range<usize> {
        let inside = |row: isize| usize::try_from(row).unwrap_or(0).min(height);
        let end = rows.end.checked_sub(1).map_or(0, |last| self.first_row(last) + self.kernel[0] as isize);
        inside(self.first_row(rows.start))..inside(end)
    }

    /// Pixels beyond the right edge of a map of `width` that are read for `outputs` pixels of a row.
    pub(super) fn behind(&self, outputs: usize, width: usize) -> usize {
        self.columns(outputs).saturating_sub(width + self.before[1])
    }

    /// Columns that `outputs` pixels of a row read.
    pub(super) fn columns(&self, outputs: usize) -> usize {
        outputs.saturating_sub(1) * self.stride[1] + self.kernel[1]
    }

    /// How much further than the first channel of a row of `layout` the window's column `column` begins, less what lies
    /// before the row: rows have so many zeros on their left.
    pub(super) fn column(&self, layout: &Layout, start: usize, column: usize) -> usize {
        start + column * layout.pixel - self.before[1] * layout.pixel
    }
}
