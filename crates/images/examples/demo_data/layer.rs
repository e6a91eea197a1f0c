//! A transparent sheet to draw shapes on.

use tiny_skia::{BlendMode, FillRule, Paint, PathBuilder, Pixmap, Transform};

use crate::tint::Tint;

/// A place in the picture, in pixels.
pub type Point = [f32; 2];

/// How a shape meets what is already on the layer.
#[derive(Clone, Copy)]
pub enum Ink {
    /// Over everything.
    Over,
    /// Only where something is drawn already.
    Inside,
    /// Takes away.
    Erase,
}

/// Only filled polygons of one colour are drawn: for these tiny-skia computes in whole numbers and plain
/// IEEE 754 sums, the same on every processor.
pub struct Layer {
    pixmap: Pixmap,
}

impl Layer {
    /// An empty layer. Sizes come from this program and are never zero or huge.
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            pixmap: Pixmap::new(width, height).expect("a picture has between one and a few million pixels"),
        }
    }

    pub fn width(&self) -> u32 {
        self.pixmap.width()
    }

    pub fn height(&self) -> u32 {
        self.pixmap.height()
    }

    /// Fills a polygon. Fewer than three corners enclose nothing and draw nothing.
    pub fn polygon(&mut self, corners: &[Point], tint: Tint, opacity: f32, ink: Ink) {
        let Some((first, rest)) = corners.split_first().filter(|(_, rest)| rest.len() >= 2) else { return };
        let mut builder = PathBuilder::new();
        builder.move_to(first[0], first[1]);
        for corner in rest {
            builder.line_to(corner[0], corner[1]);
        }
        builder.close();
        let Some(path) = builder.finish() else { return };
        let [red, green, blue] = tint.bytes();
        let mut paint = Paint::default();
        paint.set_color_rgba8(red, green, blue, (opacity.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
        paint.blend_mode = match ink {
            Ink::Over => BlendMode::SourceOver,
            Ink::Inside => BlendMode::SourceAtop,
            Ink::Erase => BlendMode::DestinationOut,
        };
        self.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
    }

    /// A line that tapers from one width to another.
    pub fn ribbon(&mut self, line: &[Point], widths: (f32, f32), tint: Tint, opacity: f32, ink: Ink) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (step, point) in line.iter().enumerate() {
            let before = line[step.saturating_sub(1)];
            let after = line[(step + 1).min(line.len() - 1)];
            let along = [after[0] - before[0], after[1] - before[1]];
            let length = (along[0] * along[0] + along[1] * along[1]).sqrt().max(1e-6);
            let share = step as f32 / (line.len() - 1).max(1) as f32;
            let half = (widths.0 + (widths.1 - widths.0) * share) / 2.0;
            let across = [-along[1] / length * half, along[0] / length * half];
            left.push([point[0] + across[0], point[1] + across[1]]);
            right.push([point[0] - across[0], point[1] - across[1]]);
        }
        right.reverse();
        left.extend(right);
        self.polygon(&left, tint, opacity, ink);
    }

    /// How much of each pixel is covered, row by row.
    pub fn coverage(&self) -> Vec<u8> {
        self.pixmap.pixels().iter().map(|pixel| pixel.alpha()).collect()
    }

    /// Lays another layer of the same size on top, in whole numbers: tiny-skia would go by way of floats here.
    pub fn lay(&mut self, other: &Self) {
        let below = self.pixmap.data_mut().chunks_exact_mut(4);
        for (below, above) in below.zip(other.pixmap.data().chunks_exact(4)) {
            let through = 255 - u16::from(above[3]);
            for (below, &above) in below.iter_mut().zip(above) {
                *below = above.saturating_add(((u16::from(*below) * through + 127) / 255) as u8);
            }
        }
    }

    /// The bytes of the pixels: premultiplied red, green, blue and alpha.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.pixmap.data_mut()
    }

    /// The bytes of the pixels: premultiplied red, green, blue and alpha.
    pub fn bytes(&self) -> &[u8] {
        self.pixmap.data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [Point; 4] = [[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]];

    #[test]
    fn a_polygon_covers_its_inside_and_nothing_else() {
        let mut layer = Layer::new(4, 4);
        layer.polygon(&SQUARE, Tint::WHITE, 1.0, Ink::Over);
        let expected = [0, 0, 0, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 0, 0, 0];
        assert_eq!(layer.coverage(), expected);
    }

    #[test]
    fn ink_inside_never_leaves_the_shape_and_erasing_takes_it_away() {
        let everything = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];
        let mut layer = Layer::new(4, 4);
        layer.polygon(&SQUARE, Tint::WHITE, 1.0, Ink::Over);
        let before = layer.coverage();
        layer.polygon(&everything, Tint::BLACK, 1.0, Ink::Inside);
        assert_eq!(layer.coverage(), before);
        layer.polygon(&everything, Tint::BLACK, 1.0, Ink::Erase);
        assert!(layer.coverage().iter().all(|&alpha| alpha == 0));
    }
}
