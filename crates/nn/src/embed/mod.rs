//! Photographs to features: decode → compute → hand on, at the same time, on bounded channels.
//!
//! Batches are numbered as they are decoded, computed by several passes at once, and handed on in the order of their
//! numbers. What keeps this from waiting for ever is one rule: a number that a pass has taken is answered, by features,
//! by an error or, where the engine panics, by the guard that unwinding drops ([`batch::Delivery`]). The first answer
//! that is no features ends everything: who consumes lets go of its ends of the channels, and the other steps find
//! theirs closed.

mod batch;
mod need;
mod order;
mod time;

use std::any::Any;
use std::ops::Range;
use std::thread;

use convbase_core::{DecodedImage, Interrupt};
use convbase_images::{DecodeError, DecodedBatch};
use crossbeam_channel::{Receiver, Sender, bounded};

use batch::{Answer, Batch, Delivery, Outcome};
use order::InOrder;
use time::Stopwatch;

pub use need::ImageBytes;
pub use time::TimeSpent;

/// Batches of features that may wait for who consumes them: enough that no pass waits for a hiccup, little memory.
const WAITING_BATCHES: usize = 2;

/// What turns pixels into features.
pub trait Embed: Sync {
    /// Why it could not.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The features [batch, ...shape] of pixels [batch, height, width, 3].
    fn embed(&self, pixels: &[u8], batch: usize) -> Result<Vec<f32>, Self::Error>;

    /// What an image takes of this machine's memory, at least; nothing where that is not known.
    fn image_bytes(&self) -> ImageBytes {
        ImageBytes::default()
    }
}

/// Many photographs on their way through an engine. They are known by their positions in a listing.
#[derive(Debug)]
pub struct EmbedPipeline<'a, E> {
    /// What computes.
    pub engine: &'a E,
    /// The positions that are wanted, in order. No batch holds positions of two ranges.
    pub ranges: &'a [Range<usize>],
    /// Images of each photograph: its views. 0 counts as 1.
    pub views: usize,
    /// The most images that the engine computes at once, views counted. 0 counts as 1. A photograph's views stay in one
    /// batch; where they are more, the batch is computed in parts.
    pub batch_size: usize,
    /// Batches that are computed at the same time, each by a thread. 0 counts as 1.
    pub passes: usize,
    /// Asked before each batch; everything ends without an error when it is set.
    pub interrupt: &'a Interrupt,
}

/// A batch that was computed.
#[derive(Debug)]
pub struct Embedded {
    /// Which images.
    pub positions: Range<usize>,
    /// What became of each of them.
    pub images: Vec<Result<DecodedImage, DecodeError>>,
    /// [decoded, views, ...shape]: the features of those that decoded.
    pub features: Vec<f32>,
}

