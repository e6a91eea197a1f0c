//! Turns a photograph into the bytes of a file.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageResult};

use crate::picture::Photograph;
use crate::random::Random;

/// A file without its folder.
pub struct Encoded {
    pub suffix: &'static str,
    pub bytes: Vec<u8>,
}

/// Three quarters are JPEG, the rest PNG; a few of both are grey, and some PNG have an alpha channel.
pub fn encode(photograph: &Photograph, random: &mut Random) -> ImageResult<Encoded> {
    let jpeg = random.chance(0.75);
    let quality = random.count(45, 95) as u8;
    let grey = random.chance(0.06);
    let alpha = random.chance(0.2);
    let (pixels, color) = match (grey, alpha && !jpeg) {
        (true, _) => (grey_pixels(photograph), ExtendedColorType::L8),
        (false, true) => (rounded_corners(photograph), ExtendedColorType::Rgba8),
        (false, false) => (photograph.pixels.clone(), ExtendedColorType::Rgb8),
    };
    let mut bytes = Vec::new();
    let suffix = if jpeg {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        encoder.write_image(&pixels, photograph.width, photograph.height, color)?;
        "jpg"
    } else {
        PngEncoder::new(&mut bytes).write_image(&pixels, photograph.width, photograph.height, color)?;
        "png"
    };
    Ok(Encoded { suffix, bytes })
}

fn grey_pixels(photograph: &Photograph) -> Vec<u8> {
    let brightness =
        |pixel: &[u8]| (u32::from(pixel[0]) * 77 + u32::from(pixel[1]) * 150 + u32::from(pixel[2]) * 29) >> 8;
    photograph.pixels.chunks_exact(3).map(|pixel| brightness(pixel) as u8).collect()
}

/// The whole photograph, with corners that are transparent where alpha is respected.
fn rounded_corners(photograph: &Photograph) -> Vec<u8> {
    let (width, height) = (photograph.width as i32, photograph.height as i32);
    let radius = width.min(height) / 10;
    let beyond = |position: i32, side: i32| (radius - position).max(position - (side - 1 - radius)).max(0);
    let mut bytes = Vec::with_capacity(photograph.pixels.len() / 3 * 4);
    for (position, pixel) in (0..).zip(photograph.pixels.chunks_exact(3)) {
        let (x, y) = (beyond(position % width, width), beyond(position / width, height));
        let inside = x * x + y * y <= radius * radius;
        bytes.extend_from_slice(pixel);
        bytes.push(if inside { 255 } else { 0 });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32) -> Photograph {
        Photograph { width, height, pixels: vec![200; (width * height * 3) as usize] }
    }

    #[test]
    fn only_the_corners_are_transparent() {
        let bytes = rounded_corners(&plain(40, 20));
        let alpha = |x: usize, y: usize| bytes[(y * 40 + x) * 4 + 3];
        assert_eq!([alpha(0, 0), alpha(39, 0), alpha(0, 19), alpha(39, 19)], [0; 4]);
        assert_eq!([alpha(20, 0), alpha(0, 10), alpha(20, 10), alpha(39, 10)], [255; 4]);
    }

    #[test]
    fn grey_of_grey_is_the_same_grey() {
        assert_eq!(grey_pixels(&plain(2, 2)), [200; 4]);
    }
}
