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
//! let image = Decoder::new(size, Interpolation::Bilinear).decode(file.get_ref(), &mut pixels)?;
//! assert_eq!((image.width, image.height), (640, 480));
//! assert_eq!(pixels[..3], [200, 100, 50]);
//! # Ok(())
//! # }
//! ```

mod decode;
mod drawn;
mod source;
mod view;

pub use decode::{DecodeError, DecodeThreads, DecodedBatch, Decoder, decode_batch};
pub use drawn::canary_pixels;
pub use source::{DatasetError, ImageFolder, Photographs, photographs};
pub use view::{Augmentation, AugmentationError, ViewMaker};