impl<E: Embed> EmbedPipeline<'_, E> {
    /// Decodes, computes and hands on every batch in order, and tells what the passes waited for.
    ///
    /// `decode` gives the photographs at these positions, each with all its views: as many as all passes need next,
    /// decoded together. `None`
    /// says that neither they nor any after them are to be computed; it is still called for the rest, so that it sees
    /// all of them. `consume` runs on the calling thread, and its error ends everything, as the engine's does. The
    /// batches before one that failed are handed on.
    ///
    /// # Panics
    /// When the engine, `decode` or `consume` panics: with the same panic, after all threads have ended. When `decode`
    /// gives another number of images than it was asked for.
    pub fn run<C: From<E::Error>>(
        &self,
        decode: impl FnMut(Range<usize>) -> Option<DecodedBatch> + Send,
        consume: impl FnMut(Embedded) -> Result<(), C>,
    ) -> Result<TimeSpent, C> {
        let places = self.places();
        let (taken, freed) = bounded(places);
        let (pixels, decoded) = bounded(places);
        let (answers, answered) = bounded(WAITING_BATCHES);
        thread::scope(|scope| {
            // Each step owns its ends of the channels: whichever stops first closes them, and the others follow.
            let decoding = scope.spawn(move || self.decode(decode, &taken, pixels));
            let passes: Vec<_> = (0..self.passes())
                .map(|_| {
                    let (decoded, answers) = (decoded.clone(), answers.clone());
                    scope.spawn(move || self.compute(&decoded, &answers))
                })
                .collect();
            drop((decoded, answers));
            let consumed = hand_on(InOrder::new(answered, freed), consume);
            let mut time = TimeSpent::default();
            for pass in passes {
                time += pass.join().unwrap_or_else(resume);
            }
            decoding.join().unwrap_or_else(resume);
            consumed.map(|()| time)
        })
    }

    /// A batch holds a place from before it is decoded until it is consumed: as many as passes can work on, and wait for
    /// each other's order, and no more. So memory is bounded however slow one pass is. Batches that many views make larger
    /// than asked for are fewer.
    fn places(&self) -> usize {
        let places = self.passes().saturating_mul(4).saturating_add(WAITING_BATCHES);
        let excess = self.views().div_ceil(self.batch_size());
        places.div_ceil(excess).max(self.passes().saturating_add(1))
    }

    fn passes(&self) -> usize {
        self.passes.max(1)
    }

    fn views(&self) -> usize {
        self.views.max(1)
    }

    fn batch_size(&self) -> usize {
        self.batch_size.max(1)
    }

    /// Photographs that are decoded together: batches of whole photographs for all passes, and where one of them fills a
    /// batch, as many as have about so many views.
    fn group(&self) -> usize {
        match self.batch_size() / self.views() {
            0 => (self.batch_size().saturating_mul(self.passes()) / self.views()).max(1),
            photographs => photographs.saturating_mul(self.passes()),
        }
    }

    fn decode(
        &self,
        mut decode: impl FnMut(Range<usize>) -> Option<DecodedBatch>,
        taken: &Sender<()>,
        pixels: Sender<Batch>,
    ) {
        let mut pixels = Some(pixels);
        let mut number = 0;
        // What all passes need next is decoded together, and shared out evenly.
        let group = self.group();
        for range in self.ranges {
            for start in range.clone().step_by(group) {
                if self.interrupt.is_set() {
                    return;
                }
                let positions = start..range.end.min(start.saturating_add(group));
                let size = positions.len().div_ceil(self.passes());
                let batches = positions.len().div_ceil(size);
                if pixels.is_some() && (0..batches).any(|_| taken.send(()).is_err()) {
                    return; // Nobody consumes any more.
                }
                let Some(group) = decode(positions.clone()) else {
                    pixels = None; // The passes end when they have computed what waits.
                    continue;
                };
                let Some(pixels) = &pixels else { continue };
                for batch in Batch::split(positions, group, size, &mut number) {
                    if pixels.send(batch).is_err() {
                        return; // No pass is left.
                    }
                }
            }
        }
    }

    fn compute(&self, decoded: &Receiver<Batch>, answers: &Sender<Answer<E::Error>>) -> TimeSpent {
        let (mut time, mut stopwatch) = (TimeSpent::default(), Stopwatch::start());
        for batch in decoded {
            let delivery = Delivery::new(batch.number, answers);
            time.decoding += stopwatch.lap();
            let outcome = if self.interrupt.is_set() {
                Outcome::Interrupted
            } else {
                batch.embed(self.engine, self.views(), self.batch_size())
            };
            time.computing += stopwatch.lap();
            let goes_on = matches!(outcome, Outcome::Features(_));
            if !delivery.deliver(outcome) || !goes_on {
                break;
            }
            time.handing_on += stopwatch.lap();
        }
        time
    }
}

/// Lets go of the channels when it returns, which ends the other steps.
fn hand_on<E, C: From<E>>(
    in_order: InOrder<E>,
    mut consume: impl FnMut(Embedded) -> Result<(), C>,
) -> Result<(), C> {
    for outcome in in_order {
        match outcome {
            Outcome::Features(embedded) => consume(embedded)?,
            Outcome::Failed(error) => return Err(error.into()),
            // The panic itself is taken up where its thread is joined.
            Outcome::Interrupted | Outcome::Panicked => break,
        }
    }
    Ok(())
}

fn resume<T>(panic: Box<dyn Any + Send>) -> T {
    std::panic::resume_unwind(panic)
}

#[cfg(test)]
mod tests;
