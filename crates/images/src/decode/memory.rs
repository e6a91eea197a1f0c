//! How much memory all threads together decode into.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The most bytes that photographs take while they are decoded, on all threads together: a few of any camera's, and
/// little enough for a small machine. One that needs more is decoded alone.
const MOST_BYTES: u64 = 1 << 30;

/// Memory that the decoders of one pool share. Clones share it too.
#[derive(Debug, Clone)]
pub(super) struct Memory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    taken: Mutex<u64>,
    given_back: Condvar,
    most: u64,
}

/// A share of it, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    shared: &'a Shared,
    bytes: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Self::of(MOST_BYTES)
    }
}

impl Memory {
    fn of(most: u64) -> Self {
        Self(Arc::new(Shared { taken: Mutex::new(0), given_back: Condvar::new(), most }))
    }

    /// Waits until there is so much. Who waits holds nothing, so that nobody waits for ever.
    pub(super) fn take(&self, bytes: u64) -> Share<'_> {
        let shared = &*self.0;
        let bytes = bytes.min(shared.most);
        let taken = shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |taken: &mut u64| taken.saturating_add(bytes) > shared.most;
        let mut taken = shared.given_back.wait_while(taken, is_full).unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_add(bytes);
        Share { shared, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut taken = self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(self.bytes);
        self.shared.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    use super::*;

    #[test]
    fn threads_never_hold_more_together_and_one_that_needs_more_works_alone() {
        let (memory, held, greatest) = (Memory::of(100), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (memory, held, greatest) = (memory.clone(), &held, &greatest);
                scope.spawn(move || {
                    for round in 0..200 {
                        let bytes = [10, 35, 60, 1000][(thread + round) % 4];
                        let share = memory.take(bytes);
                        let now = held.fetch_add(bytes.min(100), SeqCst) + bytes.min(100);
                        greatest.fetch_max(now, SeqCst);
                        held.fetch_sub(bytes.min(100), SeqCst);
                        drop(share);
                    }
                });
            }
        });
        assert!(greatest.load(SeqCst) <= 100 && held.load(SeqCst) == 0);
    }
}
