//! The images of canaries, drawn in integers: the same on every machine.

use convbase_core::store::Canary;
use convbase_core::{ImageSize, Interpolation};

use crate::{DecodeError, Decoder};

const WIDTH: usize = 97;
const HEIGHT: usize = 61;

/// The drawn images as they enter the network: [images, height, width, 3], red, green, blue.
///
/// Their sides are odd and small, and they go through the resizer like a photograph. The first tells
/// channels and directions apart, the second (a chirp) interpolations, the third is texture for the convolutions.
pub fn canary_pixels(size: ImageSize, interpolation: Interpolation) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new(size, interpolation);
    let mut pixels = vec![0; Canary::IMAGES * size.rgb_bytes()];
    for (image, target) in pixels.chunks_exact_mut(size.rgb_bytes()).enumerate() {
        let drawn: Vec<u8> =
            (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| colour(image, x, y))).collect();
        decoder.resize(WIDTH as u32, HEIGHT as u32, &drawn, target)?;
    }
    Ok(pixels)
}

/// One pixel of a drawn image, in integers: the same on every machine.
fn colour(image: usize, x: usize, y: usize) -> [u8; 3] {
    let byte = |number: usize| (number & 0xFF) as u8;
    match image {
        0 => [byte(x * 255 / (WIDTH - 1)), byte(y * 128 / (HEIGHT - 1)), byte(64 + (x * y) / 61)],
        1 => {
            let light = ((x * x + 2 * y * y) / 128).is_multiple_of(2);
            if light { [255, 224, 192] } else { [0, 16, 48] }
        }
        _ => {
            // Patches of three by three pixels; the multipliers are Knuth's and two other large odd numbers.
            let mixed = (x / 3 * 2_654_435_761 + y / 3 * 40_503_131 + 97).wrapping_mul(2_246_822_519);
            [byte(mixed >> 13), byte(mixed >> 17), byte(mixed >> 23)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawn_images_tell_channels_directions_and_interpolations_apart() {
        let size = ImageSize::new(48, 40).unwrap();
        let nearest = canary_pixels(size, Interpolation::Nearest).unwrap();
        assert_eq!(nearest.len(), 3 * 48 * 40 * 3);
        assert_ne!(nearest, canary_pixels(size, Interpolation::Bilinear).unwrap());
        let image = &nearest[..48 * 40 * 3];
        let pixel = |y: usize, x: usize| &image[(y * 40 + x) * 3..][..3];
        assert!(pixel(0, 39)[0] > 200 && pixel(47, 0)[0] < 50, "red grows to the right");
        assert!(pixel(47, 0)[1] > 100 && pixel(0, 39)[1] < 10, "green grows downwards");
        assert_ne!(pixel(47, 39)[0], pixel(47, 39)[2]);
    }
}
