//! Figures: one drawing, rendered to SVG and to PNG.
//!
//! A figure is a closure over a [`Canvas`]. [`render`] calls it twice, once on a vector surface and once on a
//! bitmap, so that both files show the same. The letters of the bitmap come from a font inside the program,
//! and nothing depends on the machine or the time: equal input gives equal bytes.
//!
//! Sizes are chosen for a slide: canvases are about 1600 units wide and no text that matters is below 22 of
//! them. Colours are the colour-blind safe ones of Okabe and Ito, and lines differ by marks or dashes as well.

mod axes;
mod canvas;
mod legend;
mod lettering;
mod palette;
mod range;
mod surface;

pub use axes::{Axes, Tick};
pub use canvas::Canvas;
pub use legend::{LegendEntry, Sample, draw_legend};
pub use lettering::{AXIS_TITLE, Horizontal, LEGEND, Lettering, TICK, TITLE, Vertical};
pub use palette::Color;
pub use range::{Range, format_with_step};

use plotters::prelude::{BitMapBackend, SVGBackend};
use surface::{Kind, PlottersSurface, Surface};

/// The longest side a figure may have, in units of the canvas.
const LONGEST_SIDE: u32 = 8192;

/// Why a figure could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// A side is zero, or so long that the bitmap would not fit into memory.
    #[error("cannot draw a figure of {width}x{height}: expected sides from 1 to {LONGEST_SIDE}")]
    Size {
        /// Width asked for.
        width: u32,
        /// Height asked for.
        height: u32,
    },
    /// The font inside the program could not be read.
    #[error("cannot read the built-in font")]
    Font,
    /// A piece of text could not be measured.
    #[error("cannot measure a text of the figure")]
    Measure(#[source] plotters::style::FontError),
    /// The drawing backend failed.
    #[error("cannot draw the figure")]
    Drawing(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The bitmap could not be encoded.
    #[error("cannot encode the figure as PNG")]
    Encoding(#[source] image::ImageError),
}

/// One drawing in both forms, as the bytes of two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text of an SVG file.
    pub svg: String,
    /// The bytes of a PNG file.
    pub png: Vec<u8>,
}

/// Calls `draw` on a vector and on a bitmap canvas of `width` times `height` units.
pub fn render(
    width: u32,
    height: u32,
    draw: impl Fn(&mut Canvas<'_>) -> Result<(), FigureError>,
) -> Result<Rendered, FigureError> {
    let sides = 1..=LONGEST_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(FigureError::Size { width, height });
    }
    lettering::register_font()?;
    let paint = |surface: &mut dyn Surface| {
        draw(&mut Canvas::new(surface, f64::from(width), f64::from(height)))?;
        surface.finish()
    };

    let mut svg = String::new();
    let mut vector = PlottersSurface::new(SVGBackend::with_string(&mut svg, (width, height)), Kind::Vector);
    // Without a sheet of its own an SVG is unreadable on a dark page; the bitmap starts white.
    vector.fill((0.0, 0.0), (width.into(), height.into()), Color::WHITE)?;
    paint(&mut vector)?;
    drop(vector);

    // Drawn twice as large and averaged down, which is what makes the edges smooth.
    let large = (width * 2, height * 2);
    let mut pixels = vec![u8::MAX; large.0 as usize * large.1 as usize * 3];
    let bitmap = BitMapBackend::with_buffer(&mut pixels, large);
    paint(&mut PlottersSurface::new(bitmap, Kind::Bitmap { scale: 2 }))?;
    Ok(Rendered { svg, png: encode(&halved(&pixels, width as usize), width, height)? })
}

/// Halves a bitmap of RGB pixels; `width` is that of the result.
fn halved(pixels: &[u8], width: usize) -> Vec<u8> {
    const PAIR: usize = 2 * 3;
    let mut small = Vec::with_capacity(pixels.len() / 4);
    for rows in pixels.chunks_exact(2 * width * PAIR) {
        let (upper, lower) = rows.split_at(width * PAIR);
        for (above, below) in upper.chunks_exact(PAIR).zip(lower.chunks_exact(PAIR)) {
            for channel in 0..3 {
                let upper = u16::from(above[channel]) + u16::from(above[channel + 3]);
                let lower = u16::from(below[channel]) + u16::from(below[channel + 3]);
                small.push(((upper + lower + 2) / 4) as u8);
            }
        }
    }
    small
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, FigureError> {
    use image::ImageEncoder as _;
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(pixels, width, height, image::ExtendedColorType::Rgb8)
        .map_err(FigureError::Encoding)?;
    Ok(png)
}

#[cfg(test)]
mod tests;
