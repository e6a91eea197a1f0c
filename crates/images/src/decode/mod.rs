//! Photographs to RGB pixels of one size.

mod batch;
mod guard;
mod nearest;

use std::io::{self, Cursor};
use std::path::Path;

use convbase_core::{DecodedImage, Digest, ImageSize, Interpolation};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use nearest::resize_nearest;

pub use batch::{DecodeThreads, DecodedBatch, decode_batch};

/// Decodes photographs and brings them to one size. Keeps the resizer's buffers: one decoder per thread.
#[derive(Debug, Clone)]
pub struct Decoder {
    size: ImageSize,
    /// `None` for the nearest neighbour, which the library takes by another rule than Pillow.
    options: Option<ResizeOptions>,
    resizer: Resizer,
}

/// A photograph that could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file could not be read.
    #[error("cannot read the file")]
    Read(#[source] io::Error),
    /// The file holds no bytes.
    #[error("expected an image, found an empty file")]
    Empty,
    /// The bytes are no image of a known format.
    #[error("expected an image (JPEG, PNG, BMP, GIF, WebP or TIFF), found bytes {0}")]
    UnknownFormat(String),
    /// The image's end is missing.
    #[error("expected a whole JPEG, found no end-of-image marker: the file is truncated")]
    Truncated,
    /// The bytes begin like an image but do not decode.
    #[error("cannot decode the image")]
    Decode(#[source] image::ImageError),
    /// The decoder panicked, which is its own mistake; the photograph is left out like one that is broken.
    #[error("expected the decoder to give pixels or an error, found a panic: {0}")]
    Panicked(String),
    /// The image could not be resized.
    #[error("cannot resize the image")]
    Resize(#[source] fast_image_resize::ResizeError),
}

impl Decoder {
    /// A decoder to images of `size`.
    pub fn new(size: ImageSize, interpolation: Interpolation) -> Self {
        let filter = match interpolation {
            Interpolation::Nearest => None,
            Interpolation::Bilinear => Some(FilterType::Bilinear),
            Interpolation::Bicubic => Some(FilterType::CatmullRom),
            Interpolation::Lanczos => Some(FilterType::Lanczos3),
        };
        let options = filter.map(|filter| ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)));
        Self { size, options, resizer: Resizer::new() }
    }

    /// Decodes a file into `pixels`: [height, width, 3], red, green, blue.
    ///
    /// The format is told by the bytes, not by the name. The first frame of an animation counts; transparency is
    /// dropped as Pillow's `convert("RGB")` drops it, and an orientation in the metadata is not applied, as Keras
    /// does not apply it.
    ///
    /// # Panics
    /// When `pixels` is not as long as the size says.
    pub fn decode_file(&mut self, path: &Path, pixels: &mut [u8]) -> Result<DecodedImage, DecodeError> {
        self.decode(&std::fs::read(path).map_err(DecodeError::Read)?, pixels)
    }

    /// Decodes a file's bytes; see [`decode_file`](Self::decode_file).
    pub fn decode(&mut self, bytes: &[u8], pixels: &mut [u8]) -> Result<DecodedImage, DecodeError> {
        assert_eq!(pixels.len(), self.size.rgb_bytes(), "pixels of one image");
        let image = read_image(bytes)?.into_rgb8();
        let (width, height) = image.dimensions();
        self.resize(width, height, image.as_raw(), pixels)?;
        Ok(DecodedImage { width, height, sha256: Digest::of(bytes) })
    }

    /// Brings RGB pixels of any size, [height, width, 3], to the decoder's size.
    pub(crate) fn resize(
        &mut self,
        width: u32,
        height: u32,
        source: &[u8],
        pixels: &mut [u8],
    ) -> Result<(), DecodeError> {
        if (height, width) == (self.size.height(), self.size.width()) {
            pixels.copy_from_slice(source);
            return Ok(());
        }
        let Some(options) = &self.options else {
            resize_nearest(width, height, source, self.size, pixels);
            return Ok(());
        };
        let wrong_size = |error: fast_image_resize::ImageBufferError| {
            DecodeError::Decode(image::ImageError::IoError(io::Error::other(error)))
        };
        let source = ImageRef::new(width, height, source, PixelType::U8x3).map_err(wrong_size)?;
        let mut target = Image::from_slice_u8(self.size.width(), self.size.height(), pixels, PixelType::U8x3)
            .map_err(wrong_size)?;
        self.resizer.resize(&source, &mut target, options).map_err(DecodeError::Resize)
    }
}

fn read_image(bytes: &[u8]) -> Result<DynamicImage, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(DecodeError::Read)?;
    let Some(format) = reader.format() else {
        let start: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        return Err(DecodeError::UnknownFormat(start.join(" ")));
    };
    // The JPEG decoder fills what is missing with grey and says nothing.
    if format == ImageFormat::Jpeg && !has_end_of_image(bytes) {
        return Err(DecodeError::Truncated);
    }
    let mut limits = Limits::default();
    // 16 k × 16 k RGB: more than any camera, little enough that a forged header cannot exhaust a node.
    limits.max_alloc = Some(1 << 30);
    reader.limits(limits);
    reader.decode().map_err(DecodeError::Decode)
}

