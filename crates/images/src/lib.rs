//! Photographs to pixels.
//!
//! A labelled folder ([`ImageFolder`]) lists photographs in a fixed order; a [`Decoder`] turns each into RGB pixels of one
//! size, [`decode_batch`] many at once on all cores. [`canary_pixels`] draws the images that tell machines apart which
//! compute something else.

mod decode;
mod drawn;
mod source;

pub use decode::{DecodeError, DecodeThreads, DecodedBatch, Decoder, decode_batch};
pub use drawn::canary_pixels;
pub use source::{DatasetError, ImageFolder, Photographs, photographs};
