//! How bytes of pixels become the network's input.

use convbase_bases::scaling;
use convbase_core::Preprocess;

/// (pixel - mean) / deviation, per channel, in float32 and in units of pixels 0..255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalisation {
    /// Of red, green and blue.
    pub mean: [f32; 3],
    /// Of red, green and blue.
    pub deviation: [f32; 3],
    /// Whether the network takes blue, green, red.
    pub is_blue_first: bool,
}

impl From<Preprocess> for Normalisation {
    fn from(preprocess: Preprocess) -> Self {
        let (mean, deviation) = scaling(preprocess);
        let floats = |numbers: [f64; 3]| numbers.map(|number| number as f32);
        Self {
            mean: floats(mean),
            deviation: floats(deviation),
            is_blue_first: preprocess == Preprocess::Caffe,
        }
    }
}

impl Normalisation {
    /// What each byte of each of the network's channels becomes, with the place of that channel in a pixel of red,
    /// green and blue.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "there are three channels, 0 to 2"
    )]
    pub(super) fn tables(&self) -> [(usize, [f32; 256]); 3] {
        std::array::from_fn(|channel| {
            let place = if self.is_blue_first { 2 - channel } else { channel };
            let (mean, deviation) = (self.mean[place], self.deviation[place]);
            (place, std::array::from_fn(|byte| (byte as f32 - mean) / deviation))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preprocessing_maps_black_and_white_to_the_published_ranges() {
        let ends = |preprocess: Preprocess| {
            Normalisation::from(preprocess).tables().map(|(place, table)| (place, table[0], table[255]))
        };
        assert_eq!(ends(Preprocess::Rescale), [0, 1, 2].map(|place| (place, 0.0, 1.0)));
        assert_eq!(ends(Preprocess::TensorFlow), [0, 1, 2].map(|place| (place, -1.0, 1.0)));
        let caffe = ends(Preprocess::Caffe).map(|(place, black, _)| (place, black));
        assert_eq!(caffe, [(2, -103.939), (1, -116.779), (0, -123.68)]);
        let (_, _, white) = ends(Preprocess::Torch)[0];
        assert!((white - (1.0 - 0.485) / 0.229).abs() < 1e-6);
    }
}
