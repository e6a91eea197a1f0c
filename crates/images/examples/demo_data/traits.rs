//! What a leaf or a feather looks like, in numbers.

use crate::class::Class;
use crate::random::Random;

/// Lengths and widths are shares of the specimen's length; negative amounts mean none.
pub struct Traits {
    pub half_width: f32,
    /// 0 pointed at both ends, 1 an ellipse.
    pub roundness: f32,
    /// Above 0 wider toward the base, below toward the tip.
    pub skew: f32,
    /// How much wider one side is than the other.
    pub asymmetry: f32,
    pub bend: f32,
    pub teeth: f32,
    pub tooth_depth: f32,
    pub lobes: f32,
    pub lobe_depth: f32,
    /// Veins of a leaf, barbs of a feather, on each side.
    pub veins: f32,
    pub vein_width: f32,
    pub vein_contrast: f32,
    /// How far toward the tip a vein runs on its way to the edge.
    pub vein_slope: f32,
    pub rib_width: f32,
    pub stalk: f32,
    pub stalk_bend: f32,
    /// How much darker one half is.
    pub fold: f32,
    /// Gaps where the barbs have parted.
    pub splits: f32,
    /// Loose hairs at the base.
    pub down: f32,
    pub bands: f32,
    pub spots: f32,
    pub holes: f32,
}

type Range = (f32, f32);

impl Traits {
    /// A specimen of this class that leans toward the other one: 0 not at all, 0.5 half.
    pub fn grow(class: Class, lean: f32, random: &mut Random) -> Self {
        let feather = if class == Class::Feathers { 1.0 - lean } else { lean };
        let mut between = |leaf: Range, plume: Range| {
            let low = leaf.0 + (plume.0 - leaf.0) * feather;
            let high = leaf.1 + (plume.1 - leaf.1) * feather;
            random.between(low, high)
        };
        Self {
            half_width: between((0.26, 0.44), (0.07, 0.13)),
            roundness: between((0.0, 0.7), (0.7, 1.0)),
            skew: between((0.0, 0.45), (-0.35, 0.1)),
            asymmetry: between((-0.08, 0.08), (-0.35, 0.35)),
            bend: between((-0.08, 0.08), (-0.2, 0.2)),
            teeth: between((14.0, 30.0), (14.0, 30.0)),
            tooth_depth: between((-0.05, 0.28), (-0.2, 0.0)),
            lobes: between((3.0, 5.0), (3.0, 5.0)),
            lobe_depth: between((-0.3, 0.5), (-0.9, 0.0)),
            veins: between((4.0, 8.0), (40.0, 64.0)),
            vein_width: between((0.012, 0.02), (0.004, 0.008)),
            vein_contrast: between((0.35, 0.6), (0.2, 0.45)),
            vein_slope: between((0.1, 0.24), (0.08, 0.16)),
            rib_width: between((0.012, 0.022), (0.012, 0.024)),
            stalk: between((0.08, 0.22), (0.08, 0.24)),
            stalk_bend: between((-0.5, 0.5), (-0.15, 0.15)),
            fold: between((0.0, 0.30), (0.0, 0.16)),
            splits: between((-2.0, 0.9), (2.0, 7.0)),
            down: between((-12.0, 0.0), (14.0, 44.0)),
            bands: between((-6.0, 1.0), (-2.0, 8.0)),
            spots: between((-5.0, 8.0), (-6.0, 5.0)),
            holes: between((-3.0, 2.5), (-2.0, 0.5)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feathers_have_more_barbs_than_leaves_have_veins() {
        let mut random = Random::of(&[1]);
        for _ in 0..200 {
            let feather = Traits::grow(Class::Feathers, 0.0, &mut random);
            let leaf = Traits::grow(Class::Leaves, 0.0, &mut random);
            assert!(feather.veins > leaf.veins);
            assert!(feather.down > leaf.down);
        }
    }

    #[test]
    fn half_way_the_classes_are_one() {
        let grow = |class| Traits::grow(class, 0.5, &mut Random::of(&[5]));
        let (feather, leaf) = (grow(Class::Feathers), grow(Class::Leaves));
        assert_eq!(feather.half_width, leaf.half_width);
        assert_eq!(feather.veins, leaf.veins);
    }
}
