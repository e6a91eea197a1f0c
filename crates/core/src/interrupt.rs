//! Stopping at a safe point when a signal asks for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether SIGTERM or SIGINT has arrived. The first signal only says so; a second one ends the process at once.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for SIGTERM and SIGINT from now on.
    pub fn listen() -> io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGTERM, SIGINT] {
            // In this order: the second signal finds the flag set by the first.
            flag::register_conditional_shutdown(
                signal,
                128_i32.saturating_add(signal),
                Arc::clone(&interrupt.0),
            )?;
            flag::register(signal, Arc::clone(&interrupt.0))?;
        }
        Ok(interrupt)
    }

    /// Whether to stop at the next safe point.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks to stop, as a signal does.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
