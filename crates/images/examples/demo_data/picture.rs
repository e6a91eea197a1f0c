//! Composes one photograph, takes it and encodes it.

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{DynamicImage, ImageResult, RgbImage, imageops::fast_blur};

use crate::random::{Random, lattice};
use crate::scenery::{ground, thing};
use crate::sheet::{Point, Sheet, mix, shade};
use crate::specimen::{NATURAL, draw};

// How hard the pictures are, in shares of all. On the default plan the tutorial's base and recipe reach
// 0.89, 0.90 and 0.90 in test (seeds 42 to 44), 0.93, 0.89 and 0.86 in validation, at epochs 29 to 32.
/// A quarter to nearly a half of the specimen is of the other class.
const AMBIGUOUS: f32 = 0.08;
const SMALL: f32 = 0.05;
const CAMOUFLAGED: f32 = 0.06;
const COVERED: f32 = 0.15;
/// A smaller specimen of the other class lies about.
const DECOY: f32 = 0.08;
const OUT_OF_FOCUS: f32 = 0.15;

/// Takes the photograph of a feather (`leaf` 0) or a leaf (1): wide or high, 120 to 400 pixels a side.
pub fn take(leaf: f32, random: &mut Random) -> RgbImage {
    let long = random.between(180.0, 400.0);
    let short = (long * random.between(0.62, 1.0)).max(120.0);
    let sides = if random.unit() < 0.6 { [long, short] } else { [short, long] };
    let [width, height] = sides.map(|side| side as u32);
    let shadow = [0; 2].map(|_| (short * random.between(-0.03, 0.03)) as i32);
    let (mut scene, ground) = ground(width, height, random);

    let anywhere = |random: &mut Random| sides.map(|side| side * random.between(0.04, 0.96));
    let mut things = Sheet::new(width, height);
    for _ in 0..random.pick(&[0, 1, 2]) {
        thing(&mut things, anywhere(random), short * random.between(0.1, 0.24), random);
    }
    things.lay(&mut scene, shadow);

    let mut place = |center: Point, length: f32, leaf: f32, random: &mut Random| {
        let camouflage = if random.unit() < CAMOUFLAGED { 0.8 } else { 0.0 };
        let color = mix(shade(&NATURAL, 26.0, random), ground, camouflage);
        let second = shade(&NATURAL, 26.0, random);
        let lean =
            if random.unit() < AMBIGUOUS { random.between(0.25, 0.45) } else { random.between(0.0, 0.06) };
        let mut sheet = Sheet::new(width, height);
        sheet.at(center, length, random.unit());
        draw(&mut sheet, leaf + lean * (1.0 - 2.0 * leaf), color, second, random);
        sheet.lay(&mut scene, shadow);
    };
    let length =
        short * if random.unit() < SMALL { random.between(0.45, 0.6) } else { random.between(0.8, 1.1) };
    if random.unit() < DECOY {
        place(anywhere(random), length * random.between(0.35, 0.55), 1.0 - leaf, random);
    }
    // The longer the specimen, the nearer to the middle, so that most of it is in the picture.
    let slack = |side: f32| ((side - length * 0.8) / 2.0).max(side * 0.06);
    let center = sides.map(|side| side / 2.0 + slack(side) * random.between(-1.0, 1.0));
    place(center, length, leaf, random);

    if random.unit() < COVERED {
        let mut sheet = Sheet::new(width, height);
        let center = center.map(|value| value + random.between(-0.25, 0.25) * length);
        thing(&mut sheet, center, length * random.between(0.2, 0.45), random);
        sheet.lay(&mut scene, shadow);
    }
    expose(scene, random)
}

/// Light and camera: focus, brightness, contrast, warm or cold light, a darker side and corners, noise.
fn expose(scene: RgbImage, random: &mut Random) -> RgbImage {
    let (width, height) = (scene.width() as f32, scene.height() as f32);
    let softness = random.between(1.0, 2.2) * width.min(height) / 250.0;
    let mut photograph = if random.unit() < OUT_OF_FOCUS { fast_blur(&scene, softness) } else { scene };
    let (exposure, contrast) = (random.between(0.8, 1.15), random.between(0.8, 1.15));
    let (noise, warmth) = (random.between(2.0, 14.0), random.between(-0.08, 0.08));
    let (aside, down) = (random.between(-0.25, 0.25), random.between(-0.25, 0.25));
    let (vignette, seed) = (random.between(0.0, 0.2), random.next());
    for (column, row, pixel) in photograph.enumerate_pixels_mut() {
        // From -1 to 1 over the picture.
        let (x, y) = (2.0 * column as f32 / width - 1.0, 2.0 * row as f32 / height - 1.0);
        let corner = 1.0 - vignette * (x * x + y * y);
        let light = exposure * corner * (1.0 + aside * x + down * y);
        let grain = noise * lattice(seed, column as i32, row as i32);
        for (value, gain) in pixel.0.iter_mut().zip([1.0 + warmth, 1.0, 1.0 - warmth]) {
            let lit = (f32::from(*value) * gain * light - 118.0) * contrast + 118.0 + grain;
            *value = lit as u8;
        }
    }
    photograph
}

/// A file's suffix and bytes: three quarters JPEG, the rest PNG; a few are grey, some PNG have an alpha channel.
pub fn encode(photograph: RgbImage, random: &mut Random) -> ImageResult<(&'static str, Vec<u8>)> {
    let is_jpeg = random.unit() < 0.75;
    let image = DynamicImage::from(photograph);
    let image = match random.unit() {
        ..0.06 => image.to_luma8().into(),
        ..0.25 if !is_jpeg => image.to_rgba8().into(),
        _ => image,
    };
    let mut bytes = Vec::new();
    if is_jpeg {
        let quality = random.between(45.0, 96.0) as u8;
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    } else {
        image.write_with_encoder(PngEncoder::new(&mut bytes))?;
    }
    Ok((if is_jpeg { "jpg" } else { "png" }, bytes))
}
