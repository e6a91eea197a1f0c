//! What the options make of the numbers.

use std::collections::BTreeSet;
use std::path::Path;

use convbase_bases::architecture;
use convbase_core::store::Manifest;
use convbase_core::{Precision, write_artifact};
use convbase_nn::{Base, ConvBase, Device};
use serde_json::json;

use super::support::*;

#[test]
fn every_layer_and_pooling_has_its_shape() {
    let images = photographs([("a", 1)]);
    let cases: [(&str, &str, &str, &[u64]); 7] = [
        ("block1_conv1", "none", "32", &[1, 32, 32, 64]),
        ("block1_pool", "none", "32", &[1, 16, 16, 64]),
        ("block3_conv2", "none", "32", &[1, 8, 8, 256]),
        ("block5_conv3", "none", "32x70", &[1, 2, 4, 512]),
        ("block5_pool", "none", "70x32", &[1, 2, 1, 512]),
        ("block2_pool", "avg", "32", &[1, 128]),
        ("block4_conv1", "max", "32", &[1, 512]),
    ];
    for (layer, pooling, size, shape) in cases {
        let out = tempfile::tempdir().unwrap();
        let options = ["--layer", layer, "--pooling", pooling, "--image-size", size];
        extract(0, images.path(), out.path(), options);
        let found = array::<f32>(&out.path().join("features-00000-of-00001.npy")).1;
        assert_eq!(found, shape, "{layer} {pooling} {size}");
        let recorded = json(&out.path().join("manifest.json"))["spec"]["shape"].clone();
        assert_eq!(recorded, json!(&shape[1..]), "{layer} {pooling} {size}");
    }
}

#[test]
fn pooled_features_are_mean_and_maximum_of_the_map() {
    let images = photographs([("a", 2)]);
    let of = |pooling| {
        let out = tempfile::tempdir().unwrap();
        extract(0, images.path(), out.path(), ["--layer", "block3_pool", "--pooling", pooling]);
        features(out.path())
    };
    let map = of("none"); // [2, 4, 4, 256]
    let values = |image: usize, channel: usize| {
        (0..16).map(|place| map[(image * 16 + place) * 256 + channel]).collect::<Vec<f32>>()
    };
    let all = || (0..2).flat_map(|image| (0..256).map(move |channel| (image, channel)));
    let means: Vec<f32> =
        all().map(|(image, channel)| values(image, channel).iter().sum::<f32>() / 16.0).collect();
    let maxima: Vec<f32> =
        all().map(|(image, channel)| values(image, channel).into_iter().fold(f32::MIN, f32::max)).collect();
    assert_close(&of("avg"), &means);
    assert_close(&of("max"), &maxima);
}

#[test]
fn float16_features_are_the_float32_features_rounded() {
    let images = photographs([("a", 2)]);
    let [wide, narrow] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    extract(0, images.path(), wide.path(), ["--preprocess", "tf"]);
    extract(0, images.path(), narrow.path(), ["--preprocess", "tf", "--dtype", "float16"]);
    let bytes = std::fs::read(narrow.path().join("features-00000-of-00001.npy")).unwrap();
    let header = npyz::NpyHeader::from_reader(&bytes[..]).unwrap();
    assert_eq!((header.dtype().descr().as_str(), header.shape()), ("'<f2'", &[2, 1, 1, 512][..]));
    let halves = &bytes[bytes.len() - 2 * 512 * 2..];
    let wide = features(wide.path());
    assert_eq!(wide.len(), 1024);
    for (half, single) in halves.as_chunks::<2>().0.iter().zip(&wide) {
        let half = half_to_single(u16::from_le_bytes(*half));
        // Half a unit in the last of eleven places, or of the smallest number.
        let allowed = (single.abs() / 2048.0).max(2_f32.powi(-25));
        assert!((half - single).abs() <= allowed, "expected {single} rounded, found {half}");
    }
}

/// IEEE 754 binary16 of a finite number.
fn half_to_single(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1F), f32::from(bits & 0x3FF));
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    assert!(exponent < 31, "an infinity or NaN");
    if exponent == 0 {
        sign * fraction * 2_f32.powi(-24)
    } else {
        sign * (1024.0 + fraction) * 2_f32.powi(exponent - 25)
    }
}

