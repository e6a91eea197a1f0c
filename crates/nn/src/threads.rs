//! How many threads heads are trained and evaluated with.

use std::sync::atomic::{AtomicUsize, Ordering};

use convbase_core::processors;

/// 0 until it is set.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads heads are trained and evaluated with on the processor, for the whole program; without it one
/// per processor. What comes out does not depend on it.
pub fn set_threads(count: usize) {
    THREADS.store(count.max(1), Ordering::Relaxed);
}

pub(crate) fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => processors(),
        count => count,
    }
}
