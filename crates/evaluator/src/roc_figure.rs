//! The receiver operating characteristic of two classes as a figure.

use anyhow::ensure;
use convbase_figures::{
    Axes, Canvas, Color, FigureError, LegendEntry, Range, Rendered, Sample, TITLE, Tick, draw_legend, render,
};

const WIDTH: u32 = 1100;
const HEIGHT: u32 = 1160;
const FRAME_SIDE: f64 = 900.0;
const FRAME_TOP: f64 = 145.0;

/// With no more points than these each is drawn: they are the thresholds, and a line alone would hide how few.
const MOST_DOTTED: usize = 25;

/// Draws the true positive rate against the false positive rate, with the area under it in the legend.
///
/// Points that are not numbers are skipped, as is an area that is not one.
pub fn draw_roc(
    false_positive_rate: &[f64],
    true_positive_rate: &[f64],
    area: f64,
    positive_class: &str,
) -> anyhow::Result<Rendered> {
    let (across, up) = (false_positive_rate, true_positive_rate);
    ensure!(
        across.len() == up.len(),
        "cannot draw a ROC curve: expected as many true as false positive rates, found {} and {}",
        up.len(),
        across.len(),
    );
    let points: Vec<_> = across
        .iter()
        .copied()
        .zip(up.iter().copied())
        .filter(|(across, up)| !across.is_nan() && !up.is_nan())
        .collect();
    ensure!(!points.is_empty(), "cannot draw a ROC curve: expected at least one point, found none");
    let rate = -1e-9..=1.0 + 1e-9;
    if let Some((across, up)) =
        points.iter().find(|(across, up)| !rate.contains(across) || !rate.contains(up))
    {
        anyhow::bail!("cannot draw a ROC curve: expected rates from 0 to 1, found ({across}, {up})");
    }
    Ok(render(WIDTH, HEIGHT, |canvas| draw(canvas, &points, area, positive_class))?)
}

fn draw(
    canvas: &mut Canvas<'_>,
    points: &[(f64, f64)],
    area: f64,
    positive_class: &str,
) -> Result<(), FigureError> {
    // A little more than 0 to 1, so that the line is not cut in half where it runs along the frame.
    let range = Range::new(-0.015, 1.015);
    let corner = (Axes::LEFT_MARGIN, FRAME_TOP);
    let axes = Axes::new(corner, (corner.0 + FRAME_SIDE, corner.1 + FRAME_SIDE), range, range);
    let ticks = Tick::round(range, 6);
    axes.draw(canvas, ("False positive rate", "True positive rate"), (&ticks, &ticks))?;

    let middle = axes.left().midpoint(axes.right());
    let start = "ROC curve for class ";
    let name = TITLE.shortened(positive_class, FRAME_SIDE - TITLE.room(start)?)?;
    canvas.text(&format!("{start}{name}"), TITLE, (middle, 45.0))?;
    let curve = if area.is_nan() { "area not defined".to_owned() } else { format!("area {area:.3}") };
    let entries = [
        LegendEntry { label: &curve, color: Color::BLUE, sample: Sample::Solid },
        LegendEntry { label: "chance, area 0.5", color: Color::GREY, sample: Sample::Dashed },
    ];
    draw_legend(canvas, &entries, (middle, 102.0))?;

    let chance = [axes.point((0.0, 0.0)), axes.point((1.0, 1.0))];
    canvas.dashed_line(&chance, (16.0, 13.0), 4.0, Color::GREY)?;
    let places: Vec<_> = points.iter().map(|point| axes.point(*point)).collect();
    canvas.line(&places, 6.0, Color::BLUE)?;
    if places.len() <= MOST_DOTTED {
        for place in places {
            canvas.disc(place, 9.0, Color::BLUE)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::draw_roc;

    const ACROSS: [f64; 5] = [0.0, 0.0, 0.25, 0.25, 1.0];
    const UP: [f64; 5] = [0.0, 0.5, 0.5, 1.0, 1.0];

    #[test]
    fn the_same_curve_gives_the_same_bytes() {
        let draw = || draw_roc(&ACROSS, &UP, 0.875, "dogs").unwrap();
        assert_eq!(draw(), draw());
    }

    #[test]
    fn the_figure_names_its_axes_the_class_and_the_area() {
        let svg = draw_roc(&ACROSS, &UP, 0.875, "<b>&\"").unwrap().svg;
        let title = "ROC curve for class &lt;b&gt;&amp;&quot;";
        for text in ["False positive rate", "True positive rate", "area 0.875", "chance, area 0.5", title] {
            assert!(svg.lines().any(|line| line == text), "{text} is missing");
        }
    }

    #[test]
    fn points_that_are_not_numbers_are_skipped() {
        let with_gap = draw_roc(&[0.0, f64::NAN, 1.0], &[0.0, 0.5, 1.0], f64::NAN, "dogs").unwrap();
        let without = draw_roc(&[0.0, 1.0], &[0.0, 1.0], f64::NAN, "dogs").unwrap();
        assert_eq!(with_gap, without);
        assert!(without.svg.contains("area not defined"));
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        let message = |across: &[f64], up: &[f64]| draw_roc(across, up, 0.5, "dogs").unwrap_err().to_string();
        assert!(message(&[], &[]).ends_with("expected at least one point, found none"));
        assert!(message(&[f64::NAN], &[0.0]).ends_with("expected at least one point, found none"));
        assert!(message(&[0.0, 1.0], &[0.0]).ends_with("found 1 and 2"));
        assert!(message(&[0.0, 1.5], &[0.0, 1.0]).ends_with("expected rates from 0 to 1, found (1.5, 1)"));
    }
}
