use super::surface::{Point, Surface};
use super::{Color, FigureError, Lettering};

/// What a figure is drawn on: units from the upper left corner, in whatever form it ends up.
pub struct Canvas<'a> {
    surface: &'a mut dyn Surface,
    width: f64,
    height: f64,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(surface: &'a mut dyn Surface, width: f64, height: f64) -> Self {
        Self { surface, width, height }
    }

    /// Units from left to right.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Units from above to below.
    pub fn height(&self) -> f64 {
        self.height
    }

    /// Fills a rectangle, given by its upper left and lower right corner.
    pub fn fill(&mut self, corner: Point, opposite: Point, color: Color) -> Result<(), FigureError> {
        self.surface.fill(corner, opposite, color)
    }

    /// Draws a line through all the points.
    pub fn line(&mut self, points: &[Point], width: f64, color: Color) -> Result<(), FigureError> {
        if points.len() < 2 { Ok(()) } else { self.surface.stroke(points, width, color) }
    }

    /// Draws a line through all the points that is `dash` on and `gap` off.
    pub fn dashed_line(
        &mut self,
        points: &[Point],
        (dash, gap): (f64, f64),
        width: f64,
        color: Color,
    ) -> Result<(), FigureError> {
        for piece in dashes(points, dash, gap) {
            self.surface.stroke(&piece, width, color)?;
        }
        Ok(())
    }

    /// Draws a filled circle.
    pub fn disc(&mut self, center: Point, radius: f64, color: Color) -> Result<(), FigureError> {
        self.surface.disc(center, radius, color)
    }

    /// Draws a circle that is white inside, so that it stands out from the line it lies on.
    pub fn ring(&mut self, center: Point, radius: f64, width: f64, color: Color) -> Result<(), FigureError> {
        self.surface.disc(center, radius, color)?;
        self.surface.disc(center, radius - width, Color::WHITE)
    }

    /// Writes one line of text.
    pub fn text(&mut self, text: &str, lettering: Lettering, at: Point) -> Result<(), FigureError> {
        self.surface.write(text, lettering, at)
    }
}

/// The pieces of a line that are "on".
fn dashes(points: &[Point], dash: f64, gap: f64) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let (mut on, mut left) = (true, dash);
    for ends in points.windows(2) {
        let ((x, y), (to_x, to_y)) = (ends[0], ends[1]);
        let length = (to_x - x).hypot(to_y - y);
        let mut done = 0.0;
        if on && piece.is_empty() {
            piece.push(ends[0]);
        }
        while length - done > left {
            done += left;
            let turn = (x + (to_x - x) * done / length, y + (to_y - y) * done / length);
            piece.push(turn);
            if on {
                pieces.push(std::mem::take(&mut piece));
            }
            on = !on;
            left = if on { dash } else { gap };
        }
        left -= length - done;
        if on {
            piece.push(ends[1]);
        }
    }
    if on && piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::dashes;

    #[test]
    fn dashes_go_on_around_a_corner() {
        let pieces = dashes(&[(0.0, 0.0), (15.0, 0.0), (15.0, 10.0)], 6.0, 4.0);
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[0], [(0.0, 0.0), (6.0, 0.0)]);
        assert_eq!(pieces[1], [(10.0, 0.0), (15.0, 0.0), (15.0, 1.0)]);
        assert_eq!(pieces[2], [(15.0, 5.0), (15.0, 10.0)]);
    }

    #[test]
    fn a_line_without_length_has_no_dashes_to_draw() {
        assert!(dashes(&[], 6.0, 4.0).is_empty());
        assert!(dashes(&[(1.0, 1.0)], 6.0, 4.0).is_empty());
    }
}
