//! What the specimen lies on: wood, cloth, stone, paper, soil out of focus, straw.

use crate::angle::sine_cosine;
use crate::blur::blur;
use crate::layer::{Ink, Layer};
use crate::random::Random;
use crate::shapes::{blob, wander};
use crate::texture::{cloud, lattice, noise};
use crate::tint::Tint;

/// A full, opaque layer, and the colour it has on the whole.
pub fn draw(width: u32, height: u32, random: &mut Random) -> (Layer, Tint) {
    let tint = Tint::ground(random);
    let mut layer = Layer::new(width, height);
    match random.count(0, 5) {
        0 => wood(&mut layer, tint, random),
        1 => cloth(&mut layer, tint, random),
        2 => stone(&mut layer, tint, random),
        3 => paper(&mut layer, tint, random),
        4 => soil(&mut layer, tint, random),
        _ => straw(&mut layer, tint, random),
    }
    (layer, tint)
}

/// Colours every pixel by its position along and across a random direction.
fn paint(layer: &mut Layer, tint: Tint, turns: f32, light: impl Fn(f32, f32) -> f32) {
    let (sine, cosine) = sine_cosine(turns);
    let width = layer.width() as usize;
    for (position, pixel) in layer.bytes_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = ((position % width) as f32, (position / width) as f32);
        let light = light(x * cosine + y * sine, y * cosine - x * sine);
        pixel[..3].copy_from_slice(&Tint(tint.0.map(|value| value * (1.0 + light))).bytes());
        pixel[3] = 255;
    }
}

fn wood(layer: &mut Layer, tint: Tint, random: &mut Random) {
    let seed = random.word();
    let plank = random.between(50.0, 140.0);
    let turns = random.pick(&[0.0, 0.25]) + random.between(-0.04, 0.04);
    let grain = random.between(0.12, 0.3);
    paint(layer, tint, turns, |along, across| {
        let board = (across / plank).floor();
        let shade = 0.10 * lattice(seed, board as i32, 0);
        let wave = 6.0 * noise(seed, along * 0.012, across * 0.03 + board * 7.0);
        let fibre = cloud(seed, along * 0.02 + board * 31.0, (across + wave) * 0.35, 3) * grain;
        let edge = across - board * plank;
        let seam = if edge < 1.6 { -0.45 } else { 0.0 };
        shade + fibre + seam
    });
}

fn cloth(layer: &mut Layer, tint: Tint, random: &mut Random) {
    let seed = random.word();
    let pitch = random.between(3.0, 7.0);
    let depth = random.between(0.04, 0.12);
    paint(layer, tint, random.unit(), |x, y| {
        let weave = sine_cosine(x / pitch).0 * sine_cosine(y / pitch).0 * depth;
        let slub = noise(seed, x * 0.03, y * 0.6) * 0.05 + noise(seed ^ 1, x * 0.6, y * 0.03) * 0.05;
        weave + slub + cloud(seed ^ 2, x * 0.012, y * 0.012, 2) * 0.35
    });
}

fn stone(layer: &mut Layer, tint: Tint, random: &mut Random) {
    let seed = random.word();
    let scale = random.between(0.02, 0.08);
    let speckle = random.between(0.02, 0.14);
    paint(layer, tint, random.unit(), |x, y| {
        cloud(seed, x * scale, y * scale, 4) * 0.45 + noise(seed ^ 5, x * 0.7, y * 0.7) * speckle
    });
}

fn paper(layer: &mut Layer, tint: Tint, random: &mut Random) {
    let seed = random.word();
    let slope = random.between(0.0, 0.0014);
    paint(layer, tint.toward(Tint::WHITE, 0.3), random.unit(), |x, y| {
        cloud(seed, x * 0.15, y * 0.15, 2) * 0.05 + x * slope
    });
}

/// Dots of many sizes, blurred: a floor far below, or a garden behind.
fn soil(layer: &mut Layer, tint: Tint, random: &mut Random) {
    let (width, height) = (layer.width() as f32, layer.height() as f32);
    paint(layer, tint.toward(Tint::BLACK, 0.2), 0.0, |_, _| 0.0);
    for _ in 0..90 {
        let center = [random.between(0.0, width), random.between(0.0, height)];
        let radius = random.between(4.0, 26.0);
        let dot = tint.varied(random, 40.0);
        layer.polygon(&blob(center, (radius, radius * 0.8), 0.2, random), dot, 0.5, Ink::Over);
    }
    soften(layer, random.count(2, 6) as usize);
}

fn straw(layer: &mut Layer, tint: Tint, random: &mut Random) {
    let (width, height) = (layer.width() as f32, layer.height() as f32);
    paint(layer, tint.toward(Tint::BLACK, 0.35), 0.0, |_, _| 0.0);
    let (turns, spread) = (random.unit(), random.between(0.03, 0.3));
    for _ in 0..220 {
        let start = [random.between(-20.0, width), random.between(-20.0, height)];
        let away = turns + random.between(-spread, spread);
        let blade = wander(start, away, random.between(30.0, 110.0), 0.012, random);
        let wide = random.between(1.2, 4.0);
        layer.ribbon(&blade, (wide, wide * 0.3), tint.varied(random, 34.0), 0.8, Ink::Over);
    }
    soften(layer, random.count(0, 2) as usize);
}

fn soften(layer: &mut Layer, radius: usize) {
    let (width, height) = (layer.width() as usize, layer.height() as usize);
    for channel in 0..3 {
        let mut values: Vec<u8> = layer.bytes().chunks_exact(4).map(|pixel| pixel[channel]).collect();
        blur(&mut values, width, height, radius);
        for (pixel, value) in layer.bytes_mut().chunks_exact_mut(4).zip(values) {
            pixel[channel] = value;
        }
    }
}
