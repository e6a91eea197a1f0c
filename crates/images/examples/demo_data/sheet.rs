//! Transparent sheets to draw shapes on, and their colours.

use image::{GrayImage, Luma, RgbImage, imageops::fast_blur};
use tiny_skia::{BlendMode, FillRule, Paint, PathBuilder, Pixmap, Transform};

use crate::random::Random;

/// A place on a sheet.
pub type Point = [f32; 2];

/// Red, green and blue, 0 to 255: not yet whole, and a cast to bytes cuts off what is beyond.
pub type Color = [f32; 3];

pub const BLACK: Color = [0.0; 3];
pub const WHITE: Color = [255.0; 3];

/// Part of the way from one colour to another.
pub fn mix(from: Color, to: Color, share: f32) -> Color {
    std::array::from_fn(|channel| from[channel] + (to[channel] - from[channel]) * share)
}

/// One of several colours (0xrrggbb), each channel a little up or down, and all of them together.
pub fn shade(colors: &[u32], amount: f32, random: &mut Random) -> Color {
    let [_, color @ ..] = random.pick(colors).to_be_bytes();
    let light = random.between(-amount, amount);
    color.map(|value| f32::from(value) + light + random.between(-amount, amount) * 0.5)
}

/// Paint that goes over everything, stays atop of what is drawn already, or takes away from it.
pub fn paint(color: Color, opacity: f32, blend_mode: BlendMode) -> Paint<'static> {
    let [red, green, blue] = color.map(|value| value as u8);
    let mut paint = Paint { blend_mode, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, (opacity * 255.0) as u8);
    paint
}

/// Points at even steps from 0 to 1.
pub fn curve(steps: u8, point: impl Fn(f32) -> Point) -> Vec<Point> {
    (0..=steps).map(|step| point(f32::from(step) / f32::from(steps))).collect()
}

/// Sine and cosine of an angle in turns: 1 is a full circle.
pub fn sine_cosine(turns: f32) -> (f32, f32) {
    libm::sincosf(turns * std::f32::consts::TAU)
}

/// A sheet as large as the picture, with a frame of coordinates for what is drawn next.
pub struct Sheet {
    pixmap: Pixmap,
    frame: Transform,
}

impl Sheet {
    pub fn new(width: u32, height: u32) -> Self {
        let pixmap = Pixmap::new(width, height).expect("a picture has between one and a few million pixels");
        Self { pixmap, frame: Transform::identity() }
    }

    /// From now on `center` is [0, 0], a unit is `scale` pixels, and the x axis is turned.
    pub fn at(&mut self, center: Point, scale: f32, turns: f32) {
        let (sine, cosine) = sine_cosine(turns);
        let (sine, cosine) = (sine * scale, cosine * scale);
        self.frame = Transform::from_row(cosine, sine, -sine, cosine, center[0], center[1]);
    }

    pub fn polygon(&mut self, corners: &[Point], paint: &Paint) {
        let mut path = PathBuilder::new();
        path.move_to(corners[0][0], corners[0][1]);
        corners.iter().for_each(|corner| path.line_to(corner[0], corner[1]));
        // No path comes of corners that are all in one place.
        if let Some(path) = path.finish() {
            self.pixmap.fill_path(&path, paint, FillRule::Winding, self.frame, None);
        }
    }

    /// A line that tapers to less than half its width.
    pub fn ribbon(&mut self, line: &[Point], width: f32, paint: &Paint) {
        let last = line.len() - 1;
        let corner = |(step, side): (usize, f32)| {
            let (before, after) = (line[step.saturating_sub(1)], line[(step + 1).min(last)]);
            let along = [after[0] - before[0], after[1] - before[1]];
            let length = (along[0] * along[0] + along[1] * along[1]).sqrt().max(1e-6);
            let half = side * width * (0.5 - 0.3 * step as f32 / last as f32) / length;
            [line[step][0] - along[1] * half, line[step][1] + along[0] * half]
        };
        let around = (0..=last).map(|step| (step, 1.0)).chain((0..=last).rev().map(|step| (step, -1.0)));
        self.polygon(&around.map(corner).collect::<Vec<_>>(), paint);
    }

    /// Lays the sheet on a scene of its size, on its shifted shadow. By hand: tiny-skia goes by floats.
    pub fn lay(&self, scene: &mut RgbImage, shift: [i32; 2]) {
        let coverage = |x, y| Luma([self.pixmap.pixel(x, y).map_or(0, |pixel| pixel.alpha())]);
        let shade = fast_blur(&GrayImage::from_fn(scene.width(), scene.height(), coverage), 2.5);
        for ((x, y, pixel), above) in scene.enumerate_pixels_mut().zip(self.pixmap.pixels()) {
            // What would lie beyond the left or upper edge wraps to beyond the right or lower one: no shadow.
            let from = [x.wrapping_add_signed(-shift[0]), y.wrapping_add_signed(-shift[1])];
            let dark = shade.get_pixel_checked(from[0], from[1]).map_or(0, |dark| dark[0]);
            let through = (1.0 - 0.45 * f32::from(dark) / 255.0) * f32::from(255 - above.alpha()) / 255.0;
            for (below, above) in pixel.0.iter_mut().zip([above.red(), above.green(), above.blue()]) {
                *below = above.saturating_add((f32::from(*below) * through + 0.5) as u8);
            }
        }
    }
}
