//! A confusion matrix as a heat map.

use anyhow::ensure;
use convbase_figures::{
    AXIS_TITLE, Axes, Canvas, Color, FigureError, Horizontal, Lettering, Range, Rendered, TICK, TITLE, Tick,
    Vertical, render,
};

const TOP: f64 = 110.0;
/// Room to the left of the frame for the axis title.
const TITLE_ROOM: f64 = 75.0;
/// The most room a class name may take.
const NAME_ROOM: f64 = 340.0;
/// Room to the right of the frame for the scale of the shades.
const SCALE_ROOM: f64 = 240.0;
const GAP: f64 = 14.0;
/// The smallest letters in a cell or beside a row that anyone can read.
const SMALLEST: f64 = 11.0;

/// Draws counts and, by shade and per cent, the share of each true class; rows are true classes.
pub fn draw_confusion(classes: &[String], counts: &[Vec<u64>]) -> anyhow::Result<Rendered> {
    ensure!(!classes.is_empty(), "cannot draw a confusion matrix: expected at least one class, found none");
    ensure!(
        counts.len() == classes.len() && counts.iter().all(|row| row.len() == classes.len()),
        "cannot draw a confusion matrix: expected {0} rows of {0} counts, found {1:?}",
        classes.len(),
        counts.iter().map(Vec::len).collect::<Vec<_>>(),
    );
    let matrix = Matrix { counts, layout: Layout::new(classes)? };
    let (width, height) = matrix.layout.size();
    Ok(render(width, height, |canvas| matrix.draw(canvas))?)
}

/// Where everything goes, which depends on how many classes there are and how long their names.
struct Layout {
    side: f64,
    cell: f64,
    names: Vec<String>,
    lettering: Lettering,
    /// Every how many classes a name is written.
    stride: usize,
    /// Room for the names beside the rows.
    rows: f64,
    /// Room for the names below the columns.
    columns: f64,
    upwards: bool,
}

impl Layout {
    fn new(classes: &[String]) -> Result<Self, FigureError> {
        let count = classes.len() as f64;
        // Cells of 44 units hold three digits; more classes make the figure larger, up to a point.
        let side = (count * 44.0).clamp(900.0, 2640.0);
        let cell = side / count;
        let size = (cell * 0.6).clamp(18.0, TICK.size());
        let lettering = Lettering::sized(size);
        let mut names = Vec::with_capacity(classes.len());
        let mut longest = 0f64;
        for class in classes {
            let name = lettering.shortened(class, NAME_ROOM)?;
            longest = longest.max(lettering.room(&name)?);
            names.push(name);
        }
        let upwards = longest + GAP > cell;
        let columns = if upwards { longest } else { size };
        let stride = (size * 1.15 / cell).ceil().max(1.0) as usize;
        Ok(Self { side, cell, names, lettering, stride, rows: longest, columns, upwards })
    }

    fn left(&self) -> f64 {
        TITLE_ROOM + self.rows + GAP
    }

    fn size(&self) -> (u32, u32) {
        let width = self.left() + self.side + SCALE_ROOM;
        let height = TOP + self.side + GAP + self.columns + 66.0;
        (width.ceil() as u32, height.ceil() as u32)
    }

    fn corner(&self, row: usize, column: usize) -> (f64, f64) {
        (self.left() + column as f64 * self.cell, TOP + row as f64 * self.cell)
    }

    fn frame(&self) -> Axes {
        let unit = Range::new(0.0, 1.0);
        Axes::new(self.corner(0, 0), (self.left() + self.side, TOP + self.side), unit, unit)
    }
}

struct Matrix<'a> {
    counts: &'a [Vec<u64>],
    layout: Layout,
}

