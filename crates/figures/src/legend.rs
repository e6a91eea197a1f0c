use super::{Canvas, Color, FigureError, Horizontal, LEGEND, Vertical};

/// How the line of an entry is drawn; the difference survives printing in grey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// A solid line.
    Solid,
    /// A dashed line.
    Dashed,
    /// Dots on a thin line.
    Dotted,
    /// Dots alone.
    Dots,
}

/// One line of a figure and what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegendEntry<'a> {
    /// What it is called.
    pub label: &'a str,
    /// Its colour.
    pub color: Color,
    /// How it is drawn.
    pub sample: Sample,
}

const SAMPLE_LENGTH: f64 = 64.0;
const GAP: f64 = 14.0;
const BETWEEN: f64 = 36.0;

/// Draws the entries in one row whose middle is at the point.
///
/// The row belongs above the frame: inside it, it would cover the lines of some history or other.
pub fn draw_legend(
    canvas: &mut Canvas<'_>,
    entries: &[LegendEntry<'_>],
    (middle, y): (f64, f64),
) -> Result<(), FigureError> {
    let mut widths = Vec::with_capacity(entries.len());
    for entry in entries {
        widths.push(SAMPLE_LENGTH + GAP + LEGEND.room(entry.label)?);
    }
    let total = widths.iter().sum::<f64>() + BETWEEN * entries.len().saturating_sub(1) as f64;
    let mut x = middle - total / 2.0;
    for (entry, width) in entries.iter().zip(widths) {
        draw_sample(canvas, entry, (x, y))?;
        let beside = LEGEND.placed(Horizontal::Left, Vertical::Middle);
        canvas.text(entry.label, beside, (x + SAMPLE_LENGTH + GAP, y))?;
        x += width + BETWEEN;
    }
    Ok(())
}

fn draw_sample(
    canvas: &mut Canvas<'_>,
    entry: &LegendEntry<'_>,
    (x, y): (f64, f64),
) -> Result<(), FigureError> {
    let ends = [(x, y), (x + SAMPLE_LENGTH, y)];
    match entry.sample {
        Sample::Solid => canvas.line(&ends, 5.0, entry.color),
        Sample::Dashed => canvas.dashed_line(&ends, (14.0, 11.0), 4.0, entry.color),
        Sample::Dotted | Sample::Dots => {
            if entry.sample == Sample::Dotted {
                canvas.line(&ends, 2.0, entry.color)?;
            }
            for share in [0.15, 0.5, 0.85] {
                canvas.disc((x + SAMPLE_LENGTH * share, y), 6.5, entry.color)?;
            }
            Ok(())
        }
    }
}
