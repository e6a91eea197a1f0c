//! Things that lie about and tell nothing of the class: pebbles, twigs, berries, buttons.

use crate::layer::{Ink, Layer, Point};
use crate::random::Random;
use crate::shapes::{blob, wander};
use crate::tint::Tint;

/// Draws any one thing of about this size in pixels.
pub fn draw(layer: &mut Layer, center: Point, size: f32, random: &mut Random) {
    match random.count(0, 4) {
        0 => pebble(layer, center, size, random),
        1 => twig(layer, center, size * 2.0, random),
        2 => berries(layer, center, size, random),
        3 => button(layer, center, size * 0.8, random),
        _ => acorn(layer, center, size, random),
    }
}

fn pebble(layer: &mut Layer, center: Point, size: f32, random: &mut Random) {
    let tint = Tint::ground(random);
    let radii = (size * 0.5, size * random.between(0.3, 0.48));
    let seed = random.word();
    // The same outline at several sizes, each a little lighter and nearer to the light: roundness.
    for (share, light) in [(1.0, -0.25), (0.85, -0.08), (0.65, 0.1), (0.4, 0.25), (0.2, 0.35)] {
        let shift = size * 0.14 * (1.0 - share);
        let mut same = Random::of(&[u64::from(seed)]);
        let shape =
            blob([center[0] - shift, center[1] - shift], (radii.0 * share, radii.1 * share), 0.3, &mut same);
        layer.polygon(&shape, lit(tint, light), 1.0, Ink::Over);
    }
    for _ in 0..random.count(0, 14) {
        let spot =
            [center[0] + random.between(-radii.0, radii.0), center[1] + random.between(-radii.0, radii.0)];
        layer.polygon(&blob(spot, (size * 0.02, size * 0.015), 0.3, random), Tint::BLACK, 0.3, Ink::Inside);
    }
}

/// A twig of this length, centred, in any direction; also what lies across a specimen.
pub fn twig(layer: &mut Layer, center: Point, length: f32, random: &mut Random) {
    let turns = random.unit();
    let (sine, cosine) = crate::angle::sine_cosine(turns);
    let start = [center[0] - cosine * length / 2.0, center[1] - sine * length / 2.0];
    let line = wander(start, turns, length, 0.025, random);
    let tint = Tint([96.0, 74.0, 56.0]).varied(random, 24.0);
    let wide = (length * random.between(0.025, 0.06)).max(2.0);
    for fork in [4, 7, 10] {
        if random.chance(0.6) {
            let away = turns + random.pick(&[-0.11, 0.11]);
            let side = wander(line[fork], away, length * random.between(0.1, 0.25), 0.03, random);
            layer.ribbon(&side, (wide * 0.5, wide * 0.25), tint, 1.0, Ink::Over);
        }
    }
    layer.ribbon(&line, (wide, wide * 0.55), tint, 1.0, Ink::Over);
    layer.ribbon(&line, (wide * 0.4, wide * 0.2), lit(tint, 0.22), 0.8, Ink::Over);
}

fn berries(layer: &mut Layer, center: Point, size: f32, random: &mut Random) {
    let tint =
        random.pick(&[Tint([168.0, 34.0, 40.0]), Tint([58.0, 52.0, 92.0]), Tint([206.0, 110.0, 40.0])]);
    for _ in 0..random.count(1, 4) {
        let place =
            [center[0] + random.between(-0.4, 0.4) * size, center[1] + random.between(-0.4, 0.4) * size];
        ball(layer, place, size * random.between(0.18, 0.28), tint.varied(random, 14.0), random);
    }
}

fn ball(layer: &mut Layer, center: Point, radius: f32, tint: Tint, random: &mut Random) {
    for (share, light) in [(1.0, -0.3), (0.85, -0.1), (0.62, 0.08), (0.36, 0.25), (0.14, 0.7)] {
        let shift = radius * 0.4 * (1.0 - share);
        let place = [center[0] - shift, center[1] - shift];
        layer.polygon(
            &blob(place, (radius * share, radius * share), 0.0, random),
            lit(tint, light),
            1.0,
            Ink::Over,
        );
    }
}

fn button(layer: &mut Layer, center: Point, size: f32, random: &mut Random) {
    let tint = Tint::natural(random);
    let mut disc = |share: f32, light: f32, random: &mut Random| {
        let radius = size * 0.5 * share;
        layer.polygon(&blob(center, (radius, radius), 0.0, random), lit(tint, light), 1.0, Ink::Over);
    };
    disc(1.0, 0.1, random);
    disc(0.86, -0.2, random);
    disc(0.78, 0.0, random);
    for (x, y) in [(-0.1, -0.1), (0.1, -0.1), (-0.1, 0.1), (0.1, 0.1)] {
        let place = [center[0] + x * size, center[1] + y * size];
        layer.polygon(&blob(place, (size * 0.05, size * 0.05), 0.0, random), Tint::BLACK, 1.0, Ink::Erase);
    }
}

fn acorn(layer: &mut Layer, center: Point, size: f32, random: &mut Random) {
    let (sine, cosine) = crate::angle::sine_cosine(random.unit());
    let place = |along: f32| [center[0] + cosine * along * size, center[1] + sine * along * size];
    let nut = Tint([172.0, 124.0, 66.0]).varied(random, 20.0);
    ball(layer, place(0.16), size * 0.26, nut, random);
    ball(layer, place(0.04), size * 0.28, nut, random);
    let cup = Tint([104.0, 78.0, 54.0]).varied(random, 16.0);
    ball(layer, place(-0.16), size * 0.32, cup, random);
    layer.ribbon(&[place(-0.4), place(-0.62)], (size * 0.07, size * 0.05), cup, 1.0, Ink::Over);
}

fn lit(tint: Tint, light: f32) -> Tint {
    if light < 0.0 { tint.toward(Tint::BLACK, -light) } else { tint.toward(Tint::WHITE, light) }
}
