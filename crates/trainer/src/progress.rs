//! Epochs with their figures: one line each, and a bar below them on a terminal.

use convbase_core::EpochRecord;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::info;

/// The progress of one training.
pub(crate) struct Progress {
    bar: ProgressBar,
    epochs: u32,
}

impl Progress {
    /// A progress over `epochs`, of which some are finished.
    pub(crate) fn new(epochs: u32, finished: u32, shows_bar: bool) -> Self {
        let target = if shows_bar { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(u64::from(epochs)), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} epochs, {eta} left") {
            bar.set_style(style);
        }
        bar.set_position(u64::from(finished));
        bar.tick();
        Self { bar, epochs }
    }

    /// Writes an epoch's line; a star marks that the best checkpoint was saved.
    pub(crate) fn add(&self, record: &EpochRecord, is_best: bool) {
        let EpochRecord { epoch, loss, accuracy, val_loss, val_accuracy } = *record;
        let (epochs, mark) = (self.epochs, if is_best { " *" } else { "" });
        self.suspended(|| {
            info!(
                epoch,
                loss,
                accuracy,
                val_loss,
                val_accuracy,
                best = is_best,
                "epoch {epoch:>3}/{epochs}  loss {loss:.4}  accuracy {accuracy:.4}  val_loss {val_loss:.4}  \
                 val_accuracy {val_accuracy:.4}{mark}"
            );
        });
        self.bar.inc(1);
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
