//! Photographs to pixels.
//!
//! A labelled folder ([`ImageFolder`]) lists photographs in a fixed order; a [`Decoder`] turns each into RGB pixels of one
//! size, [`decode_batch`] many at once on all cores. A [`ViewMaker`] makes augmented views of them. [`canary_pixels`] draws the images that tell machines apart which
//! compute something else.
//!
//! ```
//! use std::io::Cursor;
//!
//! use convbase_core::{ImageSize, Interpolation};
//! use convbase_images::Decoder;
//! use image::{ImageFormat, Rgb, RgbImage};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut file = Cursor::new(Vec::new());
//! RgbImage::from_pixel(640, 480, Rgb([200, 100, 50])).write_to(&mut file, ImageFormat::Png)?;
//!
//! let size = ImageSize::new(180, 180)?;
//! let mut pixels = vec![0; size.rgb_bytes()]; // [height, width, 3]
//! let image = Decoder::new(size, Interpolation::Bilinear).decode(file.get_ref(), &mut pixels)?.image;
//! assert_eq!((image.width, image.height), (640, 480));
//! assert_eq!(pixels[..3], [200, 100, 50]);
//! # Ok(())
//! # }
//! ```

// What is read here comes from anywhere: nothing in it may end a program.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod decode;
#[cfg_attr(
    not(test),
    expect(clippy::arithmetic_side_effects, reason = "positions in pictures of a size that was checked")
)]
mod drawn;
mod source;
#[cfg_attr(
    not(test),
    expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "positions in buffers that were made as large as the size says, which is at most 4096 a side"
    )
)]
mod view;

pub use decode::{
    DecodeError, DecodeThreads, Decoded, DecodedBatch, Decoder, Doubt, JpegError, Thumbnail, ThumbnailMaker,
    decode_batch, expect_file,
};
pub use drawn::canary_pixels;
pub use source::{
    ClassFound, DatasetError, Excluded, ImageFolder, LeftOut, Photographs, Survey, photographs,
};
pub use view::{Augmentation, AugmentationError, ViewMaker};
