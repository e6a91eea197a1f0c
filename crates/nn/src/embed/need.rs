//! The memory that a pipeline needs.

use super::{Embed, EmbedPipeline};
use crate::free_memory::{NotEnoughMemory, check_memory};

/// What images take of memory, at least.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImageBytes {
    /// Each while it waits, as pixels.
    pub waiting: u64,
    /// Each while it is computed.
    pub computed: u64,
    /// Each pass, however many images it has.
    pub pass: u64,
}

impl<E: Embed> EmbedPipeline<'_, E> {
    /// Refuses a pipeline whose batches do not fit into the memory that is free.
    pub fn check_memory(&self) -> Result<(), NotEnoughMemory> {
        check_memory(self.need())
    }

    /// Bytes of the batches that all passes compute at once, and of those that wait for them.
    fn need(&self) -> u128 {
        let images = |photographs: usize| photographs as u128 * self.views() as u128;
        let batches = |count: usize| self.batch_size() as u128 * count as u128;
        let longest = images(self.ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0));
        let all = images(self.ranges.iter().map(ExactSizeIterator::len).sum());
        let ImageBytes { waiting, computed, pass } = self.engine.image_bytes();
        let passes = (self.passes() as u128).min(longest);
        passes * u128::from(pass)
            + batches(self.passes()).min(longest) * u128::from(computed)
            + batches(self.places()).min(all) * u128::from(waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use convbase_core::Interrupt;

    use super::*;

    struct Large;

    impl Embed for Large {
        type Error = std::convert::Infallible;

        fn embed(&self, _: &[u8], _: usize) -> Result<Vec<f32>, Self::Error> {
            Ok(Vec::new())
        }

        fn image_bytes(&self) -> ImageBytes {
            ImageBytes { waiting: 1, computed: 1000, pass: 1_000_000 }
        }
    }

    fn need(ranges: &[Range<usize>], views: usize, batch_size: usize) -> u128 {
        let interrupt = &Interrupt::default();
        EmbedPipeline { engine: &Large, ranges, views, batch_size, passes: 2, interrupt }.need()
    }

    #[test]
    fn the_need_grows_with_batches_up_to_all_images() {
        assert_eq!(need(&[], 1, 8), 0);
        // Two batches of 8 are computed in a pass each, ten wait.
        assert_eq!(need(&[0..100, 100..150], 1, 8), 2_000_000 + 16_000 + 80);
        // A batch lies in one range, all wait.
        assert_eq!(need(&[0..100, 100..150], 1, 4096), 2_000_000 + 100_000 + 150);
        assert_eq!(need(&[0..100, 100..150], 3, 4096), 2_000_000 + 300_000 + 450);
        assert_eq!(
            need(std::slice::from_ref(&(0..usize::MAX)), usize::MAX, usize::MAX),
            2_000_000 + 2 * 1000 * usize::MAX as u128 + 10 * usize::MAX as u128
        );
    }
}
