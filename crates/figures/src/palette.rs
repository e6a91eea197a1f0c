/// A colour: red, green, blue.
///
/// The named ones are those of Okabe and Ito, which people with any common colour blindness can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

impl Color {
    /// Paper.
    pub const WHITE: Self = Self(255, 255, 255);
    /// Text.
    pub const BLACK: Self = Self(0, 0, 0);
    /// Frames, ticks, and lines that mark something.
    pub const DARK_GREY: Self = Self(70, 70, 70);
    /// Lines for comparison.
    pub const GREY: Self = Self(120, 120, 120);
    /// Lines of the grid.
    pub const LIGHT_GREY: Self = Self(224, 224, 224);
    /// Okabe and Ito's blue: the line that matters most.
    pub const BLUE: Self = Self(0, 114, 178);
    /// Okabe and Ito's vermilion: the line to compare it with.
    pub const VERMILION: Self = Self(213, 94, 0);
    /// Okabe and Ito's orange.
    pub const ORANGE: Self = Self(230, 159, 0);
    /// Okabe and Ito's sky blue.
    pub const SKY_BLUE: Self = Self(86, 180, 233);
    /// Okabe and Ito's bluish green.
    pub const GREEN: Self = Self(0, 158, 115);
    /// Okabe and Ito's reddish purple.
    pub const PURPLE: Self = Self(204, 121, 167);

    /// The shade of a heat map: white for 0, dark blue for 1.
    ///
    /// It passes through [`Color::BLUE`] and only ever becomes darker, so it reads the same in grey.
    pub fn shade(share: f64) -> Self {
        let dark = Self(0, 42, 82);
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        if share < 0.6 {
            Self::WHITE.mixed(Self::BLUE, share / 0.6)
        } else {
            Self::BLUE.mixed(dark, (share - 0.6) / 0.4)
        }
    }

    /// This colour with `share` of the other one, channel by channel.
    pub fn mixed(self, other: Self, share: f64) -> Self {
        let mix =
            |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// Black or white: whichever is easier to read on this colour (the contrast ratio of WCAG 2).
    pub fn readable_ink(self) -> Self {
        let linear = |channel: u8| (f64::from(channel) / 255.0).powf(2.2);
        let luminance = 0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2);
        let (on_white, on_black) = (1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05);
        if on_white > on_black { Self::WHITE } else { Self::BLACK }
    }
}

#[cfg(test)]
mod tests {
    use super::Color;

    #[test]
    fn shades_run_from_white_to_dark_and_take_the_ink_that_can_be_read() {
        assert_eq!(Color::shade(0.0), Color::WHITE);
        assert_eq!(Color::shade(f64::NAN), Color::WHITE);
        assert_eq!(Color::shade(0.6), Color::BLUE);
        assert_eq!(Color::shade(7.0), Color::shade(1.0));
        assert_eq!(Color::shade(0.1).readable_ink(), Color::BLACK);
        assert_eq!(Color::shade(0.9).readable_ink(), Color::WHITE);
    }
}
