//! Photographs to RGB pixels of one size.

mod batch;
mod error;
mod file;
mod guard;
mod jpeg;
mod kind;
mod memory;
#[cfg_attr(
    not(test),
    expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "positions that are clamped to the source, whose length the decoder has given"
    )
)]
mod nearest;

use std::io::{self, Cursor};
use std::path::Path;

use convbase_core::{DecodedImage, Digest, ImageSize, Interpolation};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use memory::Memory;
use nearest::resize_nearest;

pub use batch::{DecodeThreads, DecodedBatch, decode_batch};
pub use error::DecodeError;
pub use file::expect_file;
pub use jpeg::{Doubt, JpegError};

/// Decodes photographs and brings them to one size. Keeps the resizer's buffers: one decoder per thread. Clones share
/// the memory that they decode into.
#[derive(Debug, Clone)]
pub struct Decoder {
    size: ImageSize,
    /// `None` for the nearest neighbour, which the library takes by another rule than Pillow.
    options: Option<ResizeOptions>,
    resizer: Resizer,
    most_pixels: u64,
    turns: bool,
    memory: Memory,
}

/// A photograph that was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded {
    /// Its size in the file, and the file's digest.
    pub image: DecodedImage,
    /// Why it may be damaged all the same.
    pub doubt: Option<Doubt>,
}

impl Decoder {
    /// The most pixels of a photograph unless another number is given: Pillow's limit against decompression bombs,
    /// `2 * Image.MAX_IMAGE_PIXELS`.
    pub const MOST_PIXELS: u64 = 178_956_970;

