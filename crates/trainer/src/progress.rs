//! Epochs with their figures: one line each, and a bar below them on a terminal.

use std::time::Instant;

use convbase_core::EpochRecord;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::info;

use crate::args::TrainingConfig;

/// The progress of one training.
pub(crate) struct Progress {
    /// Counts photographs, an epoch's as often as there are epochs.
    bar: ProgressBar,
    epochs: u32,
    finished: u32,
    /// Training rows of an epoch.
    rows: u64,
    begun: Option<Instant>,
}

impl Progress {
    /// A progress over the epochs of `rows` training rows, of which some are finished.
    pub(crate) fn new(config: &TrainingConfig, finished: u32, rows: usize, tells_speed: bool) -> Self {
        let target =
            if config.shows_progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let (epochs, rows) = (config.epochs, rows as u64);
        let bar = ProgressBar::with_draw_target(Some(u64::from(epochs) * rows), target);
        let template = "{bar:30} {pos}/{len} photographs, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_position(u64::from(finished) * rows);
        bar.reset_eta();
        bar.tick();
        Self { bar, epochs, finished, rows, begun: tells_speed.then(Instant::now) }
    }

    /// Counts the photographs of a step that begins.
    pub(crate) fn step(&self, photographs: usize) {
        self.bar.inc(photographs as u64);
    }

    /// Writes an epoch's line; a star marks that the best checkpoint was saved.
    pub(crate) fn add(&self, record: &EpochRecord, is_best: bool) {
        let EpochRecord { epoch, loss, accuracy, val_loss, val_accuracy } = *record;
        let (epochs, mark) = (self.epochs, if is_best { " *" } else { "" });
        let speed = self.speed(epoch);
        self.suspended(|| {
            info!(
                epoch,
                loss,
                accuracy,
                val_loss,
                val_accuracy,
                best = is_best,
                "epoch {epoch:>3}/{epochs}  loss {loss:.4}  accuracy {accuracy:.4}  val_loss {val_loss:.4}  \
                 val_accuracy {val_accuracy:.4}{mark}{speed}"
            );
        });
        self.bar.set_position(u64::from(epoch) * self.rows);
    }

    /// Photographs a second, validation included, and the time that the epochs to come will take.
    fn speed(&self, epoch: u32) -> String {
        let Some(begun) = self.begun else { return String::new() };
        let elapsed = begun.elapsed();
        let done = epoch.saturating_sub(self.finished).max(1);
        let rate = f64::from(done) * self.rows as f64 / elapsed.as_secs_f64().max(1e-9);
        let left = elapsed.mul_f64(f64::from(self.epochs.saturating_sub(epoch)) / f64::from(done));
        format!("  {rate:.1} images/s, {} left", HumanDuration(left))
    }

    /// Writes messages without tearing the bar.
    pub(crate) fn suspended(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
