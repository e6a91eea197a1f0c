//! ONNX files: what they compute is PyTorch's, and what cannot be used is told in one line.
//!
//! `onnx/make.py` makes the files and the expected features.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use convbase_core::{Digest, ImageSize, Interpolation, Preprocess, exit, write_artifact};
use convbase_nn::{Normalisation, OnnxError, OnnxModel, OnnxNetwork, OnnxProblem, Scaling};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx").join(name)
}

fn open(name: &str) -> OnnxModel {
    OnnxModel::open(&path(name)).unwrap()
}

fn size(height: u32, width: u32) -> ImageSize {
    ImageSize::new(height, width).unwrap()
}

/// The images of `make.py`.
fn pixels(batch: usize, size: ImageSize) -> Vec<u8> {
    let hash = |index: usize| (index as u32).wrapping_mul(2_654_435_761) >> 24;
    (0..batch * size.rgb_bytes()).map(|index| hash(index) as u8).collect()
}

fn expected(name: &str) -> (Vec<u64>, Vec<f32>) {
    let bytes = fs::read(path(name)).unwrap();
    let file = npyz::NpyFile::new(bytes.as_slice()).unwrap();
    (file.shape().to_vec(), file.into_vec().unwrap())
}

fn bits(features: &[f32]) -> Vec<u32> {
    features.iter().map(|number| number.to_bits()).collect()
}

/// Checks a layer's shape and its features of the three images.
fn check(file: &str, layer: &str, golden: &str, size: ImageSize) {
    let model = open(file);
    let (shape, features) = expected(golden);
    let shape: Vec<u32> = shape[1..].iter().map(|&side| side as u32).collect();
    assert_eq!(model.describe(layer, size).unwrap(), shape, "{file} {layer}");
    let network = model.compile(layer, size).unwrap();
    assert_eq!(network.shape(), shape);
    let found = network.forward(&pixels(3, size), 3, &Preprocess::Torch.into()).unwrap();
    let square = |numbers: &mut dyn Iterator<Item = f32>| numbers.map(|n| f64::from(n).powi(2)).sum::<f64>();
    let difference = square(&mut found.iter().zip(&features).map(|(a, b)| a - b));
    let relative = (difference / square(&mut features.iter().copied())).sqrt();
    assert_eq!(found.len(), features.len());
    assert!(relative < 1e-6, "{file} {layer}: {relative:e}");
}

#[test]
fn features_and_maps_are_pytorch_s_with_the_channels_last() {
    for file in ["channels_first", "channels_last"] {
        for layer in ["features", "map"] {
            check(&format!("{file}.onnx"), layer, &format!("{file}.{layer}.npy"), size(40, 36));
        }
    }
    check("tokens.onnx", "tokens", "tokens.tokens.npy", size(32, 32));
}

#[test]
fn maps_inside_a_channels_last_file_are_stored_channels_last_too() {
    let model = open("channels_last.onnx");
    let names = model.layer_names();
    let inner = names.iter().rfind(|name| name.contains("Relu")).unwrap();
    check("channels_last.onnx", inner, "channels_last.map.npy", size(40, 36));
}

#[test]
fn an_image_has_the_same_bits_alone_in_a_batch_and_on_every_thread() {
    let size = size(40, 36);
    let network = open("channels_first.onnx").compile("map", size).unwrap();
    let pixels = pixels(5, size);
    let forward = |pixels: &[u8]| {
        let features = network.forward(pixels, pixels.len() / size.rgb_bytes(), &Preprocess::Torch.into());
        bits(&features.unwrap())
    };
    let whole = forward(&pixels);
    let alone: Vec<u32> = pixels.chunks(size.rgb_bytes()).flat_map(forward).collect();
    assert_eq!(whole, alone);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| forward(&pixels))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), whole);
        }
    });
}

#[test]
fn networks_and_models_are_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<OnnxNetwork>();
    is_shared::<OnnxModel>();
    is_shared::<OnnxError>();
}

