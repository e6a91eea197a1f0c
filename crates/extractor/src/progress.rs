//! Images per second, remaining time and rejected images: a bar on a terminal, a line now and then elsewhere.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use convbase_core::{DecodedImage, Sample};
use convbase_nn::TimeSpent;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tracing::info;

/// How often a line is written where there is no bar.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of one extraction.
pub(crate) struct Progress {
    bar: ProgressBar,
    total: usize,
    begun: Instant,
    state: Mutex<State>,
}

struct State {
    done: usize,
    rejected: usize,
    last_line: Instant,
}

impl Progress {
    /// A progress over `total` images.
    pub(crate) fn new(total: usize, shows_bar: bool) -> Self {
        let target = if shows_bar { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            // A bar that cannot be written is no reason to stop.
            let _ = write!(text, "{:.1} images/s", state.per_sec());
        };
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {pos}/{len} images, {rate}, {eta} left{msg}")
        {
            bar.set_style(style.with_key("rate", rate));
        }
        let begun = Instant::now();
        Self { bar, total, begun, state: Mutex::new(State { done: 0, rejected: 0, last_line: begun }) }
    }

    /// Counts the images of a batch that was written.
    pub(crate) fn add(&self, images: &[(&Sample, Result<Option<DecodedImage>, String>)]) {
        self.count(images.len(), images.iter().filter(|(_, status)| status.is_err()).count());
    }

    /// Counts images that are done, and those among them that are unreadable.
    pub(crate) fn count(&self, images: usize, rejected: usize) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.done += images;
        state.rejected += rejected;
        self.bar.inc(images as u64);
        if state.rejected > 0 {
            self.bar.set_message(format!(", {} rejected", state.rejected));
        }
        if self.bar.is_hidden() && state.last_line.elapsed() >= LINE_EVERY {
            state.last_line = Instant::now();
            let (done, total, rejected) = (state.done, self.total, state.rejected);
            let images_per_second = self.rate(done);
            let left = ((total - done) as f64 / images_per_second).ceil();
            info!(
                done,
                total,
                rejected,
                images_per_second,
                "{done}/{total} images, {images_per_second:.1} images/s, {left} s left, {rejected} rejected"
            );
        }
    }

    /// Writes messages without tearing the bar.
    pub(crate) fn suspended(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Takes the bar away and says how fast it went and what it waited for.
    pub(crate) fn finish(&self, time: &TimeSpent) {
        self.bar.finish_and_clear();
        let done = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).done;
        if done > 0 {
            let images_per_second = self.rate(done);
            let [decoding, computing, writing] = time.shares();
            info!(
                done,
                images_per_second,
                decoding,
                computing,
                writing,
                "{done} images, {images_per_second:.1} images/s; the time went {:.1} % into computing, {:.1} % into \
                 waiting for photographs to be decoded, {:.1} % into waiting for features to be written",
                computing * 100.0,
                decoding * 100.0,
                writing * 100.0
            );
        }
    }

    fn rate(&self, done: usize) -> f64 {
        done as f64 / self.begun.elapsed().as_secs_f64().max(1e-9)
    }
}
