//! Many photographs at once, on all cores, into one buffer.

use std::io;
use std::path::{Path, PathBuf};

use convbase_core::{DecodedImage, ImageSize};
use rayon::prelude::*;

use super::guard::guarded;
use super::{DecodeError, Decoded, Decoder, Doubt};
use crate::ViewMaker;

/// Photographs that were decoded together.
#[derive(Debug)]
pub struct DecodedBatch {
    /// What became of each photograph, in the order of the paths.
    pub images: Vec<Result<DecodedImage, DecodeError>>,
    /// Those that decoded and may be damaged, by their positions among the paths.
    pub doubts: Vec<(usize, Doubt)>,
    /// [decoded, height, width, 3], red, green, blue: those that decoded, without gaps.
    pub pixels: Vec<u8>,
}

impl DecodedBatch {
    /// How many photographs decoded.
    pub fn decoded(&self) -> usize {
        self.images.iter().filter(|image| image.is_ok()).count()
    }
}

/// Threads that decode and do nothing else.
#[derive(Debug)]
pub struct DecodeThreads {
    pool: rayon::ThreadPool,
}

impl DecodeThreads {
    /// Starts so many threads. Fails when the system has none left.
    pub fn start(count: usize) -> io::Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|index| format!("decode-{index}"))
            .build()
            .map_err(io::Error::other)?;
        Ok(Self { pool })
    }

    /// [`decode_batch`] on these threads.
    pub fn decode_batch(&self, paths: &[PathBuf], decoder: &Decoder) -> DecodedBatch {
        self.pool.install(|| decode_batch(paths, decoder))
    }

    /// [`ViewMaker::make_all`] on these threads.
    ///
    /// # Panics
    /// When there are not as many paths as photographs, or their pixels are not as long as the size says.
    pub fn make_views(
        &self,
        batch: DecodedBatch,
        maker: &ViewMaker,
        paths: &[&str],
        size: ImageSize,
    ) -> DecodedBatch {
        self.pool.install(|| maker.make_all(batch, paths, size))
    }
}

/// Decodes files in parallel, each into its own slice of one buffer, and then closes the gaps that unreadable ones
/// leave. Each thread decodes by a clone of `decoder`. A photograph that makes it panic is an unreadable one.
pub fn decode_batch(paths: &[PathBuf], decoder: &Decoder) -> DecodedBatch {
    decode_with(paths, decoder, Decoder::decode_file)
}

/// The same by any function that decodes one file.
#[cfg_attr(
    not(test),
    expect(
        clippy::arithmetic_side_effects,
        reason = "products of the number of paths and of bytes per image, of which the buffer was made"
    )
)]
fn decode_with(
    paths: &[PathBuf],
    decoder: &Decoder,
    decode: impl Fn(&mut Decoder, &Path, &mut [u8]) -> Result<Decoded, DecodeError> + Sync,
) -> DecodedBatch {
    let length = decoder.size().rgb_bytes();
    let mut pixels = vec![0; paths.len() * length];
    let new_decoder = || decoder.clone();
    let decoded: Vec<Result<Decoded, DecodeError>> = paths
        .par_iter()
        .zip(pixels.par_chunks_exact_mut(length))
        .map_init(new_decoder, |decoder, (path, pixels)| {
            guarded(|| decode(decoder, path, pixels)).unwrap_or_else(|panic| {
                *decoder = new_decoder(); // What the panic left of the old one is not known.
                Err(DecodeError::Panicked(panic))
            })
        })
        .collect();
    let doubt =
        |(position, decoded): (usize, &Result<Decoded, _>)| Some((position, decoded.as_ref().ok()?.doubt?));
    let doubts = decoded.iter().enumerate().filter_map(doubt).collect();
    let images: Vec<_> = decoded.into_iter().map(|decoded| decoded.map(|decoded| decoded.image)).collect();
    let mut rows = 0;
    for (position, image) in images.iter().enumerate() {
        if image.is_ok() {
            pixels.copy_within(position * length..(position + 1) * length, rows * length);
            rows += 1;
        }
    }
    pixels.truncate(rows * length);
    DecodedBatch { images, doubts, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;
    use convbase_core::Interpolation;
    use convbase_core::exit::one_line;
    use image::{Rgb, RgbImage};

    #[test]
    fn an_unreadable_photograph_leaves_no_gap_between_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        let size = ImageSize::new(32, 32).unwrap();
        let paths: Vec<PathBuf> = (0..5).map(|index| folder.path().join(format!("{index}.png"))).collect();
        for (index, path) in paths.iter().enumerate() {
            if index % 2 == 0 {
                RgbImage::from_pixel(40, 40, Rgb([index as u8 * 10; 3])).save(path).unwrap();
            } else {
                convbase_core::write_artifact(path, b"no image").unwrap();
            }
        }
        let batch = decode_batch(&paths, &Decoder::new(size, Interpolation::Nearest));
        let statuses: Vec<bool> = batch.images.iter().map(Result::is_ok).collect();
        assert_eq!(statuses, [true, false, true, false, true]);
        assert_eq!(batch.decoded(), 3);
        let firsts: Vec<u8> = batch.pixels.chunks(size.rgb_bytes()).map(|image| image[0]).collect();
        assert_eq!(firsts, [0, 20, 40]);
    }

    #[test]
    fn a_decoder_that_panics_costs_one_photograph_and_no_run() {
        let folder = tempfile::tempdir().unwrap();
        let size = ImageSize::new(32, 32).unwrap();
        let paths: Vec<PathBuf> = (0..9).map(|index| folder.path().join(format!("{index}.png"))).collect();
        for (index, path) in paths.iter().enumerate() {
            RgbImage::from_pixel(40, 40, Rgb([index as u8 * 10; 3])).save(path).unwrap();
        }
        let panics = |path: &Path| path.ends_with("3.png") || path.ends_with("4.png");
        let threads = DecodeThreads::start(2).unwrap();
        let batch = threads.pool.install(|| {
            decode_with(&paths, &Decoder::new(size, Interpolation::Bilinear), |decoder, path, pixels| {
                pixels.fill(255);
                assert!(!panics(path), "no pixels\nin {}", path.file_name().unwrap().display());
                decoder.decode_file(path, pixels)
            })
        });
        for (path, image) in paths.iter().zip(&batch.images) {
            assert_eq!(image.is_err(), panics(path), "{path:?}: {image:?}");
        }
        let error = one_line(batch.images[3].as_ref().unwrap_err());
        assert_eq!(
            error,
            "expected the decoder to give pixels or an error, found a panic: no pixels in 3.png"
        );
        let firsts: Vec<u8> = batch.pixels.chunks(size.rgb_bytes()).map(|image| image[0]).collect();
        assert_eq!(firsts, [0, 10, 20, 50, 60, 70, 80]);
        // The same threads go on.
        assert_eq!(threads.decode_batch(&paths, &Decoder::new(size, Interpolation::Nearest)).decoded(), 9);
    }
}
