//! How many threads heads are trained and evaluated with.

use std::sync::atomic::{AtomicUsize, Ordering};

use convbase_core::processors;

use crate::vectors::vector_instructions;

/// 0 until it is set.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads heads are trained and evaluated with on the processor, for the whole program; without it one
/// per processor. What comes out does not depend on it where the wide layer is computed here. libtorch's own threads,
/// which burn a processor each while they wait, are left for processors without wide vectors.
pub fn set_threads(count: usize) {
    let count = count.max(1);
    THREADS.store(count, Ordering::Relaxed);
    let of_libtorch = if vector_instructions().is_some() { 1 } else { count };
    tch::set_num_threads(i32::try_from(of_libtorch).unwrap_or(i32::MAX));
}

pub(crate) fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => processors(),
        count => count,
    }
}
