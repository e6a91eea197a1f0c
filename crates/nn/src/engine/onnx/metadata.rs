//! What a file says of the photographs that it expects: its metadata under the key `convbase`.

use convbase_core::{ImageSize, Interpolation, Preprocess};
use serde::Deserialize;
use tract_onnx::pb::ModelProto;

use super::error::OnnxProblem;
use super::normalisation::Normalisation;

const KEY: &str = "convbase";

/// Whatever a file says of the photographs that it expects; each may be absent.
///
/// ```json
/// {"preprocess": "torch", "size": [224, 224], "interpolation": "bicubic"}
/// {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OnnxMetadata {
    /// How pixels become the network's input.
    pub scaling: Option<Scaling>,
    /// Height and width.
    pub size: Option<ImageSize>,
    /// How photographs are brought to that size.
    pub interpolation: Option<Interpolation>,
}

/// How pixels become the network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scaling {
    /// By a name that has one meaning everywhere.
    Named(Preprocess),
    /// By mean and deviation of red, green and blue, in units of pixels 0..255.
    Given(Normalisation),
}

impl Scaling {
    /// The numbers.
    pub fn normalisation(&self) -> Normalisation {
        match *self {
            Self::Named(preprocess) => preprocess.into(),
            Self::Given(normalisation) => normalisation,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    preprocess: Option<Preprocess>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    size: Option<ImageSize>,
    interpolation: Option<Interpolation>,
}

impl OnnxMetadata {
    /// Of a file without the key, nothing is known.
    pub(super) fn of(model: &ModelProto) -> Result<Self, OnnxProblem> {
        match model.metadata_props.iter().find(|entry| entry.key == KEY) {
            Some(entry) => Self::parse(&entry.value),
            None => Ok(Self::default()),
        }
    }

    fn parse(text: &str) -> Result<Self, OnnxProblem> {
        let error = |expected: &str, source| OnnxProblem::Metadata {
            expected: expected.to_owned(),
            found: text.chars().take(200).collect(),
            source,
        };
        let fields: Fields = serde_json::from_str(text).map_err(|source| {
            error("JSON with preprocess or mean and std, size [height, width], interpolation", Some(source))
        })?;
        let scaling = match (fields.preprocess, fields.mean, fields.std) {
            (None, None, None) => None,
            (Some(preprocess), None, None) => Some(Scaling::Named(preprocess)),
            (None, Some(mean), Some(deviation)) => {
                let is_number = |number: &f32| number.is_finite();
                if !mean.iter().all(is_number) || !deviation.iter().all(|std| std.is_finite() && *std > 0.0) {
                    return Err(error("mean of finite and std of positive numbers", None));
                }
                Some(Scaling::Given(Normalisation { mean, deviation, is_blue_first: false }))
            }
            _ => return Err(error("either preprocess, or mean and std", None)),
        };
        Ok(Self { scaling, size: fields.size, interpolation: fields.interpolation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_numbers_say_how_pixels_are_scaled() {
        let named =
            OnnxMetadata::parse(r#"{"preprocess": "torch", "size": [224, 192], "interpolation": "bicubic"}"#);
        let named = named.unwrap();
        assert_eq!(named.scaling, Some(Scaling::Named(Preprocess::Torch)));
        assert_eq!(named.size, ImageSize::new(224, 192).ok());
        assert_eq!(named.interpolation, Some(Interpolation::Bicubic));
        let given = OnnxMetadata::parse(r#"{"mean": [1, 2, 3.5], "std": [4, 5, 6]}"#).unwrap();
        let normalisation = given.scaling.unwrap().normalisation();
        assert_eq!((normalisation.mean, normalisation.deviation), ([1.0, 2.0, 3.5], [4.0, 5.0, 6.0]));
        assert_eq!(OnnxMetadata::parse("{}").unwrap(), OnnxMetadata::default());
    }

    #[test]
    fn contradictions_and_other_texts_are_refused() {
        for (text, expected) in [
            ("torch", "JSON"),
            (r#"{"preprocess": "imagenet"}"#, "JSON"),
            (r#"{"size": [8]}"#, "JSON"),
            (r#"{"sizes": 224}"#, "JSON"),
            (r#"{"preprocess": "tf", "mean": [0, 0, 0]}"#, "either"),
            (r#"{"std": [1, 1, 1]}"#, "either"),
            (r#"{"mean": [0, 0, 0], "std": [1, 0, 1]}"#, "positive"),
            (r#"{"mean": [0, 0, 1e39], "std": [1, 1, 1]}"#, "finite"),
        ] {
            let error = OnnxMetadata::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("found"), "{text}: {error}");
        }
    }
}
