//! Intervals below each other, each with the number that was measured.

use askama::Template;
use convbase_figures::{Range, Tick};

/// A number with its interval.
#[derive(Debug, Clone)]
pub(super) struct Whisker {
    pub(super) name: String,
    pub(super) low: f64,
    pub(super) found: f64,
    pub(super) high: f64,
}

/// A chart of intervals, in the colours of its page.
#[derive(Debug, Clone, Template)]
#[template(path = "whiskers.html")]
pub(super) struct Whiskers<'a> {
    /// Distinct on its page.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// A sentence on how to read it.
    pub(super) caption: &'a str,
    pub(super) whiskers: Vec<Whisker>,
    /// A number to compare with, which is drawn too.
    pub(super) reference: Option<f64>,
}

impl Whiskers<'_> {
    const WIDTH: usize = 480;
    const LEFT: usize = 16;
    const RIGHT: usize = 464;
    const ROW: usize = 44;
    /// Room for the numbers below the rows.
    const FOOT: usize = 30;
    const TICKS: usize = 5;

    fn height(&self) -> usize {
        self.bottom() + Self::FOOT
    }

    fn bottom(&self) -> usize {
        self.whiskers.len() * Self::ROW + 4
    }

    /// What all intervals lie in, with a little room.
    fn range(&self) -> Range {
        let ends = self.whiskers.iter().flat_map(|whisker| [whisker.low, whisker.high]);
        Range::covering(ends.chain(self.reference)).unwrap_or(Range::new(0.0, 1.0)).padded()
    }

    fn x(&self, number: &f64) -> String {
        let (left, right) = (Self::LEFT as f64, Self::RIGHT as f64);
        format!("{:.1}", left + self.range().position(*number) * (right - left))
    }

    /// Where the name of a row stands, and its line.
    fn name_y(row: &usize) -> usize {
        row * Self::ROW + 18
    }

    fn line_y(row: &usize) -> usize {
        row * Self::ROW + 32
    }

    fn ticks(&self) -> Vec<Tick> {
        Tick::round(self.range(), Self::TICKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_lie_within_the_frame_and_names_are_escaped() {
        let whisker = |name: &str, low, found, high| Whisker { name: name.to_owned(), low, found, high };
        let chart = Whiskers {
            id: "x",
            title: "A & B",
            caption: "how",
            whiskers: vec![whisker("<a>", 0.25, 0.5, 0.75), whisker("b", 0.5, 0.5, 0.5)],
            reference: Some(0.0),
        };
        let place = |number: f64| chart.x(&number).parse::<f64>().unwrap();
        assert!(place(0.0) > 16.0 && place(0.0) < place(0.25) && place(0.25) < place(0.75));
        assert!(place(0.75) < 464.0);
        let text = chart.render().unwrap();
        assert!(text.contains("&#60;a&#62;") && text.contains("A &#38; B"), "{text}");
        let one = Whiskers { whiskers: vec![whisker("b", 1.0, 1.0, 1.0)], reference: None, ..chart };
        assert!(!one.render().unwrap().contains("NaN"));
    }
}
