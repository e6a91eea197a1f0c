//! How pixels become what a network was trained on.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::names::UnknownName;

/// How pixels 0..255 become the conv base's input: the ways of Keras (`imagenet_utils.preprocess_input`), of the
/// published tutorial, and any mean and deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Preprocess {
    /// Divided by 255.
    Rescale,
    /// Blue, green, red, minus 103.939, 116.779, 123.68, as the networks that came from Caffe expect it.
    Caffe,
    /// Divided by 255, minus mean (0.485, 0.456, 0.406), over deviation (0.229, 0.224, 0.225).
    Torch,
    /// Scaled to -1..1.
    TensorFlow,
    /// Red, green, blue, minus a mean, over a deviation.
    Affine(Affine),
}

/// (pixel − mean) / deviation for red, green and blue, in units of the pixels' 0..255. Written `mean=R,G,B/std=R,G,B`.
#[derive(Debug, Clone, Copy)]
pub struct Affine {
    mean: [f32; 3],
    deviation: [f32; 3],
}

/// Text or numbers that are no preprocessing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreprocessError {
    /// It is no known name.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// Means and deviations that cannot be computed with.
    #[error(
        "preprocess: expected mean=R,G,B/std=R,G,B in units of 0 to 255 with deviations above 0, found `{0}`"
    )]
    Affine(String),
}

impl Preprocess {
    /// Every name, in order, and the form of the rest.
    pub const NAMES: &[&str] = &["rescale", "caffe", "torch", "tf", "mean=R,G,B/std=R,G,B"];

    /// (pixel − mean) / deviation for red, green and blue, in units of 0..255; deviations are above 0.
    pub fn affine(mean: [f32; 3], deviation: [f32; 3]) -> Result<Self, PreprocessError> {
        let affine = Affine { mean, deviation };
        let is_finite = mean.iter().chain(&deviation).all(|number| number.is_finite());
        if is_finite && deviation.iter().all(|&deviation| deviation > 0.0) {
            Ok(Self::Affine(affine))
        } else {
            Err(PreprocessError::Affine(affine.to_string()))
        }
    }
}

impl Affine {
    /// What is taken off red, green and blue.
    pub fn mean(&self) -> [f32; 3] {
        self.mean
    }

    /// What the rest is divided by.
    pub fn deviation(&self) -> [f32; 3] {
        self.deviation
    }

    fn bits(&self) -> [[u32; 3]; 2] {
        [self.mean.map(f32::to_bits), self.deviation.map(f32::to_bits)]
    }
}

impl PartialEq for Affine {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for Affine {}

impl Hash for Affine {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

impl fmt::Display for Affine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [[a, b, c], [x, y, z]] = [self.mean, self.deviation];
        write!(formatter, "mean={a},{b},{c}/std={x},{y},{z}")
    }
}

impl fmt::Display for Preprocess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rescale => formatter.pad("rescale"),
            Self::Caffe => formatter.pad("caffe"),
            Self::Torch => formatter.pad("torch"),
            Self::TensorFlow => formatter.pad("tf"),
            Self::Affine(affine) => formatter.pad(&affine.to_string()),
        }
    }
}

impl FromStr for Preprocess {
    type Err = PreprocessError;

    fn from_str(text: &str) -> Result<Self, PreprocessError> {
        match text {
            "rescale" => Ok(Self::Rescale),
            "caffe" => Ok(Self::Caffe),
            "torch" => Ok(Self::Torch),
            "tf" => Ok(Self::TensorFlow),
            _ if text.starts_with("mean=") => {
                let refused = || PreprocessError::Affine(text.to_owned());
                let (mean, deviation) = text["mean=".len()..].split_once("/std=").ok_or_else(refused)?;
                let numbers = |text| three_numbers(text).ok_or_else(refused);
                Self::affine(numbers(mean)?, numbers(deviation)?).map_err(|_| refused())
            }
            _ => Err(UnknownName::new("preprocess", Self::NAMES, text).into()),
        }
    }
}

impl TryFrom<String> for Preprocess {
    type Error = PreprocessError;

    fn try_from(text: String) -> Result<Self, PreprocessError> {
        text.parse()
    }
}

impl From<Preprocess> for String {
    fn from(preprocess: Preprocess) -> Self {
        preprocess.to_string()
    }
}

/// Three numbers with commas between them, or one for all.
fn three_numbers(text: &str) -> Option<[f32; 3]> {
    let numbers: Vec<f32> = text.split(',').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    match numbers[..] {
        [all] => Some([all; 3]),
        [red, green, blue] => Some([red, green, blue]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_the_same() {
        for text in ["rescale", "caffe", "torch", "tf", "mean=123.675,116.28,103.53/std=58.395,57.12,57.375"]
        {
            let parsed: Preprocess = text.parse().unwrap();
            assert_eq!(parsed.to_string(), text);
            let json = serde_json::to_string(&parsed).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Preprocess>(&json).unwrap(), parsed);
        }
        let one_for_all: Preprocess = "mean=127/std=128".parse().unwrap();
        assert_eq!(one_for_all.to_string(), "mean=127,127,127/std=128,128,128");
    }

    #[test]
    fn numbers_that_cannot_be_computed_with_are_refused() {
        for text in
            ["mean=1", "mean=1/std=0", "mean=1,2/std=1", "mean=NaN/std=1", "mean=1/std=inf", "mean=/std="]
        {
            let error = text.parse::<Preprocess>().unwrap_err().to_string();
            assert!(error.ends_with(&format!("deviations above 0, found `{text}`")), "{error}");
        }
        assert!(Preprocess::affine([0.0; 3], [1.0, -1.0, 1.0]).is_err());
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "keras".parse::<Preprocess>().unwrap_err().to_string();
        let expected =
            "preprocess: expected one of rescale, caffe, torch, tf, mean=R,G,B/std=R,G,B, found `keras`";
        assert_eq!(error, expected);
    }
}
