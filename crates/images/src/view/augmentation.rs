//! `flip,rotate=0.1,zoom=0.2`: what a view's layers are, and how they are written.

use std::fmt;
use std::str::FromStr;

use super::layer::Layer;

/// The layers that make a view of a photograph, in the order in which they are applied. Parsed and shown as
/// `flip,rotate=0.1,zoom=0.2,translate=0.1,contrast=0.2`.
#[derive(Debug, Clone, PartialEq)]
pub struct Augmentation {
    layers: Vec<Layer>,
}

/// A text that is no augmentation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AugmentationError {
    /// A layer that there is not.
    #[error("augment: expected layers of {}, found `{found}`", Layer::FORMS.join(", "))]
    Unknown {
        /// What stands there.
        found: String,
    },
    /// A factor that is none, or outside its range.
    #[error("augment: {layer}: expected {expected}, found {found}")]
    Factor {
        /// The layer.
        layer: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A layer that stands there twice.
    #[error("augment: expected each layer once, found `{layer}` twice")]
    Twice {
        /// The layer.
        layer: &'static str,
    },
}

impl Augmentation {
    /// The layers in their order.
    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }
}

impl FromStr for Augmentation {
    type Err = AugmentationError;

    fn from_str(text: &str) -> Result<Self, AugmentationError> {
        let mut layers: Vec<Layer> = Vec::new();
        for word in text.split(',') {
            let layer = layer(word.trim())?;
            if layers.iter().any(|other| other.name() == layer.name()) {
                return Err(AugmentationError::Twice { layer: layer.name() });
            }
            layers.push(layer);
        }
        Ok(Self { layers })
    }
}

fn layer(word: &str) -> Result<Layer, AugmentationError> {
    let (name, factor) = match word.split_once('=') {
        Some((name, factor)) => (name, Some(factor)),
        None => (word, None),
    };
    let Some(layer) = Layer::of(name, 0.0) else {
        return Err(AugmentationError::Unknown { found: word.to_owned() });
    };
    let error = |expected, found: Option<&str>| {
        let found = found.map_or("none".to_owned(), |found| format!("`{found}`"));
        Err(AugmentationError::Factor { layer: layer.name(), expected, found })
    };
    if layer == Layer::Flip {
        return if factor.is_none() { Ok(layer) } else { error("no factor", factor) };
    }
    let number = factor.and_then(|factor| factor.parse::<f64>().ok());
    // The negated condition would let through what is no number.
    match number.filter(|number| *number > 0.0 && *number <= 1.0).and_then(|number| Layer::of(name, number)) {
        Some(layer) => Ok(layer),
        None => error("a factor above 0, 1 at most", factor),
    }
}

impl fmt::Display for Augmentation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, layer) in self.layers.iter().enumerate() {
            let separator = if position == 0 { "" } else { "," };
            write!(formatter, "{separator}{layer}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use convbase_core::{FillMode, Interpolation, Views};
    use proptest::prelude::*;

    #[test]
    fn layers_are_written_in_their_order_with_the_shortest_numbers() {
        let text = "zoom=0.20, flip,contrast=1,rotate=1e-1,translate=.5";
        let augmentation: Augmentation = text.parse().unwrap();
        assert_eq!(augmentation.to_string(), "zoom=0.2,flip,contrast=1,rotate=0.1,translate=0.5");
    }

    #[test]
    fn texts_that_are_no_augmentation_say_what_would_be_one() {
        for (text, expected) in [
            ("", "augment: expected layers of flip, rotate=F, zoom=F, translate=F, contrast=F, found ``"),
            (
                "flip,",
                "augment: expected layers of flip, rotate=F, zoom=F, translate=F, contrast=F, found ``",
            ),
            (
                "flip,shear=0.1",
                "augment: expected layers of flip, rotate=F, zoom=F, translate=F, contrast=F, found `shear=0.1`",
            ),
            ("flip=0.5", "augment: flip: expected no factor, found `0.5`"),
            ("rotate", "augment: rotate: expected a factor above 0, 1 at most, found none"),
            ("rotate=", "augment: rotate: expected a factor above 0, 1 at most, found ``"),
            ("zoom=0", "augment: zoom: expected a factor above 0, 1 at most, found `0`"),
            ("zoom=-0.1", "augment: zoom: expected a factor above 0, 1 at most, found `-0.1`"),
            ("translate=1.01", "augment: translate: expected a factor above 0, 1 at most, found `1.01`"),
            ("contrast=nan", "augment: contrast: expected a factor above 0, 1 at most, found `nan`"),
            ("contrast=inf", "augment: contrast: expected a factor above 0, 1 at most, found `inf`"),
            ("flip,zoom=0.1,flip", "augment: expected each layer once, found `flip` twice"),
            ("zoom=0.1,zoom=0.2", "augment: expected each layer once, found `zoom` twice"),
        ] {
            assert_eq!(text.parse::<Augmentation>().unwrap_err().to_string(), expected, "{text}");
        }
    }

    fn any_layer(name: &'static str) -> impl Strategy<Value = Option<String>> {
        let factor = prop_oneof![(1_u32..=1000).prop_map(|n| f64::from(n) / 1000.0), 1e-300..=1.0_f64];
        prop::option::of(factor.prop_map(move |factor| format!("{name}={factor:?}")))
    }

    proptest! {
        #[test]
        fn what_is_shown_is_parsed_to_the_same_and_fits_a_manifest(
            layers in (
                any_layer("rotate"), any_layer("zoom"), any_layer("translate"), any_layer("contrast"),
                prop::option::of(Just("flip".to_owned())),
            )
                .prop_map(|(a, b, c, d, e)| [a, b, c, d, e].into_iter().flatten().collect::<Vec<_>>())
                .prop_filter("at least one", |layers| !layers.is_empty())
                .prop_shuffle()
        ) {
            let augmentation: Augmentation = layers.join(",").parse().unwrap();
            let shown = augmentation.to_string();
            prop_assert_eq!(&shown.parse::<Augmentation>().unwrap(), &augmentation);
            prop_assert_eq!(augmentation.layers().len(), layers.len());
            let views = Views::new(2, shown, FillMode::Reflect, Interpolation::Bilinear, 0);
            prop_assert!(views.is_ok(), "{:?}", views);
        }

        #[test]
        fn no_text_makes_parsing_panic(text in ".*") {
            if let Ok(augmentation) = text.parse::<Augmentation>() {
                prop_assert_eq!(augmentation.to_string().parse::<Augmentation>(), Ok(augmentation));
            }
        }
    }
}
