//! Every base by name. A new one is a file of its own and a line here.

use crate::architecture::Architecture;
use crate::{efficientnet_lite, inception, mobilenet, resnet, tiny, vgg, xception};

static ARCHITECTURES: [&Architecture; 7] = [
    &vgg::VGG16,
    &vgg::VGG19,
    &resnet::RESNET50,
    &inception::INCEPTION_V3,
    &xception::XCEPTION,
    &mobilenet::MOBILENET,
    &efficientnet_lite::EFFICIENTNET_LITE0,
];

/// Found by name and never listed.
static UNLISTED: [&Architecture; 1] = [&tiny::TINY];

/// A name that is no base's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("base: expected one of {}, found `{found}`", names())]
pub struct UnknownArchitecture {
    found: String,
}

/// The bases that a user may choose from.
pub fn architectures() -> &'static [&'static Architecture] {
    &ARCHITECTURES
}

/// The base that is meant where none is named: the published tutorial's.
pub fn default_architecture() -> &'static Architecture {
    &vgg::VGG16
}

/// The base of this name.
pub fn architecture(name: &str) -> Result<&'static Architecture, UnknownArchitecture> {
    every().find(|known| known.name == name).ok_or_else(|| UnknownArchitecture { found: name.to_owned() })
}

/// The listed and the unlisted bases.
pub(crate) fn every() -> impl Iterator<Item = &'static Architecture> {
    ARCHITECTURES.iter().chain(&UNLISTED).copied()
}

fn names() -> String {
    ARCHITECTURES.map(|architecture| architecture.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_base_is_found_by_its_name_and_its_defaults_exist() {
        for known in every() {
            assert!(std::ptr::eq(architecture(known.name).unwrap(), known));
            let size = known.default_image_size();
            let shape = known.graph().shape(known.default_layer(), size).unwrap();
            assert!(shape.iter().all(|&side| side > 0), "{known:?}: {shape:?}");
            assert_eq!(known.graph().layer_names().last(), Some(known.default_layer()), "{known:?}");
        }
    }

    #[test]
    fn an_unknown_base_is_answered_with_the_listed_ones() {
        let error = architecture("vgg11").unwrap_err().to_string();
        let expected = "base: expected one of vgg16, vgg19, resnet50, inception_v3, xception, mobilenet, \
                        efficientnet_lite0, found `vgg11`";
        assert_eq!(error, expected);
    }
}
