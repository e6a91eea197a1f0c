//! What a specimen lies on, and things that lie about; neither tells anything of the class.

use image::{Rgb, RgbImage, imageops::fast_blur};
use tiny_skia::BlendMode::SourceOver;

use crate::random::{Random, cloud, lattice, noise};
use crate::sheet::{BLACK, Color, Point, Sheet, WHITE, curve, mix, paint, shade, sine_cosine};

/// Colours of tables, stones and soil.
const GROUND: [u32; 10] =
    [0xa6825c, 0x70523a, 0xcebea0, 0x8a8c8a, 0x545c64, 0x627044, 0xbec8cc, 0xdedad0, 0x786460, 0x96a080];

/// Wood, cloth, stone, paper or straw, sometimes out of focus, and its colour on the whole.
pub fn ground(width: u32, height: u32, random: &mut Random) -> (RgbImage, Color) {
    let color = shade(&GROUND, 22.0, random);
    let (seed, coarse, fine) = (random.next(), random.unit(), random.unit());
    let (sine, cosine) = sine_cosine(random.unit());
    let kind = random.pick(&[0, 1, 2, 3, 4]);
    let light = |x: f32, y: f32| match kind {
        0 => {
            let plank = 50.0 + 90.0 * coarse;
            let board = (y / plank).floor();
            let wave = 2.0 * noise(seed, x * 0.012, y * 0.03 + board * 7.0);
            let fibre = cloud(seed, x * 0.02 + board * 31.0, y * 0.35 + wave);
            let seam = if y - board * plank < 1.6 { -0.45 } else { 0.0 };
            0.1 * lattice(seed, board as i32, 0) + fibre * (0.12 + 0.18 * fine) + seam
        }
        1 => {
            let weave = |along: f32| sine_cosine(along / (3.0 + 4.0 * coarse)).0;
            weave(x) * weave(y) * (0.04 + 0.08 * fine) + cloud(seed, x * 0.02, y * 0.1) * 0.3
        }
        2 => {
            let scale = 0.02 + 0.06 * coarse;
            cloud(seed, x * scale, y * scale) * 0.45 + noise(seed, x * 0.7, y * 0.7) * (0.02 + 0.12 * fine)
        }
        3 => cloud(seed, x * 0.15, y * 0.15) * 0.05 + x * 0.0014 * coarse,
        _ => {
            let blades = |seed, x, y| noise(seed, x * 0.03, y * 0.25 + noise(seed, x * 0.02, y * 0.02) * 3.0);
            blades(seed, x, y).max(blades(seed ^ 1, x + y * coarse, y - x * coarse)) * 0.6
        }
    };
    let scene = RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let light = 1.0 + light(x * cosine + y * sine, y * cosine - x * sine);
        Rgb(color.map(|value| (value * light) as u8))
    });
    let softness = random.between(-6.0, 4.0);
    (if softness > 1.0 { fast_blur(&scene, softness) } else { scene }, color)
}

/// Draws a twig, a pebble or a berry of about this size in pixels.
pub fn thing(sheet: &mut Sheet, center: Point, size: f32, random: &mut Random) {
    if random.unit() < 0.4 {
        return twig(sheet, center, size * 2.0, random);
    }
    sheet.at(center, size * 0.4, random.unit());
    let color = shade(&[0xa6825c, 0x8a8c8a, 0xcebea0, 0xa82228, 0x3a345c, 0xce6e28], 20.0, random);
    let (slim, rough, start) = (random.between(0.7, 1.0), random.between(0.0, 0.2), random.unit());
    // The same outline at several sizes, each a little lighter: roundness.
    for (share, light) in [(1.0, 0.0), (0.85, 0.1), (0.7, 0.2), (0.5, 0.3), (0.3, 0.38), (0.1, 0.5)] {
        let edge = curve(36, |turns| {
            let (sine, cosine) = sine_cosine(turns);
            let reach = share + share * rough * sine_cosine(2.0 * turns + start).0;
            [cosine * reach + 0.2 * (share - 1.0), sine * reach * slim]
        });
        sheet.polygon(&edge, &paint(mix(mix(color, BLACK, 0.3), WHITE, light), 1.0, SourceOver));
    }
}

/// A forked twig of this length in pixels, in any direction.
fn twig(sheet: &mut Sheet, center: Point, length: f32, random: &mut Random) {
    sheet.at(center, length, random.unit());
    let bark = paint(shade(&[0x604a38], 24.0, random), 1.0, SourceOver);
    let (wide, seed) = (random.between(0.025, 0.06), random.next());
    let line = curve(14, |share| [share - 0.5, 0.06 * noise(seed, share * 4.0, 0.0)]);
    for fork in [4, 7, 10] {
        let (start, reach) = (line[fork], random.between(0.0, 0.2));
        let end = [start[0] + reach, start[1] + reach * random.pick(&[-0.9, 0.9])];
        sheet.ribbon(&[start, end], wide * 0.5, &bark);
    }
    sheet.ribbon(&line, wide, &bark);
    sheet.ribbon(&line, wide * 0.4, &paint(WHITE, 0.2, SourceOver));
}
