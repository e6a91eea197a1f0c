//! Turning, zooming and moving: each pixel of the new image is taken from a place in the old one.

use convbase_core::{FillMode, Interpolation};

use super::change::Image;
use super::fill::inside;

/// Where a pixel is taken from: column a·x + b·y + c, row d·x + e·y + f, in pixels whose centres are whole numbers.
///
/// Matrices and their arithmetic are those of Keras 3.15 with TensorFlow, in single precision, operation by operation:
/// the same parameters give the same places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Affine([f32; 6]);

impl Affine {
    /// Around the middle of the image (Keras `_compute_affine_matrix`).
    pub(super) fn rotation(degrees: f32, height: u32, width: u32) -> Self {
        let angle = f64::from(degrees * (std::f64::consts::PI / 180.0) as f32);
        // Not the system's functions, whose last digits differ from machine to machine.
        let (cos, sin) = (libm::cos(angle) as f32, libm::sin(angle) as f32);
        let (middle_x, middle_y) = (0.5 * (width as f32 - 1.0), 0.5 * (height as f32 - 1.0));
        let c = middle_x - middle_x * cos - middle_y * -sin;
        let f = middle_y - middle_x * sin - middle_y * cos;
        Self([cos, -sin, c, sin, cos, f])
    }

    /// Around the middle of the image; a factor below 1 makes it larger (Keras `_get_zoom_matrix`).
    pub(super) fn zoom(factor: f32, height: u32, width: u32) -> Self {
        let offset = |length: u32| (length as f32 - 1.0) / 2.0 * (1.0 - factor);
        Self([factor, 0.0, offset(width), 0.0, factor, offset(height)])
    }

    /// By so many pixels to the right and down (Keras `_get_translation_matrix`).
    pub(super) fn translation(right: f32, down: f32) -> Self {
        Self([1.0, 0.0, -right, 0.0, 1.0, -down])
    }

    /// Fills `target` as TensorFlow's `ImageProjectiveTransformV3` does.
    pub(super) fn transform(
        self,
        source: &Image,
        target: &mut Image,
        fill: FillMode,
        interpolation: Interpolation,
    ) {
        let Self([a, b, c, d, e, f]) = self;
        let width = source.width as usize;
        for (index, pixel) in target.pixels.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (x, y) = ((index % width) as f32, (index / width) as f32);
            let column = inside(fill, a * x + b * y + c, source.width);
            let row = inside(fill, d * x + e * y + f, source.height);
            *pixel = match interpolation {
                // Halves away from zero, as C's `round`.
                Interpolation::Nearest => source.at(row.round() as i64, column.round() as i64),
                _ => bilinear(source, row, column),
            };
        }
    }
}

/// The mean of the four pixels around a place, each by how near it is. Outside the image lies 0.
fn bilinear(source: &Image, row: f32, column: f32) -> [f32; 3] {
    let (top, left) = (row.floor(), column.floor());
    let (bottom, right) = (top + 1.0, left + 1.0);
    let (near_top, near_left) = (bottom - row, right - column);
    let (near_bottom, near_right) = (row - top, column - left);
    let (y, x) = (top as i64, left as i64);
    let corners = [source.at(y, x), source.at(y, x + 1), source.at(y + 1, x), source.at(y + 1, x + 1)];
    let [a, b, c, d] = corners;
    [0, 1, 2].map(|channel| {
        let above = near_left * a[channel] + near_right * b[channel];
        let below = near_left * c[channel] + near_right * d[channel];
        near_top * above + near_bottom * below
    })
}
