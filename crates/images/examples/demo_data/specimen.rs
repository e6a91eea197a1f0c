//! Draws a leaf or a feather: one way of drawing for both, so that only the traits tell them apart.

use crate::layer::{Ink, Layer};
use crate::outline::{Outline, Pose};
use crate::random::Random;
use crate::shapes::blob;
use crate::tint::Tint;
use crate::traits::Traits;

/// Draws a specimen on an empty layer.
pub fn draw(layer: &mut Layer, traits: &Traits, pose: Pose, tint: Tint, random: &mut Random) {
    let outline = Outline::new(traits, pose);
    let pale = tint.toward(Tint([228.0, 218.0, 196.0]), random.between(0.2, 0.7));
    let second = Tint::natural(random);
    down(layer, &outline, traits, pale, random);
    layer.ribbon(&outline.stalk(), width(&outline, traits, 1.1, 0.8), pale, 1.0, Ink::Over);
    blade(layer, &outline, traits, tint, random);
    bands(layer, &outline, traits, second, random);
    veins(layer, &outline, traits, tint, random);
    spots(layer, &outline, traits, second, random);
    layer.ribbon(&outline.rib(), width(&outline, traits, 1.0, 0.25), pale, 0.95, Ink::Inside);
    splits(layer, &outline, traits, random);
    holes(layer, &outline, traits, random);
}

/// The midrib's width at two ends, never too thin to be seen.
fn width(outline: &Outline, traits: &Traits, from: f32, to: f32) -> (f32, f32) {
    let pixels = outline.pixels(traits.rib_width).max(1.2);
    (pixels * from, pixels * to)
}

fn down(layer: &mut Layer, outline: &Outline, traits: &Traits, tint: Tint, random: &mut Random) {
    for _ in 0..traits.down.max(0.0) as u32 {
        let start = random.between(-0.04, 0.14);
        let side = random.pick(&[-1.0, 1.0]);
        let reach = traits.half_width * random.between(0.5, 1.1);
        let (forward, curl) = (random.between(-0.03, 0.10), random.between(-0.05, 0.05));
        let base = outline.at(start, 0.0);
        let hair: Vec<_> = (0_u8..=5)
            .map(|step| {
                let share = f32::from(step) / 5.0;
                let sideways = side * reach * share;
                let forward = start + forward * share + curl * share * share;
                let from = outline.place(start, 0.0);
                let to = outline.place(forward, sideways);
                [base[0] + to[0] - from[0], base[1] + to[1] - from[1]]
            })
            .collect();
        let wide = outline.pixels(0.008).max(0.8);
        layer.ribbon(&hair, (wide, wide * 0.4), tint, random.between(0.4, 0.8), Ink::Over);
    }
}

fn blade(layer: &mut Layer, outline: &Outline, traits: &Traits, tint: Tint, random: &mut Random) {
    layer.polygon(&outline.edge(1.0), tint.toward(Tint::BLACK, 0.18), 1.0, Ink::Over);
    for share in [0.92, 0.8, 0.62, 0.4] {
        layer.polygon(&outline.edge(share), tint.toward(Tint::WHITE, (1.0 - share) * 0.2), 0.5, Ink::Inside);
    }
    let side = random.pick(&[-1.0, 1.0]);
    layer.polygon(&outline.half(side), Tint::BLACK, traits.fold, Ink::Inside);
}

fn bands(layer: &mut Layer, outline: &Outline, traits: &Traits, tint: Tint, random: &mut Random) {
    let count = traits.bands.max(0.0) as u16;
    let opacity = random.between(0.25, 0.75);
    for band in 0..count {
        let start = (f32::from(band) + random.between(0.2, 0.6)) / f32::from(count);
        let high = start + random.between(0.2, 0.5) / f32::from(count);
        for side in [-1.0, 1.0] {
            let mut corners = outline.vein(start, side);
            corners.extend(outline.vein(high, side).into_iter().rev());
            layer.polygon(&corners, tint, opacity, Ink::Inside);
        }
    }
}

fn veins(layer: &mut Layer, outline: &Outline, traits: &Traits, tint: Tint, random: &mut Random) {
    let count = traits.veins.max(1.0) as u16;
    let wide = outline.pixels(traits.vein_width).max(0.7);
    let line = tint.contrasting(0.6);
    for vein in 0..count {
        for side in [-1.0, 1.0] {
            let along = (f32::from(vein) + random.between(0.2, 0.8)) / f32::from(count);
            // The first veins start below the blade's base, where a fan of barbs would otherwise be missing.
            let along = along * (1.0 + traits.vein_slope) - traits.vein_slope;
            let opacity = traits.vein_contrast * random.between(0.6, 1.3);
            if along > -0.02 {
                layer.ribbon(&outline.vein(along, side), (wide, wide * 0.5), line, opacity, Ink::Inside);
            }
        }
    }
}

fn spots(layer: &mut Layer, outline: &Outline, traits: &Traits, tint: Tint, random: &mut Random) {
    for _ in 0..traits.spots.max(0.0) as u32 {
        let center = outline.at(random.between(0.1, 0.95), random.between(-0.9, 0.9));
        let radius = outline.pixels(random.between(0.008, 0.035));
        layer.polygon(
            &blob(center, (radius, radius), 0.3, random),
            tint,
            random.between(0.4, 0.8),
            Ink::Inside,
        );
    }
}

fn splits(layer: &mut Layer, outline: &Outline, traits: &Traits, random: &mut Random) {
    for _ in 0..traits.splits.max(0.0) as u32 {
        let along = random.between(0.08, 0.75);
        let side = random.pick(&[-1.0, 1.0]);
        let deep = random.between(0.1, 0.6);
        let gap = random.between(0.02, 0.07);
        let edge = along + traits.vein_slope;
        let corners = [
            outline.at(along + traits.vein_slope * deep, side * deep),
            outline.at(edge, side * 1.15),
            outline.at(edge + gap, side * 1.15),
        ];
        layer.polygon(&corners, Tint::BLACK, 1.0, Ink::Erase);
    }
}

fn holes(layer: &mut Layer, outline: &Outline, traits: &Traits, random: &mut Random) {
    for _ in 0..traits.holes.max(0.0) as u32 {
        let center = outline.at(random.between(0.1, 0.9), random.between(-1.0, 1.0));
        let radius = outline.pixels(random.between(0.012, 0.04));
        layer.polygon(&blob(center, (radius, radius * 0.8), 0.35, random), Tint::BLACK, 1.0, Ink::Erase);
    }
}
