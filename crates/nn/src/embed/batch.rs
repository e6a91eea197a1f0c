//! Batches on their way: pixels to a pass, and its answer.
//!
//! A batch is of whole photographs, each with all its views.

use std::ops::Range;
use std::sync::Arc;

use convbase_core::DecodedImage;
use convbase_images::{DecodeError, DecodedBatch};
use crossbeam_channel::Sender;

use super::{Embed, Embedded};

/// Photographs for one pass.
pub(super) struct Batch {
    /// Which batch this is: passes end in any order, and batches are put in order again.
    pub(super) number: usize,
    positions: Range<usize>,
    images: Vec<Result<DecodedImage, DecodeError>>,
    /// The pixels of all that was decoded together: batches share them, nothing is copied.
    pixels: Arc<Vec<u8>>,
    /// Those of this batch, in bytes.
    own: Range<usize>,
}

/// What became of the batch of a number.
pub(super) struct Answer<E> {
    pub(super) number: usize,
    pub(super) outcome: Outcome<E>,
}

/// What becomes of a batch.
pub(super) enum Outcome<E> {
    Features(Embedded),
    Failed(E),
    Interrupted,
    Panicked,
}

/// Owes the answer for a number. Dropped without one, which happens when the engine's panic unwinds, it says so:
/// without an answer, who consumes would wait for this number for ever.
pub(super) struct Delivery<'a, E> {
    number: usize,
    answers: Option<&'a Sender<Answer<E>>>,
}

impl Batch {
    /// Shares out what was decoded together in batches of at most `size`; `number` is the first one's, and then the next
    /// one's.
    pub(super) fn split(
        positions: Range<usize>,
        decoded: DecodedBatch,
        size: usize,
        number: &mut usize,
    ) -> impl Iterator<Item = Self> {
        assert_eq!(decoded.images.len(), positions.len(), "decoded images at {positions:?}");
        let image_bytes = decoded.pixels.len() / decoded.decoded().max(1);
        let pixels = Arc::new(decoded.pixels);
        let mut images = decoded.images.into_iter();
        let mut used = 0;
        positions.clone().step_by(size).map(move |start| {
            let images: Vec<_> = images.by_ref().take(size).collect();
            let rows = images.iter().filter(|image| image.is_ok()).count();
            let own = used..used + rows * image_bytes;
            used = own.end;
            *number += 1;
            let positions = start..start + images.len();
            Self { number: *number - 1, positions, images, pixels: Arc::clone(&pixels), own }
        })
    }

    /// Computes the features of all views, at most `most` images at once. The pixels are let go of before anybody waits
    /// for the answer to be taken.
    pub(super) fn embed<E: Embed>(self, engine: &E, views: usize, most: usize) -> Outcome<E::Error> {
        let Self { positions, images, pixels, own, .. } = self;
        let rows = images.iter().filter(|image| image.is_ok()).count() * views;
        match embed_parts(engine, &pixels[own], rows, most) {
            Ok(features) => Outcome::Features(Embedded { positions, images, features }),
            Err(error) => Outcome::Failed(error),
        }
    }
}

/// The features of so many images, in parts of equal size.
fn embed_parts<E: Embed>(engine: &E, pixels: &[u8], rows: usize, most: usize) -> Result<Vec<f32>, E::Error> {
    if rows <= most {
        return if rows == 0 { Ok(Vec::new()) } else { engine.embed(pixels, rows) };
    }
    let size = rows.div_ceil(rows.div_ceil(most));
    let image_bytes = pixels.len() / rows;
    let mut features = Vec::new();
    for start in (0..rows).step_by(size) {
        let end = rows.min(start + size);
        features.extend(engine.embed(&pixels[start * image_bytes..end * image_bytes], end - start)?);
    }
    Ok(features)
}

impl<'a, E> Delivery<'a, E> {
    pub(super) fn new(number: usize, answers: &'a Sender<Answer<E>>) -> Self {
        Self { number, answers: Some(answers) }
    }

    /// Gives the answer, and says whether anybody took it.
    pub(super) fn deliver(mut self, outcome: Outcome<E>) -> bool {
        let number = self.number;
        self.answers.take().is_some_and(|answers| answers.send(Answer { number, outcome }).is_ok())
    }
}

impl<E> Drop for Delivery<'_, E> {
    fn drop(&mut self) {
        if let Some(answers) = self.answers.take() {
            // Nobody waits for an answer when the channel is closed.
            let _ = answers.send(Answer { number: self.number, outcome: Outcome::Panicked });
        }
    }
}
