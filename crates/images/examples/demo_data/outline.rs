//! Where a specimen lies, and where its edge runs.

use crate::angle::sine_cosine;
use crate::layer::Point;
use crate::traits::Traits;

/// Position, size and direction in the picture.
#[derive(Clone, Copy)]
pub struct Pose {
    pub center: Point,
    /// In pixels, from base to tip.
    pub length: f32,
    /// Direction from base to tip, in turns.
    pub turns: f32,
}

/// A specimen's own coordinates: `along` from 0 at the base to 1 at the tip, `across` from -1 to 1, edge to
/// edge.
pub struct Outline<'a> {
    traits: &'a Traits,
    pose: Pose,
    sine: f32,
    cosine: f32,
}

const STEPS: u16 = 120;

impl<'a> Outline<'a> {
    pub fn new(traits: &'a Traits, pose: Pose) -> Self {
        let (sine, cosine) = sine_cosine(pose.turns);
        Self { traits, pose, sine, cosine }
    }

    /// A length in pixels.
    pub fn pixels(&self, share: f32) -> f32 {
        share * self.pose.length
    }

    /// From the specimen's flat coordinates, in shares of its length, to the picture's.
    pub fn place(&self, forward: f32, sideways: f32) -> Point {
        let x = self.pixels(forward - 0.5);
        let y = self.pixels(sideways);
        [
            self.pose.center[0] + x * self.cosine - y * self.sine,
            self.pose.center[1] + x * self.sine + y * self.cosine,
        ]
    }

    /// A point of the blade.
    pub fn at(&self, along: f32, across: f32) -> Point {
        let bend = self.traits.bend;
        let middle = bend * (4.0 * along * (1.0 - along) - 0.5);
        let slope = bend * (4.0 - 8.0 * along);
        let norm = (1.0 + slope * slope).sqrt();
        let offset = across * self.half_width(along, across);
        self.place(along - offset * slope / norm, middle + offset / norm)
    }

    /// From the midrib to the edge, on the side of `across`.
    fn half_width(&self, along: f32, across: f32) -> f32 {
        let traits = self.traits;
        let along = along.clamp(0.0, 1.0);
        let pointed = 4.0 * along * (1.0 - along);
        let body = pointed + (pointed.sqrt() - pointed) * traits.roundness;
        let side = 1.0 + traits.asymmetry * if across < 0.0 { -1.0 } else { 1.0 };
        let tooth = (along * traits.teeth).fract() * traits.tooth_depth.max(0.0);
        let (_, wave) = sine_cosine(along * traits.lobes);
        let lobe = (0.5 + 0.5 * wave) * traits.lobe_depth.max(0.0);
        traits.half_width
            * body
            * side
            * (1.0 + traits.skew * (1.0 - 2.0 * along))
            * (1.0 - tooth)
            * (1.0 - lobe)
    }

    /// The edge all around, or a smaller edge within it.
    pub fn edge(&self, share: f32) -> Vec<Point> {
        let along = |step: u16| f32::from(step) / f32::from(STEPS);
        let there = (0..=STEPS).map(|step| self.at(along(step), share));
        let back = (0..STEPS).rev().map(|step| self.at(along(step), -share));
        there.chain(back).collect()
    }

    /// One half, from the midrib to the edge.
    pub fn half(&self, side: f32) -> Vec<Point> {
        let along = |step: u16| f32::from(step) / f32::from(STEPS);
        let there = (0..=STEPS).map(|step| self.at(along(step), side));
        let back = (0..STEPS).rev().map(|step| self.at(along(step), 0.0));
        there.chain(back).collect()
    }

    /// The course of a vein or barb that leaves the midrib at `along`.
    pub fn vein(&self, along: f32, side: f32) -> Vec<Point> {
        // Near the tip there is not much blade left to run along.
        let slope = self.traits.vein_slope.min((1.0 - along) * 0.7);
        (0_u8..=6)
            .map(|step| {
                let share = f32::from(step) / 6.0;
                self.at(along + slope * share * (0.8 + 0.2 * share), side * share)
            })
            .collect()
    }

    /// The midrib.
    pub fn rib(&self) -> Vec<Point> {
        (0_u8..=24).map(|step| self.at(f32::from(step) / 24.0, 0.0)).collect()
    }

    /// The stalk of a leaf, the quill of a feather.
    pub fn stalk(&self) -> Vec<Point> {
        let traits = self.traits;
        let start = -0.5 * traits.bend;
        (0_u8..=8)
            .map(|step| {
                let back = f32::from(step) / 8.0 * traits.stalk;
                self.place(
                    -back,
                    start - 4.0 * traits.bend * back + traits.stalk_bend * back * back / traits.stalk,
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Class;
    use crate::random::Random;

    #[test]
    fn the_edge_is_closed_and_as_long_as_the_specimen() {
        let traits = Traits::grow(Class::Leaves, 0.0, &mut Random::of(&[3]));
        let pose = Pose { center: [50.0, 50.0], length: 80.0, turns: 0.0 };
        let edge = Outline::new(&traits, pose).edge(1.0);
        assert_eq!(edge.first(), edge.last());
        let low = edge.iter().map(|point| point[0]).fold(f32::MAX, f32::min);
        let high = edge.iter().map(|point| point[0]).fold(f32::MIN, f32::max);
        assert!((high - low - 80.0).abs() < 4.0, "{low} to {high}");
    }
}
