//! How photographs become several rows each: augmented views, and what they are drawn from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Interpolation;
use crate::spec::named;

named! {
    /// What lies outside a photograph that is turned, zoomed or moved, as Keras' layers name it (TensorFlow's
    /// `ImageProjectiveTransformV3`).
    FillMode, "fill", {
        /// `d c b a | a b c d | d c b a`
        Reflect = "reflect",
        /// `0 0 0 0 | a b c d | 0 0 0 0`
        Constant = "constant",
        /// `a a a a | a b c d | d d d d`
        Nearest = "nearest",
        /// `a b c d | a b c d | a b c d`
        Wrap = "wrap",
    }
}

/// The views of every photograph of a data set. View 0 is the photograph itself; the others are drawn from the seed,
/// the photograph's path and the view's number alone, so that every machine draws the same.
///
/// What the augmentation's words mean, the crate knows that makes the pixels; here they are a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Views {
    count: usize,
    augment: String,
    fill: FillMode,
    interpolation: Interpolation,
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    count: usize,
    augment: String,
    fill: FillMode,
    interpolation: Interpolation,
    seed: u64,
}

/// Views that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("views: {field}: expected {expected}, found {found}")]
pub struct ViewsError {
    field: &'static str,
    expected: String,
    found: String,
}

impl Views {
    /// The most views of a photograph.
    pub const MOST: usize = 1000;
    /// The most bytes of the augmentation's text.
    const MOST_TEXT: usize = 2000;

    /// So many views, two at least. `augment` is what the augmentation is written as; `interpolation` is how pixels
    /// are taken between pixels, nearest or bilinear.
    pub fn new(
        count: usize,
        augment: String,
        fill: FillMode,
        interpolation: Interpolation,
        seed: u64,
    ) -> Result<Self, ViewsError> {
        let error = |field, expected: String, found: String| Err(ViewsError { field, expected, found });
        if !(2..=Self::MOST).contains(&count) {
            return error("count", format!("2 to {}", Self::MOST), count.to_string());
        }
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b",=.".contains(&byte);
        if augment.is_empty() || augment.len() > Self::MOST_TEXT || !augment.bytes().all(is_plain) {
            return error("augment", "names and numbers between commas".into(), format!("{augment:?}"));
        }
        if !matches!(interpolation, Interpolation::Nearest | Interpolation::Bilinear) {
            return error("interpolation", "one of nearest, bilinear".into(), interpolation.to_string());
        }
        Ok(Self { count, augment, fill, interpolation, seed })
    }

    /// Views of each photograph, the photograph itself among them: at least 2.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The augmentation as it is written: `flip,rotate=0.1`.
    pub fn augment(&self) -> &str {
        &self.augment
    }

    /// What lies outside a photograph.
    pub fn fill(&self) -> FillMode {
        self.fill
    }

    /// How pixels are taken between pixels: nearest or bilinear.
    pub fn interpolation(&self) -> Interpolation {
        self.interpolation
    }

    /// What every draw begins from.
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

impl fmt::Display for Views {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, augment, fill, interpolation, seed } = self;
        write!(formatter, "{count} views, {augment}, fill {fill}, {interpolation}, seed {seed}")
    }
}

impl TryFrom<Unchecked> for Views {
    type Error = ViewsError;

    fn try_from(unchecked: Unchecked) -> Result<Self, ViewsError> {
        let Unchecked { count, augment, fill, interpolation, seed } = unchecked;
        Self::new(count, augment, fill, interpolation, seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse_with(change: impl Fn(&mut Value)) -> Result<Views, String> {
        let augment = "flip,rotate=0.1".to_owned();
        let views = Views::new(4, augment, FillMode::Reflect, Interpolation::Bilinear, u64::MAX).unwrap();
        let mut value = serde_json::to_value(views).unwrap();
        change(&mut value);
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn views_survive_the_way_through_json() {
        let views = parse_with(|_| ()).unwrap();
        assert_eq!(
            serde_json::to_value(&views).unwrap(),
            json!({"count": 4, "augment": "flip,rotate=0.1", "fill": "reflect", "interpolation": "bilinear",
                   "seed": u64::MAX})
        );
        let expected = "4 views, flip,rotate=0.1, fill reflect, bilinear, seed 18446744073709551615";
        assert_eq!(views.to_string(), expected);
    }

    #[test]
    fn views_that_cannot_be_made_are_refused_with_expected_and_found() {
        let refused = |change: fn(&mut Value), part: &str| {
            let error = parse_with(change).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused(|value| value["count"] = json!(1), "count: expected 2 to 1000, found 1");
        refused(|value| value["count"] = json!(0), "count: expected 2 to 1000, found 0");
        refused(
            |value| value["count"] = json!(u64::MAX),
            "count: expected 2 to 1000, found 18446744073709551615",
        );
        refused(|value| value["augment"] = json!(""), "augment: expected names and numbers between commas");
        refused(|value| value["augment"] = json!("a\nb"), "found \"a\\nb\"");
        refused(|value| value["augment"] = json!("a".repeat(2001)), "augment: expected ");
        refused(|value| value["fill"] = json!("mirror"), "unknown variant `mirror`");
        refused(
            |value| value["interpolation"] = json!("lanczos"),
            "expected one of nearest, bilinear, found lanczos",
        );
        refused(|value| value["seed"] = json!(-1), "-1");
        refused(|value| value["more"] = json!(1), "unknown field `more`");
    }
}
