//! The conv base against Keras 3.15 on the pixels of sixteen photographs (`shared/golden`).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says when it skips"
)]

use std::path::{Path, PathBuf};

use convbase_bases::{Choices, article};
use convbase_core::{ImageSize, Interpolation, Pooling, Precision, Preprocess};
use convbase_images::{Decoder, decode_batch};
use convbase_nn::{Base, ConvBase, Device, default_weights};

struct Golden {
    folder: PathBuf,
    base: Base,
}

/// The ground truth and the weights, or `None` and a line that says what is absent.
fn golden() -> Option<Golden> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("../shared/golden");
    for (path, name) in [(&folder, "shared/golden"), (&default_weights("vgg16"), "weights/vgg16.safetensors")]
    {
        if !path.exists() {
            println!("skipped: `{name}` is absent");
            return None;
        }
    }
    Some(Golden { folder, base: Base::open("vgg16", None).unwrap() })
}

impl Golden {
    fn array<T: npyz::Deserialize>(&self, name: &str) -> Vec<T> {
        let bytes = std::fs::read(self.folder.join(name)).unwrap();
        npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
    }

    fn features(&self, pixels: &[u8], layer: &str, preprocess: Preprocess, precision: Precision) -> Vec<f32> {
        let size = ImageSize::new(180, 180).unwrap();
        let choices = Choices {
            layer: layer.to_owned(),
            pooling: Pooling::None,
            image_size: size,
            interpolation: Interpolation::Nearest,
            preprocess,
        };
        let spec = self.base.spec(choices).unwrap();
        let base = ConvBase::new(&self.base, &spec, precision, Device::Cpu).unwrap();
        base.features(pixels, pixels.len() / size.rgb_bytes()).unwrap()
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// ‖found − expected‖ / ‖expected‖
fn relative_error(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |number: f64| number * number;
    let distance: f64 = found.iter().zip(expected).map(|(a, b)| square(f64::from(*a) - f64::from(*b))).sum();
    let length: f64 = expected.iter().map(|number| square(f64::from(*number))).sum();
    (distance / length).sqrt()
}

#[test]
fn the_digest_of_the_keras_weights_is_the_published_one() {
    let Some(golden) = golden() else { return };
    assert_eq!(golden.base.digest(), article().weights);
}

#[test]
fn features_are_kerass_within_a_hundred_thousandth_in_fp32_and_a_hundredth_in_bf16() {
    let Some(golden) = golden() else { return };
    for (pixels, features, preprocess) in [
        ("pixels_nearest.npy", "block5_pool_nearest_rescale.npy", Preprocess::Rescale),
        ("pixels_bilinear.npy", "block5_pool_bilinear_caffe.npy", Preprocess::Caffe),
    ] {
        let (pixels, expected) = (golden.array::<u8>(pixels), golden.array::<f32>(features));
        for (precision, limit) in [(Precision::Float32, 1e-5), (Precision::BFloat16, 1e-2)] {
            let found = golden.features(&pixels, "block5_pool", preprocess, precision);
            let error = relative_error(&found, &expected);
            println!("{features} {precision}: relative error {error:.2e}");
            assert!(error <= limit, "{features} {precision}: expected at most {limit}, found {error}");
            let length = expected.len() / 16;
            let cosines = found.chunks(length).zip(expected.chunks(length)).map(|(a, b)| cosine(a, b));
            let least = cosines.fold(1.0, f64::min);
            println!("{features} {precision}: least cosine {least:.6}");
            assert!(
                least >= 0.9999,
                "{features} {precision}: expected a cosine of at least 0.9999, found {least}"
            );
        }
    }
}

#[test]
fn features_from_the_photographs_themselves_point_where_kerass_do() {
    let Some(golden) = golden() else { return };
    let photographs = golden.folder.join("../data/cats_vs_dogs_small");
    if !photographs.exists() {
        println!("skipped: the photographs in `shared/data` are absent");
        return;
    }
    let index = std::fs::read(golden.folder.join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let names = index["images"].as_array().unwrap().iter();
    let paths: Vec<PathBuf> = names.map(|path| photographs.join(path.as_str().unwrap())).collect();
    for (features, interpolation, preprocess) in [
        ("block5_pool_nearest_rescale.npy", Interpolation::Nearest, Preprocess::Rescale),
        ("block5_pool_bilinear_caffe.npy", Interpolation::Bilinear, Preprocess::Caffe),
    ] {
        let batch = decode_batch(&paths, &Decoder::new(ImageSize::new(180, 180).unwrap(), interpolation));
        assert_eq!(batch.decoded(), paths.len());
        let found = golden.features(&batch.pixels, "block5_pool", preprocess, Precision::Float32);
        let expected = golden.array::<f32>(features);
        let length = expected.len() / paths.len();
        let cosines = found.chunks(length).zip(expected.chunks(length)).map(|(a, b)| cosine(a, b));
        let least = cosines.fold(1.0, f64::min);
        println!("{features} from JPEG: least cosine {least:.6}");
        assert!(least >= 0.999, "{features}: expected a cosine of at least 0.999, found {least}");
    }
}

#[test]
fn every_layer_on_the_way_is_kerass() {
    let Some(golden) = golden() else { return };
    let pixels = &golden.array::<u8>("pixels_nearest.npy")[..180 * 180 * 3];
    for name in ["block1_pool", "block2_pool", "block3_pool", "block4_pool", "block5_conv3"] {
        let expected = golden.array::<f32>(&format!("{name}_nearest_rescale_first.npy"));
        let found = golden.features(pixels, name, Preprocess::Rescale, Precision::Float32);
        let error = relative_error(&found, &expected);
        println!("{name}: relative error {error:.2e}");
        assert!(error <= 1e-5, "{name}: expected at most 1e-5, found {error}");
    }
}
