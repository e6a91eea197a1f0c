use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color as _, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle,
};

use super::lettering::printable;
use super::{Color, FigureError, Horizontal, Lettering};

/// A point in units of the canvas, from its upper left corner.
pub(super) type Point = (f64, f64);

/// What a canvas can be drawn on.
pub(super) trait Surface {
    fn fill(&mut self, corner: Point, opposite: Point, color: Color) -> Result<(), FigureError>;
    fn stroke(&mut self, points: &[Point], width: f64, color: Color) -> Result<(), FigureError>;
    fn disc(&mut self, center: Point, radius: f64, color: Color) -> Result<(), FigureError>;
    fn write(&mut self, text: &str, lettering: Lettering, at: Point) -> Result<(), FigureError>;
    fn finish(&mut self) -> Result<(), FigureError>;
}

/// The two kinds of backend, which differ in how they scale, join lines and set text.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Vector,
    Bitmap { scale: u32 },
}

/// A surface on any of plotters' backends.
pub(super) struct PlottersSurface<Backend> {
    backend: Backend,
    kind: Kind,
}

impl<Backend: DrawingBackend<ErrorType: 'static>> PlottersSurface<Backend> {
    pub(super) fn new(backend: Backend, kind: Kind) -> Self {
        Self { backend, kind }
    }

    fn scale(&self) -> f64 {
        match self.kind {
            Kind::Vector => 1.0,
            Kind::Bitmap { scale } => f64::from(scale),
        }
    }

    fn pixel(&self, (x, y): Point) -> (i32, i32) {
        ((x * self.scale()).round() as i32, (y * self.scale()).round() as i32)
    }

    fn length(&self, length: f64) -> u32 {
        (length * self.scale()).round().max(1.0) as u32
    }

    /// The point moved along a text's line and across it, down from its letters.
    fn moved(&self, (x, y): Point, lettering: Lettering, along: f64, across: f64) -> (i32, i32) {
        self.pixel(if lettering.upwards { (x + across, y - along) } else { (x + along, y + across) })
    }

    fn write_as_text(&mut self, text: &str, lettering: Lettering, at: Point) -> Result<(), FigureError> {
        let anchor = match lettering.horizontal {
            Horizontal::Left => HPos::Left,
            Horizontal::Center => HPos::Center,
            Horizontal::Right => HPos::Right,
        };
        // The backend divides the size by 1.24, and sets the baseline 0.76 em below a point at the top.
        let style = text_style(font(lettering, lettering.size * 1.24), lettering, anchor);
        let at = self.moved(at, lettering, 0.0, lettering.baseline() - lettering.size * 0.76);
        self.backend.draw_text(text, &style, at).map_err(failed)
    }

    /// Word by word: plotters leaves out the room that a font keeps to the left of each letter, which does no
    /// harm inside a word, but makes words run into each other.
    fn write_in_pixels(&mut self, text: &str, lettering: Lettering, at: Point) -> Result<(), FigureError> {
        const OMITTED: f64 = 0.065;
        // The baseline is at half the size, which has to be whole to keep all letters of a line on it.
        let size = (lettering.line() * self.scale() / 2.0).round() * 2.0;
        let font = font(lettering, size);
        let pixels = |text: &str| match font.layout_box(text) {
            Ok(((left, _), (right, _))) => Ok(f64::from(right - left) / self.scale()),
            Err(error) => Err(FigureError::Measure(error)),
        };
        let omitted = lettering.size * OMITTED;
        let width = pixels(text)? + omitted * text.matches(' ').count() as f64;
        let before = match lettering.horizontal {
            Horizontal::Left => 0.0,
            Horizontal::Center => width / 2.0,
            Horizontal::Right => width,
        };
        let mut words = Vec::new();
        let mut start = 0;
        for (place, word) in text.split(' ').enumerate() {
            let along = pixels(&text[..start])? + omitted * (place + 1) as f64 - before;
            let drop = lettering.baseline() - size / 2.0 / self.scale();
            words.push((word, self.moved(at, lettering, along, drop)));
            start += word.len() + 1;
        }
        let style = text_style(font.clone(), lettering, HPos::Left);
        // The font is a light one: set twice, half a unit apart, it is regular; more often, bold.
        let strokes = if lettering.bold { 4 } else { 2 };
        for (word, (x, y)) in words {
            for stroke in 0..strokes {
                let at = if lettering.upwards { (x, y - stroke) } else { (x + stroke, y) };
                self.backend.draw_text(word, &style, at).map_err(failed)?;
            }
        }
        Ok(())
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> FigureError {
    FigureError::Drawing(Box::new(error))
}

fn style(color: Color, stroke_width: u32) -> ShapeStyle {
    ShapeStyle { color: RGBColor(color.0, color.1, color.2).into(), filled: true, stroke_width }
}

fn font(lettering: Lettering, size: f64) -> FontDesc<'static> {
    let weight = if lettering.bold { FontStyle::Bold } else { FontStyle::Normal };
    let turn = if lettering.upwards { FontTransform::Rotate270 } else { FontTransform::None };
    FontDesc::new(FontFamily::SansSerif, size, weight).transform(turn)
}

fn text_style(font: FontDesc<'static>, lettering: Lettering, anchor: HPos) -> TextStyle<'static> {
    let color = RGBColor(lettering.color.0, lettering.color.1, lettering.color.2);
    TextStyle { font, color: color.to_backend_color(), pos: Pos::new(anchor, VPos::Top) }
}

impl<Backend: DrawingBackend<ErrorType: 'static>> Surface for PlottersSurface<Backend> {
    fn fill(&mut self, corner: Point, opposite: Point, color: Color) -> Result<(), FigureError> {
        let (corner, opposite) = (self.pixel(corner), self.pixel(opposite));
        self.backend.draw_rect(corner, opposite, &style(color, 0), true).map_err(failed)
    }

    fn stroke(&mut self, points: &[Point], width: f64, color: Color) -> Result<(), FigureError> {
        let mut pixels: Vec<_> = points.iter().map(|point| self.pixel(*point)).collect();
        // A hundred thousand points of a curve are a few hundred different pixels.
        pixels.dedup();
        let style = style(color, self.length(width));
        if let Kind::Vector = self.kind {
            return self.backend.draw_path(pixels, &style).map_err(failed);
        }
        // A thick path becomes one polygon, which has holes where a noisy curve crosses its own border:
        // segment by segment, with round joints, has none.
        for segment in pixels.windows(2) {
            self.backend.draw_path(segment.iter().copied(), &style).map_err(failed)?;
        }
        if style.stroke_width > 2 && pixels.len() > 2 {
            for joint in &pixels[1..pixels.len() - 1] {
                self.backend.draw_circle(*joint, style.stroke_width / 2, &style, true).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn disc(&mut self, center: Point, radius: f64, color: Color) -> Result<(), FigureError> {
        let (center, radius) = (self.pixel(center), self.length(radius));
        self.backend.draw_circle(center, radius, &style(color, 1), true).map_err(failed)
    }

    fn write(&mut self, text: &str, lettering: Lettering, at: Point) -> Result<(), FigureError> {
        let text = printable(text);
        match self.kind {
            Kind::Vector => self.write_as_text(&text, lettering, at),
            Kind::Bitmap { .. } => self.write_in_pixels(&text, lettering, at),
        }
    }

    fn finish(&mut self) -> Result<(), FigureError> {
        self.backend.present().map_err(failed)
    }
}