#[test]
fn a_file_tells_its_identity_its_layers_and_what_it_expects() {
    let model = open("channels_first.onnx");
    assert_eq!(model.digest(), Digest::of(&fs::read(path("channels_first.onnx")).unwrap()));
    assert_eq!(model.default_layer(), "features");
    assert!(model.layer_names().contains(&"map"));
    assert_eq!(model.fixed_size(), None);
    let metadata = model.metadata();
    assert_eq!(metadata.scaling, Some(Scaling::Named(Preprocess::Torch)));
    assert_eq!(metadata.size, Some(size(40, 36)));
    assert_eq!(metadata.interpolation, Some(Interpolation::Bicubic));

    let tokens = open("tokens.onnx");
    assert_eq!(tokens.fixed_size(), Some(size(32, 32)));
    let scaling = tokens.metadata().scaling.unwrap().normalisation();
    assert_eq!(scaling.mean, [123.675, 116.28, 103.53]);
    assert_eq!(open("channels_last.onnx").metadata().scaling, None);
}

#[test]
fn means_in_pixels_are_the_named_preprocessing_and_blue_may_come_first() {
    let size = size(32, 32);
    let network = open("tokens.onnx").compile("tokens", size).unwrap();
    let given = open("tokens.onnx").metadata().scaling.unwrap().normalisation();
    let pixels = pixels(1, size);
    let named = network.forward(&pixels, 1, &Preprocess::Torch.into()).unwrap();
    assert_eq!(named, network.forward(&pixels, 1, &given).unwrap());

    let plain = Normalisation { mean: [1.0, 2.0, 3.0], deviation: [4.0, 5.0, 6.0], is_blue_first: false };
    let turned = Normalisation { mean: [3.0, 2.0, 1.0], deviation: [6.0, 5.0, 4.0], is_blue_first: true };
    let swapped: Vec<u8> = pixels.chunks(3).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
    let expected = network.forward(&pixels, 1, &plain).unwrap();
    assert_eq!(expected, network.forward(&swapped, 1, &turned).unwrap());
}

#[test]
fn a_layer_needs_only_what_lies_before_it() {
    for (file, layer) in [
        ("constants_as_inputs.onnx", "map"),
        ("free_channels.onnx", "map"),
        ("own_operator.onnx", "map"),
        ("other_input.onnx", "map"),
    ] {
        assert_eq!(open(file).describe(layer, size(32, 48)).unwrap(), [32, 48, 4], "{file}");
    }
}

/// The error of a file, wherever it comes up, and its hint.
fn error(file: &Path, layer: Option<&str>, size: ImageSize) -> OnnxError {
    let attempt = || {
        let model = OnnxModel::open(file)?;
        model.compile(layer.unwrap_or(model.default_layer()), size).map(drop)
    };
    attempt().unwrap_err()
}

#[test]
fn an_unfit_file_is_told_in_one_line_that_names_it() {
    for (file, told) in [
        ("absent.onnx", "cannot be read: No such file"),
        ("make.py", "expected an ONNX model, found other bytes"),
        ("no_nodes.onnx", "expected a graph with nodes and an output, found none"),
        ("external_data.onnx", "expected all weights in this file, found tensor `weight` in `weights.data`"),
        ("short_weight.onnx", "tensor `weight`: expected 48 bytes for [4, 3, 1, 1], found 20"),
        ("not_a_number.onnx", "tensor `weight`: expected finite numbers, found an infinity or NaN"),
        ("not_made.onnx", "node `sum` (Add): expected tensor `nothing` to be made once, before it is read"),
        ("circle.onnx", "node `sum` (Add): expected tensor `later` to be made once, before it is read"),
        ("two_images.onnx", "found `image` float [n, 3, height, width], `other` float [n, 3, height, width]"),
        (
            "no_image.onnx",
            "expected one float32 input [n, 3, height, width] or [n, height, width, 3], found `image` int64 [n, 128]",
        ),
        ("half_image.onnx", "found `image` float16 [n, 3, height, width]"),
        ("gray.onnx", "input `image` float [n, 1, height, width]: expected 3 channels, found 1"),
        (
            "batch_of_eight.onnx",
            "input `image` float [8, 3, 64, 64]: expected a batch that is free or 1, found 8",
        ),
        (
            "free_layout.onnx",
            "input `image` float [n, first, second, third]: expected 3 channels in second or in last place",
        ),
        ("wrong_metadata.onnx", "metadata `convbase`: expected JSON"),
        ("other_input.onnx", "layer `sum`: expected to follow from `image` alone, found `ids`"),
        (
            "own_operator.onnx",
            "layer `sharp` needs operators unknown to the engine: `sharpen` (Sharpen) of `our.own`",
        ),
        ("own_relu.onnx", "layer `sharp` needs operators unknown to the engine: `relu` (Relu) of `our.own`"),
        ("drawn.onnx", "unknown to the engine: `noise` (RandomNormalLike), whose results are drawn"),
        (
            "integers.onnx",
            "layer `place`: expected float32 [1, channels], [1, tokens, channels] or a map of one image, found i64 ",
        ),
        ("one_number.onnx", "layer `mean`: expected float32 [1, channels], "),
        ("wrong_shapes.onnx", "layer `map` cannot be computed for images of 64x64: "),
    ] {
        let error = error(&path(file), None, size(64, 64));
        let line = exit::one_line(&error);
        assert!(line.starts_with("onnx file `") && line.contains(&format!("{file}`: ")), "{line}");
        assert!(line.contains(told), "{line}");
        assert!(!line.contains('\n') && line.len() < 1000, "{line}");
    }
}

