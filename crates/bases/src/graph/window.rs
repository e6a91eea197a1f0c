//! How a kernel or a pooling window moves over a map.

use serde::{Deserialize, Serialize};

/// Height and width of a window, its steps, and what happens at the edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub kernel: [usize; 2],
    /// Steps downwards and to the right.
    pub stride: [usize; 2],
    /// What is added at the edges.
    pub padding: PaddingRule,
}

/// Rows and columns that are added around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaddingRule {
    /// None: the window stays inside (Keras `valid`).
    Valid,
    /// So many that the map becomes ⌈side / stride⌉, the odd one at the bottom and at the right (TensorFlow `SAME`).
    /// How many depends on the size.
    Same,
    /// These.
    Explicit(Padding),
}

/// Rows and columns added at each edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns at the left.
    pub left: usize,
    /// Columns at the right.
    pub right: usize,
}

impl Padding {
    /// Whether nothing is added.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            top: self.top + other.top,
            bottom: self.bottom + other.bottom,
            left: self.left + other.left,
            right: self.right + other.right,
        }
    }
}

impl Window {
    /// A square window with stride 1 that stays inside.
    pub(crate) const fn square(side: usize) -> Self {
        Self::new(side, side)
    }

    pub(crate) const fn new(height: usize, width: usize) -> Self {
        Self { kernel: [height, width], stride: [1, 1], padding: PaddingRule::Valid }
    }

    pub(crate) const fn stride(mut self, stride: usize) -> Self {
        self.stride = [stride, stride];
        self
    }

    pub(crate) const fn same(mut self) -> Self {
        self.padding = PaddingRule::Same;
        self
    }

    /// The padding for a map of this height and width.
    pub(crate) fn padding_for(&self, [height, width]: [usize; 2]) -> Padding {
        match self.padding {
            PaddingRule::Valid => Padding::default(),
            PaddingRule::Explicit(padding) => padding,
            PaddingRule::Same => {
                let [top, bottom] = same(height, self.kernel[0], self.stride[0]);
                let [left, right] = same(width, self.kernel[1], self.stride[1]);
                Padding { top, bottom, left, right }
            }
        }
    }

    /// Height and width of what leaves the window; 0 where the window does not fit.
    pub(crate) fn output(&self, map: [usize; 2]) -> [usize; 2] {
        let padding = self.padding_for(map);
        let padded = [map[0] + padding.top + padding.bottom, map[1] + padding.left + padding.right];
        [0, 1].map(|axis| match (map[axis], padded[axis].checked_sub(self.kernel[axis])) {
            (1.., Some(steps)) => steps / self.stride[axis] + 1,
            _ => 0,
        })
    }
}

/// TensorFlow's padding before and behind a side (`tensorflow/core/framework/kernel_shape_util.cc`).
fn same(side: usize, kernel: usize, stride: usize) -> [usize; 2] {
    let output = side.div_ceil(stride);
    let total = (output.saturating_sub(1) * stride + kernel).saturating_sub(side);
    [total / 2, total - total / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_tensorflows_and_depends_on_the_side() {
        assert_eq!(same(180, 3, 1), [1, 1]);
        assert_eq!(same(180, 3, 2), [0, 1]);
        assert_eq!(same(45, 3, 2), [1, 1]);
        assert_eq!(same(224, 5, 2), [1, 2]);
        assert_eq!(same(7, 1, 2), [0, 0]);
        assert_eq!(Window::square(3).stride(2).same().output([45, 180]), [23, 90]);
    }

    #[test]
    fn a_window_that_does_not_fit_leaves_nothing() {
        assert_eq!(Window::square(3).output([2, 9]), [0, 7]);
        assert_eq!(Window::square(3).stride(2).output([7, 8]), [3, 3]);
        assert_eq!(Window::square(3).same().output([0, 1]), [0, 1]);
    }
}
