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
mod thumbnail;

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
pub use thumbnail::{Thumbnail, ThumbnailMaker};

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
        self.decode(&self.read_file(path)?, pixels)
    }

    /// The bytes of a file that is not longer than one with so many pixels can be.
    fn read_file(&self, path: &Path) -> Result<Vec<u8>, DecodeError> {
        let most = self.most_pixels.saturating_mul(MOST_FILE_BYTES_PER_PIXEL).max(LEAST_FILE_LIMIT);
        file::read(path, most)
    }

    /// Decodes a file's bytes; see [`decode_file`](Self::decode_file).
    ///
    /// # Panics
    /// When `pixels` is not as long as the size says.
    pub fn decode(&mut self, bytes: &[u8], pixels: &mut [u8]) -> Result<Decoded, DecodeError> {
        assert_eq!(pixels.len(), self.size.rgb_bytes(), "pixels of one image");
        let memory = self.memory.clone(); // Not borrowed from the decoder, whose buffers change.
        let Source { format, mut decoder } = self.open(bytes)?;
        let (width, height) = decoder.dimensions();
        let _share = memory.take(needed_bytes(&decoder, format, bytes.len()));
        let orientation = self.orientation(&mut decoder, format);
        let divisor = if format == ImageFormat::Jpeg { self.divisor(width, height, orientation) } else { 1 };
        let (doubt, reduced) = match (format, divisor) {
            (ImageFormat::Jpeg, 1) => (jpeg::walk(bytes)?, None),
            (ImageFormat::Jpeg, divisor) => jpeg::reduced(bytes, divisor)?,
            _ => (None, None),
        };
        let reduced = reduced.and_then(|image| RgbImage::from_raw(image.width, image.height, image.pixels));
        match reduced {
            Some(image) => {
                let part = [width, height].map(|side| f64::from(side) / f64::from(divisor));
                let image = turned(image.into(), orientation);
                // Only what has whole pixels is turned.
                let part = if orientation == Orientation::NoTransforms { Some(part) } else { None };
                self.resize_part(image.width(), image.height(), part, image.as_raw(), pixels)?;
            }
            None => {
                let image = read(decoder, orientation, format, bytes)?;
                self.resize(image.width(), image.height(), image.as_raw(), pixels)?;
            }
        }
        Ok(Decoded { image: DecodedImage { width, height, sha256: Digest::of(bytes) }, doubt })
    }

    /// Which part of its size a JPEG is decoded to: a half, a quarter or an eighth of each side while it stays so much
    /// larger than what is made of it that values move by a fraction of a level in the mean.
    fn divisor(&self, width: u32, height: u32, orientation: Orientation) -> u16 {
        // The nearest neighbour takes single pixels, which have to be those of the file.
        if self.options.is_none() {
            return 1;
        }
        // Turned, a part of a pixel would lie on the other side.
        let is_whole = |side: u32, divisor: u16| {
            orientation == Orientation::NoTransforms || side.is_multiple_of(divisor.into())
        };
        // Of the longer side, as it may be turned.
        let target = self.size.width().max(self.size.height());
        let fits = |&divisor: &u16| {
            let least = u64::from(target).saturating_mul(LEAST_REDUCED).saturating_mul(divisor.into());
            u64::from(width.min(height)) >= least && is_whole(width, divisor) && is_whole(height, divisor)
        };
        [8, 4, 2].into_iter().find(fits).unwrap_or(1)
    }

    /// How a photograph is to be turned.
    fn orientation(&self, decoder: &mut impl ImageDecoder, format: ImageFormat) -> Orientation {
        if self.turns || format == ImageFormat::Tiff {
            // Metadata that cannot be read say nothing.
            decoder.orientation().unwrap_or(Orientation::NoTransforms)
        } else {
            Orientation::NoTransforms
        }
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

    /// Brings RGB pixels of any size, [height, width, 3], to the decoder's size.
    pub(crate) fn resize(
        &mut self,
        width: u32,
        height: u32,
        source: &[u8],
        pixels: &mut [u8],
    ) -> Result<(), DecodeError> {
        self.resize_part(width, height, None, source, pixels)
    }

    /// The same for a part of the pixels, from the first on: its width and height.
    fn resize_part(
        &mut self,
        width: u32,
        height: u32,
        part: Option<[f64; 2]>,
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
        let options = match part {
            Some([width, height]) => options.crop(0.0, 0.0, width, height),
            None => *options,
        };
        let wrong_size = |error: fast_image_resize::ImageBufferError| {
            DecodeError::Decode(image::ImageError::IoError(io::Error::other(error)))
        };
        let source = ImageRef::new(width, height, source, PixelType::U8x3).map_err(wrong_size)?;
        let mut target = Image::from_slice_u8(self.size.width(), self.size.height(), pixels, PixelType::U8x3)
            .map_err(wrong_size)?;
        self.resizer.resize(&source, &mut target, &options).map_err(DecodeError::Resize)
    }
}

/// How many times as large as what is made of it a JPEG stays at least, where it is decoded to a part of its size: the
/// filter still averages so many pixels.
const LEAST_REDUCED: u64 = 3;

/// All pixels, turned.
fn read(
    decoder: impl ImageDecoder,
    orientation: Orientation,
    format: ImageFormat,
    bytes: &[u8],
) -> Result<RgbImage, DecodeError> {
    let image = DynamicImage::from_decoder(decoder).map_err(|error| named(error, format, bytes))?;
    Ok(turned(image, orientation))
}

fn turned(mut image: DynamicImage, orientation: Orientation) -> RgbImage {
    image.apply_orientation(orientation);
    image.into_rgb8()
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
mod tests;
