use std::sync::LazyLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font as register};

use super::{Color, FigureError};

/// Titles of a figure or a panel.
pub const TITLE: Lettering = Lettering::sized(34.0).bold();
/// Titles of axes.
pub const AXIS_TITLE: Lettering = Lettering::sized(29.0);
/// Numbers beside ticks.
pub const TICK: Lettering = Lettering::sized(25.0);
/// Legends and notes in a figure.
pub const LEGEND: Lettering = Lettering::sized(27.0);

/// Whoever shows the SVG puts their own sans-serif in place of ours, and the usual ones run up to this much
/// wider (DejaVu Sans). Room for text is kept for that one.
const ROOM: f64 = 1.15;

/// Heights of Ubuntu Light in em: of a capital letter, and from the lowest descender to the highest ascender.
const CAPITAL: f64 = 0.693;
const LINE: f64 = 0.932 + 0.189;

/// Where a text lies relative to its point, along the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizontal {
    /// It begins at the point.
    Left,
    /// Its middle is at the point.
    Center,
    /// It ends at the point.
    Right,
}

/// Where a text lies relative to its point, across the line; capital letters count, not the line's height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vertical {
    /// Its top is at the point.
    Top,
    /// Its middle is at the point.
    Middle,
    /// It stands on the point.
    Bottom,
}

/// How a text looks and where it lies relative to its point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lettering {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) upwards: bool,
    pub(super) color: Color,
    pub(super) horizontal: Horizontal,
    pub(super) vertical: Vertical,
}

impl Lettering {
    /// Black letters of `size` units per em, centred on their point.
    pub const fn sized(size: f64) -> Self {
        Self {
            size,
            bold: false,
            upwards: false,
            color: Color::BLACK,
            horizontal: Horizontal::Center,
            vertical: Vertical::Middle,
        }
    }

    /// The same, bold.
    pub const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The same, turned by a quarter so that it reads from below to above.
    pub const fn upwards(self) -> Self {
        Self { upwards: true, ..self }
    }

    /// The same in another colour.
    pub const fn color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    /// The same, placed otherwise.
    pub const fn placed(self, horizontal: Horizontal, vertical: Vertical) -> Self {
        Self { horizontal, vertical, ..self }
    }

    /// Units per em.
    pub const fn size(self) -> f64 {
        self.size
    }

    /// From the point down to the line the letters stand on.
    pub(super) fn baseline(self) -> f64 {
        let capital = CAPITAL * self.size;
        match self.vertical {
            Vertical::Top => capital,
            Vertical::Middle => capital / 2.0,
            Vertical::Bottom => 0.0,
        }
    }

    /// The height of a whole line, descenders and ascenders, as the bitmap's font counts it.
    pub(super) fn line(self) -> f64 {
        LINE * self.size
    }

    /// The room to keep for a text, along the line.
    pub fn room(self, text: &str) -> Result<f64, FigureError> {
        register_font()?;
        // Measured large, because plotters answers in whole pixels.
        let measure = 1000.0;
        let font = FontDesc::new(FontFamily::SansSerif, measure * LINE, FontStyle::Normal);
        let ((left, _), (right, _)) = font.layout_box(&printable(text)).map_err(FigureError::Measure)?;
        let bold = if self.bold { 1.05 } else { 1.0 };
        Ok(f64::from(right - left) / measure * self.size * ROOM * bold)
    }

    /// The text itself where the room suffices, else its beginning and an ellipsis.
    pub fn shortened(self, text: &str, room: f64) -> Result<String, FigureError> {
        if self.room(text)? <= room {
            return Ok(text.to_owned());
        }
        let letters: Vec<char> = text.chars().collect();
        let candidate =
            |count: usize| letters[..count].iter().collect::<String>().trim_end().to_owned() + "…";
        // The longest beginning that fits; at least one letter, since a name that is gone tells nothing.
        let (mut fits, mut too_long) = (1.min(letters.len()), letters.len());
        while too_long > fits + 1 {
            let middle = fits.midpoint(too_long);
            if self.room(&candidate(middle))? <= room {
                fits = middle;
            } else {
                too_long = middle;
            }
        }
        Ok(candidate(fits))
    }
}

/// The text without what neither XML nor a line of a figure can hold.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\u{FFFE}' | '\u{FFFF}' => char::REPLACEMENT_CHARACTER,
            letter if letter.is_control() => char::REPLACEMENT_CHARACTER,
            letter => letter,
        })
        .collect()
}

/// Makes the font inside the program the one that plotters draws and measures with.
pub(super) fn register_font() -> Result<(), FigureError> {
    // The family's name also goes into the SVG, where it asks for the viewer's own sans-serif.
    static REGISTERED: LazyLock<bool> = LazyLock::new(|| {
        let family = FontFamily::SansSerif;
        register(family.as_str(), FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_ok()
    });
    if *REGISTERED { Ok(()) } else { Err(FigureError::Font) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_ends_in_an_ellipsis_and_fits() {
        let name = "a class with a name that nobody would want to read twice";
        let short = LEGEND.shortened(name, 200.0).unwrap();
        assert!(short.ends_with('…') && short.chars().count() > 5, "{short}");
        assert!(LEGEND.room(&short).unwrap() <= 200.0);
        assert_eq!(LEGEND.shortened("cats", 200.0).unwrap(), "cats");
        assert_eq!(LEGEND.shortened("貓與狗", 1.0).unwrap(), "貓…");
        assert_eq!(LEGEND.shortened("", 0.0).unwrap(), "");
    }

    #[test]
    fn control_characters_do_not_reach_the_figure() {
        assert_eq!(printable("a\nb\0c\u{FFFF}"), "a\u{FFFD}b\u{FFFD}c\u{FFFD}");
    }
}
