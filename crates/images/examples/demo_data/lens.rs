//! Light and camera: shadows, brightness, focus, noise.

use crate::angle::sine_cosine;
use crate::blur::blur;
use crate::difficulty::Difficulty;
use crate::layer::Layer;
use crate::random::Random;
use crate::texture::lattice;

/// How one picture was taken.
pub struct Lens {
    /// Where shadows fall, in pixels.
    shadow: [f32; 2],
    shadow_softness: usize,
    shadow_strength: f32,
    exposure: f32,
    contrast: f32,
    /// How much brighter one side is than the other, and in which direction.
    slope: f32,
    slope_turns: f32,
    vignette: f32,
    /// Gain of red and of blue: warm or cold light.
    warmth: f32,
    blur: usize,
    noise: f32,
    seed: u32,
}

impl Lens {
    pub fn choose(difficulty: &Difficulty, shorter: f32, random: &mut Random) -> Self {
        let scale = shorter / 250.0;
        let (sine, cosine) = sine_cosine(random.unit());
        let reach = random.between(2.0, 9.0) * scale;
        let dim = random.chance(difficulty.dim);
        let out_of_focus = random.chance(difficulty.blurred);
        let radius = random.between(difficulty.blur.0, difficulty.blur.1) * scale;
        let noise = random.between(difficulty.noise.0, difficulty.noise.1);
        Self {
            shadow: [cosine * reach, sine * reach],
            shadow_softness: random.count(1, 4) as usize,
            shadow_strength: random.between(0.25, 0.6),
            exposure: random.between(0.88, 1.15) * if dim { 0.6 } else { 1.0 },
            contrast: random.between(0.85, 1.15) * if dim { 0.75 } else { 1.0 },
            slope: random.between(0.0, 0.35),
            slope_turns: random.unit(),
            vignette: random.between(0.0, 0.4),
            warmth: random.between(-0.08, 0.08),
            blur: if out_of_focus { (radius + 0.5) as usize } else { 0 },
            noise: noise * if dim { 1.5 } else { 1.0 },
            seed: random.word(),
        }
    }

    /// Lays a thing on the scene, with its shadow beneath.
    pub fn lay(&self, scene: &mut Layer, thing: &Layer) {
        let (width, height) = (scene.width() as usize, scene.height() as usize);
        let mut shade = thing.coverage();
        blur(&mut shade, width, height, self.shadow_softness);
        let (right, down) = (self.shadow[0].round() as isize, self.shadow[1].round() as isize);
        for (position, pixel) in scene.bytes_mut().chunks_exact_mut(4).enumerate() {
            let x = (position % width) as isize - right;
            let y = (position / width) as isize - down;
            if (0..width as isize).contains(&x) && (0..height as isize).contains(&y) {
                let shade = f32::from(shade[y as usize * width + x as usize]) / 255.0;
                let light = 1.0 - shade * self.shadow_strength;
                pixel[..3].iter_mut().for_each(|value| *value = (f32::from(*value) * light + 0.5) as u8);
            }
        }
        scene.lay(thing);
    }

    /// The photograph of an opaque scene: red, green and blue, row by row.
    pub fn expose(&self, scene: &Layer) -> Vec<u8> {
        let (width, height) = (scene.width() as usize, scene.height() as usize);
        let mut pixels = vec![0; width * height * 3];
        for channel in 0..3 {
            let mut values: Vec<u8> = scene.bytes().chunks_exact(4).map(|pixel| pixel[channel]).collect();
            blur(&mut values, width, height, self.blur);
            for (pixel, value) in pixels.chunks_exact_mut(3).zip(values) {
                pixel[channel] = value;
            }
        }
        let (sine, cosine) = sine_cosine(self.slope_turns);
        for (position, pixel) in pixels.chunks_exact_mut(3).enumerate() {
            let (column, row) = ((position % width) as i32, (position / width) as i32);
            // From -1 to 1 over the picture.
            let x = 2.0 * column as f32 / width as f32 - 1.0;
            let y = 2.0 * row as f32 / height as f32 - 1.0;
            let slope = 1.0 + self.slope * (x * cosine + y * sine);
            let light = self.exposure * slope * (1.0 - self.vignette * (x * x + y * y) / 2.0);
            let grain = lattice(self.seed, column, row) * self.noise;
            for (channel, value) in pixel.iter_mut().enumerate() {
                let gain = [1.0 + self.warmth, 1.0, 1.0 - self.warmth][channel] * light;
                let color_grain = lattice(self.seed ^ (channel as u32 + 1), column, row) * self.noise * 0.5;
                let lit = (f32::from(*value) * gain - 118.0) * self.contrast + 118.0;
                *value = (lit + grain + color_grain).clamp(0.0, 255.0).round() as u8;
            }
        }
        pixels
    }
}