/// Whether the end-of-image marker follows the first scan (ITU-T T.81, annex B). Markers before it may belong to
/// a thumbnail; inside entropy-coded data 0xFF is always followed by 0x00 or a restart marker.
fn has_end_of_image(bytes: &[u8]) -> bool {
    const END_OF_IMAGE: u8 = 0xD9;
    const START_OF_SCAN: u8 = 0xDA;
    let mut position = 2;
    // Bytes that are no marker are for the decoder to judge: everything from there on is looked at.
    while let Some(&[0xFF, marker]) = bytes.get(position..position + 2) {
        match marker {
            0xFF => position += 1,
            START_OF_SCAN => break,
            0x01 | 0xD0..=0xD8 => position += 2,
            _ => match bytes.get(position + 2..position + 4) {
                Some(&[high, low]) => position += 2 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        }
    }
    bytes.get(position..).is_some_and(|rest| rest.windows(2).any(|pair| pair == [0xFF, END_OF_IMAGE]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Rgb, RgbImage, Rgba, RgbaImage};

    fn size() -> ImageSize {
        ImageSize::new(32, 40).unwrap()
    }

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn gradient(width: u32, height: u32) -> DynamicImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x * 3) as u8, (y * 5) as u8, (x ^ y) as u8])).into()
    }

    fn decode(bytes: &[u8]) -> Result<(DecodedImage, Vec<u8>), DecodeError> {
        let mut pixels = vec![0; size().rgb_bytes()];
        let decoded = Decoder::new(size(), Interpolation::Nearest).decode(bytes, &mut pixels)?;
        Ok((decoded, pixels))
    }

    #[test]
    fn an_image_of_the_right_size_keeps_its_pixels() {
        let image = gradient(40, 32);
        let bytes = encoded(&image, ImageFormat::Png);
        let (decoded, pixels) = decode(&bytes).unwrap();
        assert_eq!((decoded.width, decoded.height, decoded.sha256), (40, 32, Digest::of(&bytes)));
        assert_eq!(pixels, image.as_bytes());
    }

    #[test]
    fn nearest_takes_the_pixel_under_the_centre_as_pillow_does() {
        let image = gradient(97, 61);
        let (_, pixels) = decode(&encoded(&image, ImageFormat::Bmp)).unwrap();
        for (row, column) in [(0, 0), (31, 39), (7, 23), (16, 20)] {
            let y = ((row as f64 + 0.5) * 61.0 / 32.0) as u32;
            let x = ((column as f64 + 0.5) * 97.0 / 40.0) as u32;
            let expected = image.as_rgb8().unwrap().get_pixel(x, y).0;
            assert_eq!(pixels[(row * 40 + column) * 3..][..3], expected, "row {row}, column {column}");
        }
    }

    #[test]
    fn every_format_decodes_whatever_its_colours_are() {
        let grey: DynamicImage = GrayImage::from_fn(50, 50, |x, _| image::Luma([x as u8])).into();
        let clear: DynamicImage = RgbaImage::from_pixel(50, 50, Rgba([9, 8, 7, 0])).into();
        for format in [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::Tiff,
            ImageFormat::Bmp,
            ImageFormat::WebP,
            ImageFormat::Gif,
        ] {
            decode(&encoded(&gradient(50, 50), format)).unwrap();
        }
        decode(&encoded(&grey, ImageFormat::Jpeg)).unwrap();
        decode(&encoded(&DynamicImage::ImageLuma16(grey.to_luma16()), ImageFormat::Png)).unwrap();
        let (_, pixels) = decode(&encoded(&clear, ImageFormat::Png)).unwrap();
        assert_eq!(pixels[..3], [9, 8, 7], "transparency is dropped, not blended");
    }

    #[test]
    fn truncated_files_are_refused_at_every_length() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP] {
            let bytes = encoded(&gradient(50, 50), format);
            for length in (0..bytes.len() - 4).step_by(7) {
                assert!(decode(&bytes[..length]).is_err(), "{format:?} of {length} bytes");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_image_are_shown() {
        let error = decode(b"<html>not an image").unwrap_err().to_string();
        assert!(error.ends_with("found bytes 3c 68 74 6d 6c 3e 6e 6f"), "{error}");
        assert_eq!(decode(b"").unwrap_err().to_string(), "expected an image, found an empty file");
    }

    #[test]
    fn a_forged_size_does_not_exhaust_memory() {
        let mut bytes = encoded(&gradient(50, 50), ImageFormat::Bmp);
        bytes[18..26].copy_from_slice(&[0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]);
        assert!(matches!(decode(&bytes), Err(DecodeError::Decode(_))));
    }
}
