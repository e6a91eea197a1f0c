//! Small copies of photographs, for people to look at.

use std::path::{Path, PathBuf};

use convbase_core::{Digest, ImageSize, Interpolation};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rayon::prelude::*;

use super::guard::guarded;
use super::{DecodeError, Decoder, Source, needed_bytes, read};

/// Enough to see what is on a picture of a hundred pixels.
const QUALITY: u8 = 72;
/// A small copy of a photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// A baseline JPEG.
    pub jpeg: Vec<u8>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Digest of the file that it was made from.
    pub sha256: Digest,
}

/// Makes thumbnails.
#[derive(Debug)]
pub struct ThumbnailMaker {
    longest: u32,
    decoder: Decoder,
}

impl ThumbnailMaker {
    /// The longer side of what it makes is `longest` pixels; a photograph that is smaller stays as it is.
    pub fn new(longest: u32) -> Self {
        Self { longest, decoder: Decoder::new(size(longest, longest), Interpolation::Bilinear) }
    }

    /// Turns photographs as [`Decoder::with_exif_orientation`] says.
    pub fn with_exif_orientation(self, turns: bool) -> Self {
        Self { decoder: self.decoder.with_exif_orientation(turns), ..self }
    }

    /// Thumbnails of photographs, on all cores; photographs of any size share one bound of memory.
    pub fn make_all(&self, paths: &[PathBuf]) -> Vec<Result<Thumbnail, DecodeError>> {
        paths.par_iter().map(|path| self.make(path)).collect()
    }

    /// The thumbnail of one photograph.
    pub fn make(&self, path: &Path) -> Result<Thumbnail, DecodeError> {
        let bytes = self.decoder.read_file(path)?;
        guarded(|| self.make_of(&bytes)).unwrap_or_else(|panic| Err(DecodeError::Panicked(panic)))
    }

    fn make_of(&self, bytes: &[u8]) -> Result<Thumbnail, DecodeError> {
        let memory = self.decoder.memory.clone();
        let Source { format, mut decoder } = self.decoder.open(bytes)?;
        let _share = memory.take(needed_bytes(&decoder, format, bytes.len()));
        let orientation = self.decoder.orientation(&mut decoder, format);
        let image = read(decoder, orientation, format, bytes)?;
        let size = fitted(image.width(), image.height(), self.longest);
        let mut pixels = vec![0; size.rgb_bytes()]; // [height, width, 3]
        let mut resizer = Decoder::new(size, Interpolation::Bilinear);
        resizer.resize(image.width(), image.height(), image.as_raw(), &mut pixels)?;
        let (width, height) = (size.width(), size.height());
        Ok(Thumbnail { jpeg: encoded(&pixels, width, height)?, width, height, sha256: Digest::of(bytes) })
    }
}

fn encoded(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, DecodeError> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    // Sides of an `ImageSize` are at most 4096.
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    encoder.encode(pixels, side(width), side(height), ColorType::Rgb).map_err(DecodeError::Encode)?;
    Ok(jpeg)
}

/// The size in which the longer side is as long as `longest`, and the other is rounded.
fn fitted(width: u32, height: u32, longest: u32) -> ImageSize {
    let longer = width.max(height).max(1);
    if longer <= longest {
        return size(height, width);
    }
    let scaled = |side: u32| {
        let (side, longest, longer) = (u64::from(side), u64::from(longest), u64::from(longer));
        let doubled = side.saturating_mul(longest).saturating_mul(2).saturating_add(longer);
        doubled
            .checked_div(longer.saturating_mul(2))
            .and_then(|side| u32::try_from(side).ok())
            .unwrap_or(u32::MAX)
    };
    size(scaled(height), scaled(width))
}

/// Sides that are no sides become the nearest that are.
fn size(height: u32, width: u32) -> ImageSize {
    let side = |side: u32| side.clamp(ImageSize::LEAST, ImageSize::MOST);
    #[expect(clippy::unwrap_used, reason = "the sides were brought between the bounds")]
    ImageSize::new(side(height), side(width)).unwrap()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, Rgb, RgbImage};
    use proptest::prelude::*;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        RgbImage::from_pixel(width, height, Rgb([200, 100, 50]))
            .write_to(&mut file, ImageFormat::Png)
            .unwrap();
        file.into_inner()
    }

    #[test]
    fn a_thumbnail_keeps_the_shape_and_the_colours() {
        let bytes = png(640, 480);
        let thumbnail = ThumbnailMaker::new(128).make_of(&bytes).unwrap();
        assert_eq!((thumbnail.width, thumbnail.height), (128, 96));
        assert_eq!(thumbnail.sha256, Digest::of(&bytes));
        let image =
            image::load_from_memory_with_format(&thumbnail.jpeg, ImageFormat::Jpeg).unwrap().to_rgb8();
        assert_eq!((image.width(), image.height()), (128, 96));
        let near = |found: u8, expected: u8| found.abs_diff(expected) <= 8;
        for Rgb([r, g, b]) in image.pixels() {
            assert!(near(*r, 200) && near(*g, 100) && near(*b, 50), "{r} {g} {b}");
        }
    }

    #[test]
    fn a_small_photograph_stays_as_it_is() {
        let thumbnail = ThumbnailMaker::new(128).make_of(&png(7, 90)).unwrap();
        assert_eq!((thumbnail.width, thumbnail.height), (7, 90));
    }

    #[test]
    fn what_is_no_photograph_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        convbase_core::write_artifact(&path, b"no picture").unwrap();
        let made = ThumbnailMaker::new(128).make_all(&[path, folder.path().join("none.jpg")]);
        assert!(made.len() == 2 && made.iter().all(Result::is_err));
    }

    proptest! {
        #[test]
        fn every_size_fits(width in 1_u32..100_000, height in 1_u32..100_000, longest in 1_u32..4096) {
            let size = fitted(width, height, longest);
            prop_assert!(size.width() <= longest.max(1) && size.height() <= longest.max(1));
            if width.max(height) >= longest {
                prop_assert_eq!(size.width().max(size.height()), longest);
            }
        }
    }
}
