//! The history of a training as a figure: accuracy and loss against epochs, side by side.

use anyhow::bail;
use convbase_core::{EpochRecord, History};
use convbase_figures::{
    Axes, Canvas, Color, FigureError, Horizontal, LEGEND, LegendEntry, Range, Rendered, Sample, TITLE, Tick,
    Vertical, draw_legend, format_with_step, render,
};

const WIDTH: u32 = 1800;
const HEIGHT: u32 = 900;

/// Up to this many epochs the dots of the training are joined by a line; more would only scribble.
const MOST_JOINED: usize = 60;

const TRAINING: Color = Color::VERMILION;
const VALIDATION: Color = Color::BLUE;

/// Draws accuracy and loss against epochs and marks the epoch with the lowest validation loss.
pub fn draw_curves(history: &History) -> anyhow::Result<Rendered> {
    draw_records(history.records(), history.best())
}

fn draw_records(records: &[EpochRecord], best: Option<&EpochRecord>) -> anyhow::Result<Rendered> {
    if records.is_empty() {
        bail!("cannot draw curves: expected at least one epoch, found none");
    }
    let accuracy = Panel {
        title: "Training and validation accuracy",
        axis: "Accuracy",
        possible: (0.0, 1.0),
        training: |record| record.accuracy,
        validation: |record| record.val_accuracy,
    };
    let loss = Panel {
        title: "Training and validation loss",
        axis: "Loss",
        possible: (f64::NEG_INFINITY, f64::INFINITY),
        training: |record| record.loss,
        validation: |record| record.val_loss,
    };
    let half = f64::from(WIDTH) / 2.0;
    Ok(render(WIDTH, HEIGHT, |canvas| {
        accuracy.draw(canvas, 0.0, half, records, best)?;
        loss.draw(canvas, half, half, records, best)
    })?)
}

/// One of the two plots.
struct Panel {
    title: &'static str,
    axis: &'static str,
    /// The values that can be, from the least to the greatest.
    possible: (f64, f64),
    training: fn(&EpochRecord) -> f64,
    validation: fn(&EpochRecord) -> f64,
}

