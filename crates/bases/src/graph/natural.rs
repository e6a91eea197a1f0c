//! Image sizes at which "same" padding treats every map alike.

use convbase_core::ImageSize;

use super::{Graph, GraphError, Operator, PaddingRule};

impl Graph {
    /// Whether, at this size, a strided convolution with "same" padding meets a side that its stride does not divide.
    ///
    /// TensorFlow then pads other edges than at the sizes that bases are trained at, and the grid of the map lies
    /// half a step off: features are a little worse (Lite0 of EfficientNet at 180, whose third map has 45 rows).
    pub fn shifts(&self, layer: &str, size: ImageSize) -> Result<bool, GraphError> {
        let position = self.position(layer)?;
        let shapes = self.shapes(position, size)?;
        Ok(self.shifts_where(&self.needed(position), &shapes))
    }

    /// The next two sides from `side` on, in pixels, at which nothing shifts: for a hint.
    pub fn natural_sides(&self, layer: &str, side: u32) -> Result<Vec<u32>, GraphError> {
        let needed = self.needed(self.position(layer)?);
        let is_natural = |&side: &u32| {
            let shapes = self.shapes_where(&needed, [side as usize; 2]);
            shapes.is_some_and(|shapes| !self.shifts_where(&needed, &shapes))
        };
        Ok((side..=ImageSize::MOST).filter(is_natural).take(2).collect())
    }

    fn shifts_where(&self, needed: &[bool], shapes: &[[usize; 3]]) -> bool {
        self.nodes.iter().zip(needed).filter(|(_, needed)| **needed).any(|(node, _)| {
            let (Operator::Convolution { window, .. } | Operator::SeparableConvolution { window }) =
                &node.operator
            else {
                return false;
            };
            // A kernel of one pixel needs no padding, whatever its stride.
            let shifts = |axis: usize| {
                window.kernel[axis] > 1 && !shapes[node.inputs[0]][axis].is_multiple_of(window.stride[axis])
            };
            window.padding == PaddingRule::Same && (shifts(0) || shifts(1))
        })
    }
}
