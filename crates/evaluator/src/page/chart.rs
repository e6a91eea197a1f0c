//! Lines and bars as SVG inside of a page, in its colours, light or dark.

use askama::Template;
use convbase_figures::{Range, Tick};

/// The most ticks of an axis.
const TICKS: usize = 6;
/// Points of a line beyond which some are left out: more cannot be told apart in the width of a chart.
const MOST_POINTS: usize = 600;

/// What an axis shows.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) title: String,
    pub(crate) range: Range,
}

/// A line through points (across, up).
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// A class of `page.css`: `line0` to `line3`, or `reference`.
    pub(crate) style: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A bar that stands on the lower edge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bar {
    /// Across, from and to.
    pub(crate) between: (f64, f64),
    pub(crate) up: f64,
}

/// A chart with its words.
#[derive(Debug, Clone, Template)]
#[template(path = "chart.html")]
pub(crate) struct Chart {
    /// Distinct on its page.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    /// What is to be seen, for those who cannot see it.
    pub(crate) description: String,
    /// A sentence on how to read it, or nothing.
    pub(crate) caption: String,
    pub(crate) across: Axis,
    pub(crate) up: Axis,
    pub(crate) bars: Vec<Bar>,
    pub(crate) lines: Vec<Line>,
}

/// A tick at a place of the drawing.
struct Placed {
    at: String,
    label: String,
}

/// A bar at a place of the drawing.
struct DrawnBar {
    left: String,
    top: String,
    width: String,
    height: String,
}

impl Chart {
    const WIDTH: u32 = 480;
    const HEIGHT: u32 = 360;
    const LEFT: u32 = 64;
    const RIGHT: u32 = 468;
    const TOP: u32 = 10;
    const BOTTOM: u32 = 304;

    fn x(&self, across: f64) -> f64 {
        let (left, right) = (f64::from(Self::LEFT), f64::from(Self::RIGHT));
        left + self.across.range.position(across) * (right - left)
    }

    fn y(&self, up: f64) -> f64 {
        let (top, bottom) = (f64::from(Self::TOP), f64::from(Self::BOTTOM));
        bottom - self.up.range.position(up) * (bottom - top)
    }

    fn across_ticks(&self) -> Vec<Placed> {
        let ticks = Tick::round(self.across.range, TICKS).into_iter();
        ticks.map(|tick| Placed { at: place(self.x(tick.value)), label: tick.label }).collect()
    }

    fn up_ticks(&self) -> Vec<Placed> {
        let ticks = Tick::round(self.up.range, TICKS).into_iter();
        ticks.map(|tick| Placed { at: place(self.y(tick.value)), label: tick.label }).collect()
    }

    fn drawn_bars(&self) -> Vec<DrawnBar> {
        let bars = self.bars.iter().map(|bar| {
            let (left, right, top) = (self.x(bar.between.0), self.x(bar.between.1), self.y(bar.up));
            let height = f64::from(Self::BOTTOM) - top;
            DrawnBar { left: place(left), top: place(top), width: place(right - left), height: place(height) }
        });
        bars.collect()
    }

    /// The points of a polyline, thinned where there are too many; the first and the last stay.
    fn points(&self, points: &[(f64, f64)]) -> String {
        let step = points.len().div_ceil(MOST_POINTS).max(1);
        let last = points.len().saturating_sub(1);
        let kept =
            points.iter().enumerate().filter(|(position, _)| position % step == 0 || *position == last);
        let places =
            kept.map(|(_, &(across, up))| format!("{},{}", place(self.x(across)), place(self.y(up))));
        places.collect::<Vec<_>>().join(" ")
    }
}

/// A tenth of a unit is less than anyone sees.
fn place(number: f64) -> String {
    format!("{number:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> Chart {
        let axis = |title: &str| Axis { title: title.to_owned(), range: Range::new(0.0, 1.0) };
        Chart {
            id: "roc",
            title: "A & B".to_owned(),
            description: "falls".to_owned(),
            caption: String::new(),
            across: axis("across"),
            up: axis("up"),
            bars: vec![Bar { between: (0.0, 0.5), up: 0.5 }],
            lines: vec![Line { name: "one".to_owned(), style: "line0", points }],
        }
    }

    #[test]
    fn corners_of_the_axes_are_corners_of_the_frame_and_names_are_escaped() {
        let text = chart(vec![(0.0, 0.0), (1.0, 1.0)]).render().unwrap();
        assert!(text.contains(r#"points="64.0,304.0 468.0,10.0""#), "{text}");
        assert!(text.contains(r#"x="64.0" y="157.0" width="202.0" height="147.0""#), "{text}");
        assert!(text.contains("A &#38; B") && !text.contains("A & B"), "{text}");
    }

    #[test]
    fn a_long_line_is_thinned_and_keeps_its_ends() {
        let points = (0..10_000).map(|index| (f64::from(index) / 9_999.0, 0.5)).collect();
        let chart = chart(points);
        let text = chart.points(&chart.lines[0].points);
        let places: Vec<&str> = text.split(' ').collect();
        assert!(places.len() <= MOST_POINTS + 1, "{}", places.len());
        assert!(places[0].starts_with("64.0,") && places[places.len() - 1].starts_with("468.0,"), "{text}");
    }
}
