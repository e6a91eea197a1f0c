//! The conv bases beside VGG16 against Keras 3.15 and against EfficientNet-Lite0's own code (`shared/golden`).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says when it skips"
)]

use std::path::{Path, PathBuf};

use convbase_bases::{Choices, architecture, write_untrained};
use convbase_core::{ImageSize, Interpolation, Pooling, Precision};
use convbase_nn::{Base, ConvBase, Device, default_weights};
use serde_json::Value;

const LIMIT: f64 = 1e-5;

fn golden() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    if folder.join("backbones/index.json").exists() && folder.join("efficientnet_lite0").exists() {
        return Some(folder);
    }
    println!("skipped: the ground truth of the other bases in `shared/golden` is absent");
    None
}

fn array<T: npyz::Deserialize>(path: &Path) -> (Vec<usize>, Vec<T>) {
    let bytes = std::fs::read(path).unwrap();
    let file = npyz::NpyFile::new(&bytes[..]).unwrap();
    (file.shape().iter().map(|&side| side as usize).collect(), file.into_vec().unwrap())
}

/// Pixels of the first `images` photographs, or the part of the first that has odd sides.
fn pixels(golden: &Path, name: &str, images: usize) -> (ImageSize, Vec<u8>) {
    let (_, pixels) = array::<u8>(&golden.join(name));
    let size = ImageSize::new(180, 180).unwrap();
    (size, pixels[..images * size.rgb_bytes()].to_vec())
}

fn odd_pixels(golden: &Path) -> (ImageSize, Vec<u8>) {
    let (_, pixels) = pixels(golden, "pixels_nearest.npy", 1);
    let rows = (20..20 + 111).flat_map(|y| pixels[(y * 180 + 30) * 3..][..97 * 3].to_vec());
    (ImageSize::new(111, 97).unwrap(), rows.collect())
}

fn features(base: &Base, layer: &str, (size, pixels): &(ImageSize, Vec<u8>)) -> (Vec<usize>, Vec<f32>) {
    let choices = Choices {
        layer: layer.to_owned(),
        pooling: Pooling::None,
        image_size: *size,
        interpolation: Interpolation::Nearest,
        preprocess: base.preprocess().unwrap().unwrap(),
    };
    let spec = base.spec(choices).unwrap();
    let conv_base = ConvBase::new(base, &spec, Precision::Float32, Device::Cpu).unwrap();
    let batch = pixels.len() / size.rgb_bytes();
    let sides = spec.shape.sides().iter().map(|&side| side as usize);
    (std::iter::once(batch).chain(sides).collect(), conv_base.features(pixels, batch).unwrap())
}

/// ‖found − expected‖ / ‖expected‖
fn relative_error(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |number: f64| number * number;
    let distance: f64 = found.iter().zip(expected).map(|(a, b)| square(f64::from(*a) - f64::from(*b))).sum();
    let length: f64 = expected.iter().map(|number| square(f64::from(*number))).sum();
    (distance / length).sqrt()
}

/// The part of maps [n, h, w, c] that the ground truth keeps, as its index writes it.
fn kept(shape: &[usize], values: &[f32], part: &str) -> Vec<f32> {
    let (images, step, channel_step) = match part {
        "all" => (shape[0], 1, 1),
        "[:1, ::8, ::8, ::16]" => (1, 8, 16),
        "[:, ::4, ::4, ::8]" => (shape[0], 4, 8),
        other => panic!("unknown part {other}"),
    };
    let mut kept = Vec::new();
    for image in 0..images {
        for y in (0..shape[1]).step_by(step) {
            for x in (0..shape[2]).step_by(step) {
                let pixel = ((image * shape[1] + y) * shape[2] + x) * shape[3];
                kept.extend(values[pixel..pixel + shape[3]].iter().step_by(channel_step));
            }
        }
    }
    kept
}

#[test]
fn every_kept_layer_of_every_base_is_kerass() {
    let Some(golden) = golden() else { return };
    let folder = golden.join("backbones");
    let index: Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let inputs = [("180x180", pixels(&golden, "pixels_nearest.npy", 2)), ("111x97", odd_pixels(&golden))];
    let weights = tempfile::tempdir().unwrap();
    for (name, entry) in index["bases"].as_object().unwrap() {
        let known = architecture(name).unwrap();
        let path = weights.path().join(name);
        write_untrained(&path, known, 0, known.preprocess()).unwrap();
        let base = Base::open(name, Some(&path)).unwrap();
        let mut worst: f64 = 0.0;
        for (key, layer) in entry["layers"].as_object().unwrap() {
            let (size, layer_name) = key.split_once('/').unwrap();
            let input = &inputs.iter().find(|(known, _)| *known == size).unwrap().1;
            let (shape, found) = features(&base, layer_name, input);
            assert_eq!(serde_json::json!(shape), layer["shape"], "{name} {key}");
            let (_, expected) = array::<f32>(&folder.join(layer["file"].as_str().unwrap()));
            let error = relative_error(&kept(&shape, &found, layer["kept"].as_str().unwrap()), &expected);
            assert!(error <= LIMIT, "{name} {key}: expected at most {LIMIT}, found {error}");
            worst = worst.max(error);
        }
        println!(
            "{name}: greatest relative error of {} outputs {worst:.2e}",
            entry["layers"].as_object().unwrap().len()
        );
    }
}

#[test]
fn efficientnet_lite0_with_its_real_weights_is_what_its_own_code_computes() {
    let Some(golden) = golden() else { return };
    if !default_weights("efficientnet_lite0").exists() {
        println!("skipped: `weights/efficientnet_lite0.safetensors` is absent");
        return;
    }
    let base = Base::open("efficientnet_lite0", None).unwrap();
    for (name, input) in [
        ("nearest_180", pixels(&golden, "pixels_nearest.npy", 4)),
        ("bilinear_180", pixels(&golden, "pixels_bilinear.npy", 16)),
        ("odd_111x97", odd_pixels(&golden)),
    ] {
        let (shape, found) = features(&base, "head_relu", &input);
        let path = golden.join(format!("efficientnet_lite0/{name}_head_relu.npy"));
        let (expected_shape, expected) = array::<f32>(&path);
        assert_eq!(shape, expected_shape, "{name}");
        let error = relative_error(&found, &expected);
        println!("{name}: relative error {error:.2e}");
        assert!(error <= LIMIT, "{name}: expected at most {LIMIT}, found {error}");
    }
}