#[test]
fn every_preprocessing_and_interpolation_is_another_feature() {
    let images = photographs([("a", 1)]);
    let of = |option: &str, value: &str| {
        let out = tempfile::tempdir().unwrap();
        extract(0, images.path(), out.path(), [option, value]);
        let manifest = json(&out.path().join("manifest.json"));
        (
            manifest["feature_id"].to_string(),
            features(out.path()).iter().map(|number| number.to_bits()).collect(),
        )
    };
    let preprocessings = ["rescale", "caffe", "torch", "tf"].map(|name| of("--preprocess", name));
    let interpolations = ["bilinear", "bicubic", "lanczos"].map(|name| of("--interpolation", name));
    let all = preprocessings.into_iter().chain(interpolations);
    let (identities, numbers): (BTreeSet<String>, BTreeSet<Vec<u32>>) = all.unzip();
    assert_eq!((identities.len(), numbers.len()), (7, 7));
}

#[test]
fn storage_and_precision_are_no_part_of_the_identity() {
    let images = photographs([("a", 1)]);
    let manifest = |options: [&str; 2]| {
        let out = tempfile::tempdir().unwrap();
        extract(0, images.path(), out.path(), options);
        json(&out.path().join("manifest.json"))
    };
    let cases = [
        (["--shard-size", "5"], "float32", "fp32"),
        (["--dtype", "float16"], "float16", "fp32"),
        (["--precision", "bf16"], "float32", "bf16"),
        (["--precision", "int8"], "float32", "int8"),
    ];
    let mut identities = BTreeSet::new();
    for (options, dtype, precision) in cases {
        if precision == "int8" && !multiplies_int8() {
            println!("skipped: int8 needs a processor with AVX2");
            continue;
        }
        let manifest = manifest(options);
        assert_eq!((&manifest["dtype"], &manifest["precision"]), (&json!(dtype), &json!(precision)));
        identities.insert(manifest["feature_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(identities.len(), 1);
}

/// Whether the processor has the instructions for products of 8 bits.
fn multiplies_int8() -> bool {
    let vgg16 = Base::open("vgg16", Some(&WEIGHTS)).unwrap();
    vgg16.check(Precision::Int8, Device::Cpu).is_ok()
}

#[test]
fn int8_is_one_tasks_and_many_tasks_bytes_near_fp32_and_binds_later_runs() {
    if !multiplies_int8() {
        println!("skipped: int8 needs a processor with AVX2");
        return;
    }
    let (images, out) = (photographs([("a", 3), ("b", 2)]), tempfile::tempdir().unwrap());
    let store = |name: &str| out.path().join(name);
    let alone = ["--shard-size", "2", "--precision", "int8", "--threads", "1", "--batch-size", "1"];
    extract(0, images.path(), &store("whole"), alone);
    for task in ["2", "0", "1"] {
        // The first task says it, the others find it in the plan.
        let precision = if task == "2" { "int8" } else { "auto" };
        let options =
            ["--shard-size", "2", "--task-index", task, "--task-count", "3", "--precision", precision];
        extract(0, images.path(), &store("parts"), options);
    }
    extract(0, images.path(), &store("exact"), ["--shard-size", "2"]);
    let read = |name: &str| {
        let files =
            ["features-00000-of-00003.npy", "features-00001-of-00003.npy", "features-00002-of-00003.npy"];
        files.map(|file| std::fs::read(store(name).join(file)).unwrap()).concat()
    };
    assert!(read("whole") == read("parts"));
    assert!(read("whole") != read("exact"));
}

#[test]
fn the_automatic_precision_is_the_devices_and_binds_later_runs() {
    let (images, out) = (photographs([("a", 2)]), tempfile::tempdir().unwrap());
    let options = ["--precision", "auto", "--device", "cpu"];
    extract(0, images.path(), out.path(), options);
    let manifest = Manifest::open(out.path()).unwrap();
    assert_eq!(manifest.precision(), ConvBase::native_precision(Device::Cpu));
    // Another machine made the plan with the other precision: `auto` follows it.
    let other = if manifest.precision().name() == "fp32" { "bf16" } else { "fp32" };
    extract(0, images.path(), out.path(), ["--precision", other, "--overwrite"]);
    extract(0, images.path(), out.path(), options);
    assert_eq!(Manifest::open(out.path()).unwrap().precision().name(), other);
}

#[test]
fn the_automatic_preprocessing_is_what_the_weights_say_or_that_of_keras() {
    let (images, out) = (photographs([("a", 1)]), tempfile::tempdir().unwrap());
    let weights = out.path().join("silent.safetensors");
    without_metadata(&WEIGHTS, &weights);
    let store = out.path().join("store");
    let path = weights.to_str().unwrap();
    // Keras' names are those of Keras' own weights, whose preprocessing the catalogue knows.
    extract(0, images.path(), &store, ["--weights", path]);
    assert_eq!(json(&store.join("manifest.json"))["spec"]["preprocess"], "caffe");
    let other = out.path().join("other");
    extract(0, images.path(), &other, ["--weights", path, "--preprocess", "torch"]);
    assert_eq!(json(&other.join("manifest.json"))["spec"]["preprocess"], "torch");
}

/// torchvision has several trainings of this network under the same names.
#[test]
fn weights_under_torchvisions_names_that_say_nothing_are_refused_with_a_hint() {
    let (images, out) = (photographs([("a", 1)]), tempfile::tempdir().unwrap());
    let weights = out.path().join("silent.safetensors");
    let zeros = |shape: &[usize]| vec![0_u8; shape.iter().product::<usize>() * 4];
    let known = architecture("vgg16").unwrap();
    let names = known.torchvision_names().unwrap();
    let tensors = known.graph().tensors().iter().zip(names).map(|(tensor, name)| {
        let shape: Vec<usize> = match *tensor.shape() {
            [height, width, inputs, outputs] => vec![outputs, inputs, height, width],
            ref other => other.to_vec(),
        };
        (name, zeros(&shape), shape)
    });
    let tensors: Vec<_> = tensors.collect();
    let views = tensors.iter().map(|(name, bytes, shape)| {
        (name, safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes).unwrap())
    });
    write_artifact(&weights, &safetensors::serialize(views, None).unwrap()).unwrap();
    let (store, path) = (out.path().join("store"), weights.to_str().unwrap());
    let said = extract(1, images.path(), &store, ["--weights", path]);
    let expected = format!(
        "extractor: weights `{path}`: metadata preprocess: expected one of rescale, caffe, torch, tf, \
         mean=R,G,B/std=R,G,B, found none\nhint: say what the weights were trained with: `--preprocess torch`, for \
         instance\n"
    );
    assert_eq!(said.stderr, expected);
    assert!(!store.exists());
}

/// Copies a safetensors file without what it says of itself: length of the header, header, numbers.
fn without_metadata(from: &Path, to: &Path) {
    let bytes = std::fs::read(from).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, numbers) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mut header: serde_json::Value = serde_json::from_slice(header).unwrap();
    assert!(header.as_object_mut().unwrap().remove("__metadata__").is_some());
    let header = header.to_string();
    let length = (header.len() as u64).to_le_bytes();
    write_artifact(to, &[&length, header.as_bytes(), numbers].concat()).unwrap();
}

#[test]
fn features_of_fewer_than_sixteen_numbers_are_stored_and_verified() {
    let (images, out) = (photographs([("a", 2), ("b", 1)]), tempfile::tempdir().unwrap());
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nn/tests/onnx/channels_last.onnx");
    let mut arguments = words(["extract", "--image-size", "40x36", "--preprocess", "rescale", "--base"]);
    arguments.extend([
        base.into(),
        "--images".into(),
        images.path().into(),
        "--out".into(),
        out.path().into(),
    ]);
    // An arithmetic that its engine does not have leaves no plan behind.
    for precision in ["bf16", "int8"] {
        let said = extractor(1, &[arguments.clone(), words(["--precision", precision])].concat());
        let problem = format!("an ONNX file is computed in fp32 on the processor, found {precision}");
        assert!(said.stderr.contains(&problem), "{}", said.stderr);
        assert!(!out.path().join("manifest.json").exists());
    }
    extractor(0, &arguments);
    assert_eq!(array::<f32>(&out.path().join("features-00000-of-00001.npy")).1, [3, 12]);
    verify(0, out.path());
}
