//! Files that are written while the training goes on.

use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// What is being written: at most the files of one epoch at a time.
pub(crate) struct Saving<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    current: Option<ScopedJoinHandle<'scope, anyhow::Result<()>>>,
    /// When this program last began to write the state to go on from.
    state_written: Option<Instant>,
    /// Whether what was begun last holds that state.
    has_state: bool,
}

impl<'scope, 'env> Saving<'scope, 'env> {
    /// Nothing is being written yet.
    pub(crate) fn new(scope: &'scope Scope<'scope, 'env>) -> Self {
        Self { scope, current: None, state_written: None, has_state: true }
    }

    /// Whether the state was never written, or so long ago.
    pub(crate) fn is_due(&self, time: Duration) -> bool {
        self.state_written.is_none_or(|written| written.elapsed() >= time)
    }

    /// Whether what was begun last holds the state to go on from.
    pub(crate) fn has_state(&self) -> bool {
        self.has_state
    }

    /// Begins to write, with or without the state to go on from. What was begun before is finished first, so that files
    /// appear in the order of the epochs.
    pub(crate) fn begin(
        &mut self,
        with_state: bool,
        write: impl FnOnce() -> anyhow::Result<()> + Send + 'scope,
    ) -> anyhow::Result<()> {
        self.finish()?;
        self.current = Some(self.scope.spawn(write));
        self.has_state = with_state;
        if with_state {
            self.state_written = Some(Instant::now());
        }
        Ok(())
    }

    /// Waits until all that was begun is written, or says why it is not.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        match self.current.take() {
            Some(current) => current.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None => Ok(()),
        }
    }
}
