//! Draws a leaf or a feather: one way of drawing for both, so that only their traits tell them apart.

use tiny_skia::BlendMode::{DestinationOut, SourceAtop, SourceOver};

use crate::random::Random;
use crate::sheet::{BLACK, Color, Point, Sheet, WHITE, curve, mix, paint, sine_cosine};

/// What both classes may wear: autumn leaves and plumage share a palette, so that colour tells nothing.
pub const NATURAL: [u32; 14] = [
    0x567634, 0x808a3e, 0x3a5c42, 0xb24e2a, 0xcc9438, 0x942c2c, 0x70482e, 0x9c7450, 0x5c687a, 0x426e8a,
    0xd4c8b0, 0x96948e, 0x463e3c, 0xba7a6e,
];

/// How far toward the tip a vein runs on its way to the edge.
const SLOPE: f32 = 0.15;

/// The shape between midrib and edge. Lengths are shares of the specimen's; negative depths mean none.
struct Blade {
    half_width: f32,
    /// 0 pointed at both ends, 1 an ellipse.
    roundness: f32,
    bend: f32,
    tooth_depth: f32,
    lobe_depth: f32,
}

impl Blade {
    /// The point at `along`, 0 at the base and 1 at the tip, and `across`, -1 to 1 from edge to edge.
    fn at(&self, along: f32, across: f32) -> Point {
        let inner = along.clamp(0.0, 1.0);
        let pointed = 4.0 * inner * (1.0 - inner);
        let body = pointed + (pointed.sqrt() - pointed) * self.roundness;
        let tooth = (inner * 22.0).fract() * self.tooth_depth.max(0.0);
        let lobe = (0.5 + 0.5 * sine_cosine(inner * 4.0).1) * self.lobe_depth.max(0.0);
        let offset = across * self.half_width * body * (1.0 - tooth) * (1.0 - lobe);
        // Across the midrib, which is a parabola.
        let middle = self.bend * (4.0 * along * (1.0 - along) - 0.5);
        let slope = self.bend * (4.0 - 8.0 * along);
        let norm = (1.0 + slope * slope).sqrt();
        [along - 0.5 - offset * slope / norm, middle + offset / norm]
    }

    /// All between two shares of the width, from base to tip.
    fn strip(&self, from: f32, to: f32) -> Vec<Point> {
        let (there, back) = (|along| self.at(along, to), |along| self.at(1.0 - along, from));
        [curve(120, there), curve(120, back)].concat()
    }

    /// The course of a vein or barb that leaves the midrib at `along`.
    fn vein(&self, along: f32, side: f32) -> Vec<Point> {
        // Near the tip there is not much blade left to run along.
        let slope = SLOPE.min((1.0 - along) * 0.7);
        curve(6, |share| self.at(along + slope * share * (0.8 + 0.2 * share), side * share))
    }
}

/// Draws one in the sheet's frame, from [-0.5, 0] to [0.5, 0]: `leaf` 0 is a feather, 1 a leaf, and what is
/// between has something of both.
pub fn draw(sheet: &mut Sheet, leaf: f32, color: Color, second: Color, random: &mut Random) {
    let mut grow = |plume: [f32; 2], blade: [f32; 2]| {
        let bound = |end: usize| plume[end] + (blade[end] - plume[end]) * leaf;
        random.between(bound(0), bound(1))
    };
    let blade = Blade {
        half_width: grow([0.07, 0.13], [0.26, 0.44]),
        roundness: grow([0.7, 1.0], [0.0, 0.7]),
        bend: grow([-0.2, 0.2], [-0.08, 0.08]),
        tooth_depth: grow([-0.2, 0.0], [-0.05, 0.28]),
        lobe_depth: grow([-0.9, 0.0], [-0.3, 0.5]),
    };
    // A cast to a whole number makes nothing of what is below zero.
    let hairs = grow([14.0, 44.0], [-12.0, 0.0]) as u8;
    let bands = grow([-2.0, 8.0], [-6.0, 1.0]) as u8;
    let veins = grow([40.0, 64.0], [4.0, 8.0]) as u8;
    let (vein_width, contrast) = (grow([0.004, 0.008], [0.012, 0.02]), grow([0.2, 0.45], [0.35, 0.6]));
    let splits = grow([2.0, 7.0], [-2.0, 0.9]) as u8;
    let (rib, stalk) = (random.between(0.012, 0.023), random.between(0.08, 0.23));
    let pale = mix(color, [228.0, 218.0, 196.0], random.between(0.2, 0.7));
    let sides = [-1.0, 1.0];

    for _ in 0..hairs {
        let base = blade.at(random.between(-0.04, 0.14), 0.0);
        let reach = random.pick(&sides) * blade.half_width * random.between(0.5, 1.1);
        let curl = random.between(-0.05, 0.10);
        let hair = curve(5, |share| [base[0] + share * share * curl, base[1] + share * reach]);
        sheet.ribbon(&hair, 0.009, &paint(pale, random.between(0.4, 0.8), SourceOver));
    }
    let base = blade.at(0.0, 0.0);
    let stem = [base, [base[0] - stalk, base[1] - 4.0 * stalk * blade.bend]];
    sheet.ribbon(&stem, rib * 1.1, &paint(pale, 1.0, SourceOver));

    sheet.polygon(&blade.strip(-1.0, 1.0), &paint(mix(color, BLACK, 0.18), 1.0, SourceOver));
    for share in [0.92, 0.8, 0.62, 0.4] {
        let light = mix(color, WHITE, 0.2 - 0.2 * share);
        sheet.polygon(&blade.strip(-share, share), &paint(light, 0.5, SourceAtop));
    }
    sheet.polygon(&blade.strip(0.0, random.pick(&sides)), &paint(BLACK, 0.15, SourceAtop));
    let (wide, opacity) = (0.4 / f32::from(bands.max(1)), random.between(0.25, 0.75));
    for (band, side) in (0..bands).flat_map(|band| sides.map(|side| (band, side))) {
        let course = blade.vein((f32::from(band) + 0.3) / f32::from(bands), side);
        sheet.ribbon(&course, wide, &paint(second, opacity, SourceAtop));
    }
    let line = mix(color, random.pick(&[BLACK, WHITE]), 0.6);
    for (vein, side) in (0..veins).flat_map(|vein| sides.map(|side| (vein, side))) {
        // The first veins start below the blade's base, where a fan of barbs would otherwise be missing.
        let along = (f32::from(vein) + random.between(0.2, 0.8)) / f32::from(veins);
        let along = (along * (1.0 + SLOPE) - SLOPE).max(-0.02);
        let paint = paint(line, contrast * random.between(0.6, 1.3), SourceAtop);
        sheet.ribbon(&blade.vein(along, side), vein_width, &paint);
    }
    sheet.ribbon(&curve(24, |along| blade.at(along, 0.0)), rib, &paint(pale, 0.95, SourceAtop));
    // Where barbs have parted.
    for _ in 0..splits {
        let (along, side) = (random.between(0.08, 0.75), random.pick(&sides));
        let (deep, edge) = (random.between(0.1, 0.6), along + SLOPE);
        let notch = [(along + SLOPE * deep, deep), (edge, 1.15), (edge + 0.05, 1.15)];
        let corners = notch.map(|(along, across)| blade.at(along, side * across));
        sheet.polygon(&corners, &paint(BLACK, 1.0, DestinationOut));
    }
}
