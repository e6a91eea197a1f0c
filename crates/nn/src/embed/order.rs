//! Answers in the order of the batches' numbers.

use std::collections::BTreeMap;

use crossbeam_channel::Receiver;

use super::batch::{Answer, Outcome};

/// The answers by their numbers, as long as passes give any.
pub(super) struct InOrder<E> {
    answered: Receiver<Answer<E>>,
    freed: Receiver<()>,
    /// Answers whose turn has not come.
    early: BTreeMap<usize, Outcome<E>>,
    next: usize,
}

impl<E> InOrder<E> {
    /// A batch's place, one message of `freed`, is free as soon as the next one is asked for.
    pub(super) fn new(answered: Receiver<Answer<E>>, freed: Receiver<()>) -> Self {
        Self { answered, freed, early: BTreeMap::new(), next: 0 }
    }
}

impl<E> Iterator for InOrder<E> {
    type Item = Outcome<E>;

    fn next(&mut self) -> Option<Outcome<E>> {
        if self.next > 0 {
            // The place was taken before the batch was decoded, so that its message is there.
            let _ = self.freed.try_recv();
        }
        loop {
            if let Some(outcome) = self.early.remove(&self.next) {
                self.next += 1;
                return Some(outcome);
            }
            let Answer { number, outcome } = self.answered.recv().ok()?;
            self.early.insert(number, outcome);
        }
    }
}
