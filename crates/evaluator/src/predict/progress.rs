//! A bar on a terminal while nobody sees the predictions.

use std::path::PathBuf;

use convbase_images::Doubt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tracing::warn;

/// Fewer photographs than these are predicted before a bar would be read.
const LONG_LIST: usize = 64;

/// The progress of one list.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A progress over so many photographs, or over a number that is not known. `shows_bar` says that it may be seen.
    pub(super) fn new(total: Option<usize>, shows_bar: bool) -> Self {
        let is_shown = shows_bar && total.is_none_or(|total| total >= LONG_LIST);
        let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total.map(|total| total as u64), target);
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            // A bar that cannot be written is no reason to stop.
            let _ = write!(text, "{:.1} photographs/s", state.per_sec());
        };
        let template = match total {
            Some(_) => "{bar:30} {pos}/{len} photographs, {rate}, {eta} left",
            None => "{spinner} {pos} photographs, {rate}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", rate));
        }
        Self { bar }
    }

    /// Counts photographs that are done.
    pub(super) fn count(&self, photographs: usize) {
        self.bar.inc(photographs as u64);
    }

    /// Says which of these photographs may be damaged, without tearing the bar.
    pub(super) fn warn_of_doubts(&self, images: &[PathBuf], doubts: &[(usize, Doubt)]) {
        for (position, doubt) in doubts {
            let name = images[*position].display();
            self.bar.suspend(|| warn!("`{name}` may be damaged: {doubt}"));
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