impl Matrix<'_> {
    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), FigureError> {
        let layout = &self.layout;
        self.draw_cells(canvas)?;
        self.draw_names(canvas)?;
        let frame = layout.frame();
        frame.draw_frame(canvas)?;
        draw_scale(canvas, frame.right() + 50.0)?;

        let (middle_x, middle_y) =
            (frame.left().midpoint(frame.right()), frame.top().midpoint(frame.bottom()));
        canvas.text(&self.title(), TITLE, (middle_x, TOP / 2.0))?;
        let below = AXIS_TITLE.placed(Horizontal::Center, Vertical::Bottom);
        canvas.text("Predicted class", below, (middle_x, canvas.height() - 22.0))?;
        let beside = AXIS_TITLE.upwards().placed(Horizontal::Center, Vertical::Top);
        canvas.text("True class", beside, (20.0, middle_y))
    }

    fn title(&self) -> String {
        // Counts from a file may be any number: summed where they cannot overflow, divided once.
        let total: u128 = self.counts.iter().flatten().map(|count| u128::from(*count)).sum();
        let right: u128 = self.counts.iter().enumerate().map(|(class, row)| u128::from(row[class])).sum();
        if total == 0 {
            return "Confusion matrix: no samples".to_owned();
        }
        format!("Accuracy {:.1} % ({right} of {total})", 100.0 * right as f64 / total as f64)
    }

    fn draw_cells(&self, canvas: &mut Canvas<'_>) -> Result<(), FigureError> {
        let cell = self.layout.cell;
        let writing = Writing::fitting(self.counts, cell)?;
        for (row, counts) in self.counts.iter().enumerate() {
            let total: u128 = counts.iter().map(|count| u128::from(*count)).sum();
            for (column, count) in counts.iter().enumerate() {
                let share = if total == 0 { 0.0 } else { *count as f64 / total as f64 };
                let shade = Color::shade(share);
                let (x, y) = self.layout.corner(row, column);
                // The paper is white already, which matters for a matrix of a thousand classes.
                if *count > 0 {
                    canvas.fill((x, y), (x + cell, y + cell), shade)?;
                }
                let percentage = (total > 0).then_some(100.0 * share);
                writing.draw(canvas, *count, percentage, (x + cell / 2.0, y + cell / 2.0), shade)?;
            }
        }
        if self.layout.cell > 2.0 * SMALLEST {
            self.draw_grid(canvas)?;
        }
        Ok(())
    }

    fn draw_grid(&self, canvas: &mut Canvas<'_>) -> Result<(), FigureError> {
        let frame = self.layout.frame();
        for line in 1..self.counts.len() {
            let (x, y) = self.layout.corner(line, line);
            canvas.line(&[(x, frame.top()), (x, frame.bottom())], 1.0, Color::LIGHT_GREY)?;
            canvas.line(&[(frame.left(), y), (frame.right(), y)], 1.0, Color::LIGHT_GREY)?;
        }
        Ok(())
    }

    fn draw_names(&self, canvas: &mut Canvas<'_>) -> Result<(), FigureError> {
        let layout = &self.layout;
        let beside = layout.lettering.placed(Horizontal::Right, Vertical::Middle);
        let below = if layout.upwards {
            beside.upwards()
        } else {
            layout.lettering.placed(Horizontal::Center, Vertical::Top)
        };
        for (class, name) in layout.names.iter().enumerate().step_by(layout.stride) {
            let (x, y) = layout.corner(class, class);
            canvas.text(name, beside, (layout.left() - GAP, y + layout.cell / 2.0))?;
            canvas.text(name, below, (x + layout.cell / 2.0, TOP + layout.side + GAP))?;
        }
        Ok(())
    }
}

/// The letters in the cells: equal in all of them, and none where they could not be read.
struct Writing {
    count: Option<Lettering>,
    percentage: Option<Lettering>,
}

impl Writing {
    fn fitting(counts: &[Vec<u64>], cell: f64) -> Result<Self, FigureError> {
        let longest = counts.iter().flatten().max().copied().unwrap_or(0).to_string();
        let widest = Lettering::sized(1.0).room(&longest)?;
        let percent = Lettering::sized(1.0).room("100.0 %")?;
        let both = (cell * 0.3).min(cell * 0.88 / widest).min(40.0);
        let small = (both * 0.75).min(cell * 0.85 / percent);
        if small >= SMALLEST * 1.2 {
            let (count, percentage) = (Lettering::sized(both), Lettering::sized(small));
            return Ok(Self { count: Some(count), percentage: Some(percentage) });
        }
        let alone = (cell * 0.5).min(cell * 0.88 / widest);
        Ok(Self { count: (alone >= SMALLEST).then(|| Lettering::sized(alone)), percentage: None })
    }

    fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        count: u64,
        percentage: Option<f64>,
        (x, y): (f64, f64),
        background: Color,
    ) -> Result<(), FigureError> {
        let Some(large) = self.count else { return Ok(()) };
        let ink = background.readable_ink();
        let (Some(small), Some(percentage)) = (self.percentage, percentage) else {
            // Among many classes a zero is worth no more than an empty cell, which is easier to read past.
            if count > 0 || self.percentage.is_some() {
                canvas.text(&count.to_string(), large.color(ink), (x, y))?;
            }
            return Ok(());
        };
        canvas.text(&count.to_string(), large.color(ink), (x, y - large.size() * 0.5))?;
        canvas.text(&format!("{percentage:.1} %"), small.color(ink), (x, y + large.size() * 0.6))
    }
}

/// What the shades mean, from white for none to dark for all.
fn draw_scale(canvas: &mut Canvas<'_>, left: f64) -> Result<(), FigureError> {
    const STEPS: u32 = 100;
    let (right, bottom) = (left + 36.0, TOP + 600.0);
    let range = Range::new(0.0, 100.0);
    let axes = Axes::new((left, TOP), (right, bottom), range, range);
    for step in 0..STEPS {
        let (from, to) = (f64::from(step), f64::from(step + 1));
        canvas.fill((left, axes.y(to)), (right, axes.y(from)), Color::shade((from + 0.5) / 100.0))?;
    }
    axes.draw_frame(canvas)?;
    for tick in Tick::round(range, 5) {
        let y = axes.y(tick.value);
        canvas.line(&[(right, y), (right + 8.0, y)], 2.0, Color::DARK_GREY)?;
        let beside = TICK.placed(Horizontal::Left, Vertical::Middle);
        canvas.text(&format!("{} %", tick.label), beside, (right + 16.0, y))?;
    }
    let title = AXIS_TITLE.upwards().placed(Horizontal::Center, Vertical::Bottom);
    canvas.text("Share of the true class", title, (right + 138.0, TOP.midpoint(bottom)))
}

#[cfg(test)]
mod tests;
