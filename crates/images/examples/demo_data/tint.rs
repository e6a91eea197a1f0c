//! Colours.

use crate::random::Random;

/// Red, green and blue, 0 to 255, not yet rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tint(pub [f32; 3]);

/// What both classes may wear: autumn leaves and plumage share a palette, so that colour tells nothing.
const NATURAL: [Tint; 14] = [
    Tint([86.0, 118.0, 52.0]),
    Tint([128.0, 138.0, 62.0]),
    Tint([58.0, 92.0, 66.0]),
    Tint([178.0, 78.0, 42.0]),
    Tint([204.0, 148.0, 56.0]),
    Tint([148.0, 44.0, 44.0]),
    Tint([112.0, 72.0, 46.0]),
    Tint([156.0, 116.0, 80.0]),
    Tint([92.0, 104.0, 122.0]),
    Tint([66.0, 110.0, 138.0]),
    Tint([212.0, 200.0, 176.0]),
    Tint([150.0, 148.0, 142.0]),
    Tint([70.0, 62.0, 60.0]),
    Tint([186.0, 122.0, 110.0]),
];

/// What lies beneath.
const GROUND: [Tint; 10] = [
    Tint([166.0, 130.0, 92.0]),
    Tint([112.0, 82.0, 58.0]),
    Tint([206.0, 190.0, 160.0]),
    Tint([138.0, 140.0, 138.0]),
    Tint([84.0, 92.0, 100.0]),
    Tint([98.0, 112.0, 68.0]),
    Tint([190.0, 200.0, 204.0]),
    Tint([222.0, 218.0, 208.0]),
    Tint([120.0, 100.0, 96.0]),
    Tint([150.0, 160.0, 128.0]),
];

impl Tint {
    pub const BLACK: Self = Self([0.0; 3]);
    pub const WHITE: Self = Self([255.0; 3]);

    /// A colour that a leaf as well as a feather may have.
    pub fn natural(random: &mut Random) -> Self {
        random.pick(&NATURAL).varied(random, 26.0)
    }

    /// A colour of tables, stones and soil.
    pub fn ground(random: &mut Random) -> Self {
        random.pick(&GROUND).varied(random, 22.0)
    }

    /// Part of the way to another colour.
    pub fn toward(self, other: Self, share: f32) -> Self {
        Self(std::array::from_fn(|channel| self.0[channel] + (other.0[channel] - self.0[channel]) * share))
    }

    /// Each channel a little up or down, and all of them together.
    pub fn varied(self, random: &mut Random, amount: f32) -> Self {
        let light = random.between(-amount, amount);
        Self(self.0.map(|value| value + light + random.between(-amount, amount) * 0.5))
    }

    /// Perceived brightness, 0 to 255.
    pub fn brightness(self) -> f32 {
        0.299 * self.0[0] + 0.587 * self.0[1] + 0.114 * self.0[2]
    }

    /// A line on this colour that can be seen: lighter on dark, darker on light.
    pub fn contrasting(self, share: f32) -> Self {
        self.toward(if self.brightness() > 120.0 { Self::BLACK } else { Self::WHITE }, share)
    }

    /// Rounded to what a file holds.
    pub fn bytes(self) -> [u8; 3] {
        self.0.map(|value| (value.clamp(0.0, 255.0) + 0.5) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_rounded_and_kept_within_a_byte() {
        assert_eq!(Tint([-3.0, 99.5, 300.0]).bytes(), [0, 100, 255]);
    }

    #[test]
    fn half_way_from_black_to_white_is_grey() {
        assert_eq!(Tint::BLACK.toward(Tint::WHITE, 0.5), Tint([127.5; 3]));
    }
}