impl Panel {
    fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        left: f64,
        width: f64,
        records: &[EpochRecord],
        best: Option<&EpochRecord>,
    ) -> Result<(), FigureError> {
        let (across, up) = (epochs(records), self.values(records));
        let frame = ((left + Axes::LEFT_MARGIN, 190.0), (left + width - 40.0, canvas.height() - 105.0));
        let axes = Axes::new(frame.0, frame.1, across, up);
        let ticks = (epoch_ticks(records), self.value_ticks(up));
        axes.draw(canvas, ("Epoch", self.axis), (&ticks.0, &ticks.1))?;

        let middle = axes.left().midpoint(axes.right());
        canvas.text(self.title, TITLE, (middle, 45.0))?;
        let joined = records.len() <= MOST_JOINED;
        let entries = [
            LegendEntry {
                label: "Training",
                color: TRAINING,
                sample: if joined { Sample::Dotted } else { Sample::Dots },
            },
            LegendEntry { label: "Validation", color: VALIDATION, sample: Sample::Solid },
        ];
        draw_legend(canvas, &entries, (middle, 98.0))?;

        if let Some(best) = best {
            let x = axes.x(f64::from(best.epoch));
            canvas.dashed_line(&[(x, axes.bottom()), (x, axes.top())], (10.0, 8.0), 3.0, Color::DARK_GREY)?;
        }
        self.draw_training(canvas, &axes, records)?;
        self.draw_validation(canvas, &axes, records)?;
        if let Some(best) = best {
            self.mark_best(canvas, &axes, best)?;
        }
        Ok(())
    }

    /// The range of both lines. Infinite losses, and those that are no number, are left out.
    fn values(&self, records: &[EpochRecord]) -> Range {
        let values = records.iter().flat_map(|record| [(self.training)(record), (self.validation)(record)]);
        // A little further, or a line at 1 would be drawn on the frame.
        let (least, greatest) = (self.possible.0 - 0.02, self.possible.1 + 0.02);
        Range::covering(values).map_or(Range::new(0.0, 1.0), |range| range.padded().within(least, greatest))
    }

    fn value_ticks(&self, range: Range) -> Vec<Tick> {
        let (least, greatest) = self.possible;
        let possible = |tick: &Tick| (least - 1e-9..=greatest + 1e-9).contains(&tick.value);
        Tick::round(range, 8).into_iter().filter(possible).collect()
    }

    fn draw_training(
        &self,
        canvas: &mut Canvas<'_>,
        axes: &Axes,
        records: &[EpochRecord],
    ) -> Result<(), FigureError> {
        let runs = unbroken(records, self.training);
        if records.len() <= MOST_JOINED {
            for run in &runs {
                let points: Vec<_> = run.iter().map(|pair| axes.point(*pair)).collect();
                canvas.line(&points, 2.0, TRAINING)?;
            }
        }
        let radius = dot_radius(records.len());
        for pair in runs.iter().flatten() {
            canvas.disc(axes.point(*pair), radius, TRAINING)?;
        }
        Ok(())
    }

    fn draw_validation(
        &self,
        canvas: &mut Canvas<'_>,
        axes: &Axes,
        records: &[EpochRecord],
    ) -> Result<(), FigureError> {
        let width = if records.len() <= MOST_JOINED { 5.0 } else { 3.0 };
        for run in unbroken(records, self.validation) {
            let points: Vec<_> = run.iter().map(|pair| axes.point(*pair)).collect();
            // An epoch between two without a value has no line to be seen by.
            match points[..] {
                [point] => canvas.disc(point, 5.0, VALIDATION)?,
                _ => canvas.line(&points, width, VALIDATION)?,
            }
        }
        Ok(())
    }

    /// A ring on the validation line, and what it stands for above the frame, where no line runs.
    fn mark_best(&self, canvas: &mut Canvas<'_>, axes: &Axes, best: &EpochRecord) -> Result<(), FigureError> {
        let value = (self.validation)(best);
        let x = axes.x(f64::from(best.epoch));
        if drawable(value) {
            canvas.ring((x, axes.y(value)), 11.0, 4.0, VALIDATION)?;
        }
        let label = format!("best epoch {}: {}", best.epoch, three_digits(value));
        let half = LEGEND.room(&label)? / 2.0;
        let label_x = x.min(axes.right() - half).max(axes.left() + half);
        canvas.text(
            &label,
            LEGEND.placed(Horizontal::Center, Vertical::Bottom),
            (label_x, axes.top() - 22.0),
        )?;
        canvas.line(&[(x, axes.top() - 8.0), (x, axes.top())], 3.0, Color::DARK_GREY)
    }
}

fn first_and_last(records: &[EpochRecord]) -> (f64, f64) {
    let epochs = || records.iter().map(|record| record.epoch);
    (f64::from(epochs().min().unwrap_or(0)), f64::from(epochs().max().unwrap_or(0)))
}

/// From the first to the last epoch, and a little further; a single one gets room on both sides.
fn epochs(records: &[EpochRecord]) -> Range {
    let (first, last) = first_and_last(records);
    let margin = ((last - first) / 40.0).max(0.5);
    Range::new(first - margin, last + margin)
}

/// Ticks at whole epochs, and only at those there were.
fn epoch_ticks(records: &[EpochRecord]) -> Vec<Tick> {
    let (first, last) = first_and_last(records);
    let there = |tick: &Tick| (first..=last).contains(&tick.value);
    Tick::whole(epochs(records), 9).into_iter().filter(there).collect()
}

fn drawable(value: f64) -> bool {
    Range::covering([value]).is_some()
}

/// The pairs of epoch and value, apart wherever a value cannot be drawn.
fn unbroken(records: &[EpochRecord], value: fn(&EpochRecord) -> f64) -> Vec<Vec<(f64, f64)>> {
    records
        .split(|record| !drawable(value(record)))
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().map(|record| (f64::from(record.epoch), value(record))).collect())
        .collect()
}

fn dot_radius(count: usize) -> f64 {
    match count {
        0..=40 => 7.0,
        41..=MOST_JOINED => 5.5,
        61..=150 => 4.5,
        _ => 3.0,
    }
}

fn three_digits(value: f64) -> String {
    if value.is_finite() { format_with_step(value, 0.001) } else { value.to_string() }
}

#[cfg(test)]
mod tests;