    /// A decoder to images of `size`.
    pub fn new(size: ImageSize, interpolation: Interpolation) -> Self {
        let filter = match interpolation {
            Interpolation::Nearest => None,
            Interpolation::Bilinear => Some(FilterType::Bilinear),
            Interpolation::Bicubic => Some(FilterType::CatmullRom),
            Interpolation::Lanczos => Some(FilterType::Lanczos3),
        };
        let options = filter.map(|filter| ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)));
        let (resizer, memory) = (Resizer::new(), Memory::default());
        Self { size, options, resizer, most_pixels: Self::MOST_PIXELS, turns: false, memory }
    }

    /// Refuses photographs of more pixels than these.
    pub fn with_most_pixels(self, most_pixels: u64) -> Self {
        Self { most_pixels, ..self }
    }

    /// Turns photographs as the orientation in their metadata says. Without this only TIFFs are turned.
    pub fn with_exif_orientation(self, turns: bool) -> Self {
        Self { turns, ..self }
    }

    /// The size that photographs are brought to.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// Decodes a file into `pixels`: [height, width, 3], red, green, blue. What is no file is not opened.
    ///
    /// The format is told by the bytes, not by the name. The first frame of an animation counts; transparency is
    /// dropped as Pillow's `convert("RGB")` drops it; 16 bits become 8 by division by 257, where Pillow cuts greys off at
    /// 255. An orientation in the metadata is applied to TIFFs, which Pillow turns when it loads them, and to others only
    /// [where asked for](Self::with_exif_orientation), as Keras does not apply it.
    ///
    /// # Panics
    /// When `pixels` is not as long as the size says.
    pub fn decode_file(&mut self, path: &Path, pixels: &mut [u8]) -> Result<Decoded, DecodeError> {
        let most = self.most_pixels.saturating_mul(MOST_FILE_BYTES_PER_PIXEL).max(LEAST_FILE_LIMIT);
        self.decode(&file::read(path, most)?, pixels)
    }

    /// Decodes a file's bytes; see [`decode_file`](Self::decode_file).
    ///
    /// # Panics
    /// When `pixels` is not as long as the size says.
    pub fn decode(&mut self, bytes: &[u8], pixels: &mut [u8]) -> Result<Decoded, DecodeError> {
        assert_eq!(pixels.len(), self.size.rgb_bytes(), "pixels of one image");
        let memory = self.memory.clone(); // Not borrowed from the decoder, whose buffers change.
        let Source { format, decoder } = self.open(bytes)?;
        let (width, height) = decoder.dimensions();
        let _share = memory.take(needed_bytes(&decoder, format, bytes.len()));
        let doubt = if format == ImageFormat::Jpeg { jpeg::walk(bytes)? } else { None };
        let image = self.read(decoder, format, bytes)?;
        self.resize(image.width(), image.height(), image.as_raw(), pixels)?;
        Ok(Decoded { image: DecodedImage { width, height, sha256: Digest::of(bytes) }, doubt })
    }

    /// Reads the header. Nothing is allocated before the number of pixels is known to be allowed.
    fn open<'a>(&self, bytes: &'a [u8]) -> Result<Source<impl ImageDecoder + use<'a>>, DecodeError> {
        if bytes.is_empty() {
            return Err(DecodeError::Empty);
        }
        let format = format(bytes).ok_or_else(|| kind::unknown_format(bytes))?;
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(self.most_pixels.saturating_mul(MOST_BYTES_PER_PIXEL));
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(|error| named(error, format, bytes))?;
        let ((width, height), most) = (decoder.dimensions(), self.most_pixels);
        if u64::from(width).saturating_mul(height.into()) > most {
            return Err(DecodeError::TooManyPixels { most, width, height });
        }
        Ok(Source { format, decoder })
    }

    /// All pixels, turned where they are to be.
    fn read(
        &self,
        mut decoder: impl ImageDecoder,
        format: ImageFormat,
        bytes: &[u8],
    ) -> Result<RgbImage, DecodeError> {
        let orientation = if self.turns || format == ImageFormat::Tiff {
            // Metadata that cannot be read say nothing.
            decoder.orientation().unwrap_or(Orientation::NoTransforms)
        } else {
            Orientation::NoTransforms
        };
        let mut image = DynamicImage::from_decoder(decoder).map_err(|error| named(error, format, bytes))?;
        image.apply_orientation(orientation);
        Ok(image.into_rgb8())
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

/// A file whose header was read.
struct Source<D> {
    format: ImageFormat,
    decoder: D,
}

/// The widest pixel in a file of integers: four of 16 bits.
const MOST_FILE_BYTES_PER_PIXEL: u64 = 8;

/// A small picture may carry large metadata.
const LEAST_FILE_LIMIT: u64 = 1 << 26;

/// The widest pixel that a decoder gives: four floats.
const MOST_BYTES_PER_PIXEL: u64 = 16;

/// The format of a file, by its first bytes.
fn format(bytes: &[u8]) -> Option<ImageFormat> {
    // A TIFF whose places are 64 bits wide is one that the library reads and does not recognise.
    if bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+") {
        return Some(ImageFormat::Tiff);
    }
    let known = [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Bmp,
        ImageFormat::Gif,
        ImageFormat::WebP,
        ImageFormat::Tiff,
    ];
    image::guess_format(bytes).ok().filter(|format| known.contains(format))
}

/// What decoding takes at its worst: the decoder's pixels, their RGB form, and of a JPEG the numbers of all blocks, which
/// a progressive one has to keep.
fn needed_bytes(decoder: &impl ImageDecoder, format: ImageFormat, file: usize) -> u64 {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width).saturating_mul(height.into());
    let blocks = if format == ImageFormat::Jpeg { pixels.saturating_mul(6) } else { 0 };
    let all = decoder.total_bytes().saturating_add(pixels.saturating_mul(3)).saturating_add(blocks);
    all.saturating_add(file as u64)
}

/// The library's error, with the name of what it does not know.
fn named(error: ImageError, format: ImageFormat, bytes: &[u8]) -> DecodeError {
    match (&error, format) {
        (ImageError::Unsupported(_), ImageFormat::Tiff) => kind::unknown_tiff(bytes, error),
        _ => DecodeError::Decode(error),
    }
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
        Ok((decoded.image, pixels))
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
        let error = decode(b"a text file").unwrap_err().to_string();
        assert!(error.ends_with("found bytes 61 20 74 65 78 74 20 66"), "{error}");
        assert_eq!(decode(b"").unwrap_err().to_string(), "expected an image, found an empty file");
    }

    #[test]
    fn a_forged_size_does_not_exhaust_memory() {
        let mut bytes = encoded(&gradient(50, 50), ImageFormat::Bmp);
        bytes[18..26].copy_from_slice(&[0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]);
        assert!(matches!(decode(&bytes), Err(DecodeError::TooManyPixels { .. })));
    }
}