#[test]
fn a_file_that_is_cut_short_says_how_long_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(path("channels_first.onnx")).unwrap();
    let file = folder.path().join("cut.onnx");
    write_artifact(&file, &whole[..whole.len() / 2]).unwrap();
    let error = error(&file, None, size(40, 36));
    match error.problem() {
        OnnxProblem::Truncated { expected, found } => {
            assert!(*expected > whole.len() as u64 / 2 && *expected <= whole.len() as u64);
            assert_eq!(*found, whole.len() as u64 / 2);
        }
        other => panic!("{other}"),
    }
    assert_eq!(error.hint(), Some("copy or download the file again"));
}

#[test]
fn an_unknown_layer_lists_the_likeliest_and_a_node_s_name_leads_to_its_tensor() {
    let of = |layer| error(&path("channels_first.onnx"), Some(layer), size(40, 36)).to_string();
    let line = of("featurs");
    assert!(line.contains("inner tensors as layer, found `featurs`; the likeliest: `features`, "), "{line}");
    let line = error(&path("own_operator.onnx"), Some("convolution"), size(40, 36)).to_string();
    assert!(line.contains("the likeliest: `map`"), "{line}");
    assert!(of("image").contains("found `image`"));
}

#[test]
fn a_size_that_a_file_does_not_take_is_refused() {
    let error = error(&path("tokens.onnx"), None, size(40, 32));
    assert!(error.to_string().ends_with("expected images of 32x32, found 40x32"), "{error}");
}

#[test]
fn pixels_that_do_not_fill_the_images_are_refused() {
    let size = size(32, 32);
    let network = open("tokens.onnx").compile("tokens", size).unwrap();
    let error = network.forward(&[0; 100], 1, &Preprocess::Torch.into()).unwrap_err();
    assert!(error.to_string().ends_with("expected 3072 bytes of pixels, found 100"), "{error}");
}

#[test]
fn damaged_files_are_errors_or_compute_and_never_end_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.onnx");
    let mut errors = 0;
    for name in ["constants_as_inputs.onnx", "channels_last.onnx"] {
        let whole = fs::read(path(name)).unwrap();
        // The first bytes and the last hold the graph's form; those between are mostly weights.
        let places = (0..whole.len()).filter(|place| whole.len() < 1000 || place % 97 == 0);
        for (place, change) in places.flat_map(|place| [(place, 0x01), (place, 0x80)]) {
            let mut damaged = whole.clone();
            damaged[place] ^= change;
            write_artifact(&file, &damaged).unwrap();
            let attempt = || {
                let model = OnnxModel::open(&file)?;
                let network = model.compile(model.default_layer(), size(32, 32))?;
                network.forward(&pixels(1, size(32, 32)), 1, &Preprocess::Torch.into())
            };
            errors += usize::from(attempt().is_err_and(|error| !exit::one_line(&error).contains('\n')));
        }
    }
    assert!(errors > 100, "{errors}");
}
