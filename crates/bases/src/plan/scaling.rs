//! What weights expect of pixels.

use convbase_core::Preprocess;

/// Mean and divisor of red, green and blue: the input is (pixel − mean) / divisor (Keras
/// `imagenet_utils.preprocess_input` and its `mode`s), pixels being 0..255.
pub fn scaling(preprocess: Preprocess) -> ([f64; 3], [f64; 3]) {
    match preprocess {
        Preprocess::Rescale => ([0.0; 3], [255.0; 3]),
        Preprocess::Caffe => ([123.68, 116.779, 103.939], [1.0; 3]),
        Preprocess::Torch => (
            [0.485, 0.456, 0.406].map(|mean| mean * 255.0),
            [0.229, 0.224, 0.225].map(|deviation| deviation * 255.0),
        ),
        Preprocess::TensorFlow => ([127.5; 3], [127.5; 3]),
        Preprocess::Affine(affine) => (affine.mean().map(f64::from), affine.deviation().map(f64::from)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_and_white_become_the_published_ranges() {
        let map = |preprocess, value: f64| {
            let (mean, divisor) = scaling(preprocess);
            [0, 1, 2].map(|channel| (value - mean[channel]) / divisor[channel])
        };
        assert_eq!(map(Preprocess::Rescale, 255.0), [1.0; 3]);
        assert_eq!(map(Preprocess::TensorFlow, 0.0), [-1.0; 3]);
        assert_eq!(map(Preprocess::TensorFlow, 255.0), [1.0; 3]);
        assert_eq!(map(Preprocess::Caffe, 0.0), [-123.68, -116.779, -103.939]);
        let white = map(Preprocess::Torch, 255.0);
        assert!((white[0] - (1.0 - 0.485) / 0.229).abs() < 1e-12);
        let affine = Preprocess::affine([127.0; 3], [128.0; 3]).unwrap();
        assert_eq!(map(affine, 255.0), [1.0; 3]);
    }
}
