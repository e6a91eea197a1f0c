//! What a finished store holds, and that it is always the same.

use std::path::Path;

use convbase_core::{Classes, Digest, write_artifact};
use convbase_images::ImageFolder;
use convbase_nn::{Base, ConvBase, Device};
use image::ImageFormat;
use serde_json::json;

use super::support::*;

#[test]
fn arrays_hold_one_row_per_photograph_with_its_shape_type_and_label() {
    let (images, out) = (photographs([("cats", 3), ("dogs", 2)]), tempfile::tempdir().unwrap());
    let said = extract(0, images.path(), out.path(), []);
    let (kind, shape, numbers) = array::<f32>(&out.path().join("features-00000-of-00001.npy"));
    assert_eq!((kind.as_str(), shape), ("'<f4'", vec![5, 1, 1, 512]));
    assert!(numbers.iter().all(|number| number.is_finite() && *number >= 0.0));
    let (kind, shape, labels) = array::<i64>(&out.path().join("labels-00000-of-00001.npy"));
    assert_eq!((kind.as_str(), shape, labels), ("'<i8'", vec![5], vec![0, 0, 0, 1, 1]));
    assert_eq!(said.stdout, "");
    assert!(said.stderr.contains("listed 5 = embedded 5 + rejected 0"), "{}", said.stderr);
    let names: Vec<String> = files(out.path()).into_keys().collect();
    assert_eq!(
        names,
        [
            "features-00000-of-00001.npy",
            "labels-00000-of-00001.npy",
            "manifest.json",
            "rows-00000-of-00001.jsonl",
            "shard-00000-of-00001.json"
        ]
    );
}

#[test]
fn the_manifest_holds_the_plan_and_its_identities_can_be_computed_by_hand() {
    let (images, out) = (photographs([("cats", 2), ("dogs", 1)]), tempfile::tempdir().unwrap());
    extract(0, images.path(), out.path(), ["--interpolation", "bilinear", "--shard-size", "2"]);
    let weights = Base::open("vgg16", Some(&WEIGHTS)).unwrap().digest();
    let spec = json!({
        "architecture": "vgg16", "weights": weights.to_string(), "layer": "block5_pool", "pooling": "none",
        "image_size": [32, 32], "interpolation": "bilinear", "preprocess": "caffe", "shape": [1, 1, 512],
    });
    let canonical = format!(
        "{{\"architecture\":\"vgg16\",\"image_size\":[32,32],\"interpolation\":\"bilinear\",\"layer\":\"block5_pool\",\
         \"pooling\":\"none\",\"preprocess\":\"caffe\",\"shape\":[1,1,512],\"weights\":\"{weights}\"}}"
    );
    let listing = Digest::of(b"0\0cats/0.png\x000\0cats/1.png\x001\0dogs/0.png\0");
    assert_eq!(
        json(&out.path().join("manifest.json")),
        json!({
            "format": "convbase-features/1",
            "feature_id": Digest::of(canonical.as_bytes()).to_string(),
            "spec": spec,
            "precision": "fp32",
            "dtype": "float32",
            "classes": ["cats", "dogs"],
            "listing": {"images": 3, "sha256": listing.hex()},
            "shard_size": 2,
            "shards": 2,
        })
    );
}

#[test]
fn every_listed_photograph_has_a_line_and_the_receipt_names_every_file() {
    let (images, out) = (photographs([("cats", 1), ("dogs", 1)]), tempfile::tempdir().unwrap());
    extract(0, images.path(), out.path(), []);
    let digest = |path: &Path| Digest::of(&std::fs::read(path).unwrap()).hex();
    let line = |path: &str, label: usize, class: &str| {
        json!({
            "path": path, "label": label, "class": class, "status": "ok", "row": label, "width": 48, "height": 40,
            "sha256": digest(&images.path().join(path)),
        })
    };
    let expected = [line("cats/0.png", 0, "cats"), line("dogs/0.png", 1, "dogs")];
    assert_eq!(rows(out.path(), "00000-of-00001"), expected);

    let entry = |name: &str| {
        let path = out.path().join(name);
        json!({"name": name, "bytes": path.metadata().unwrap().len(), "sha256": digest(&path)})
    };
    let receipt = json(&out.path().join("shard-00000-of-00001.json"));
    assert_eq!(receipt["canary"]["features"].as_array().unwrap().len(), 48);
    assert_eq!(
        receipt,
        json!({
            "shard": 0, "manifest": digest(&out.path().join("manifest.json")), "images": 2, "rows": 2, "rejected": 0,
            "files": {
                "features": entry("features-00000-of-00001.npy"),
                "labels": entry("labels-00000-of-00001.npy"),
                "rows": entry("rows-00000-of-00001.jsonl"),
            },
            "canary": receipt["canary"],
        })
    );
}

#[test]
fn features_are_what_the_conv_base_gives_for_the_decoded_pixels() {
    let (images, out) = (photographs([("cats", 2), ("dogs", 2)]), tempfile::tempdir().unwrap());
    extract(0, images.path(), out.path(), ["--batch-size", "2"]);
    let manifest = convbase_core::store::Manifest::open(out.path()).unwrap();
    let folder = ImageFolder::open(images.path(), None, false).unwrap();
    let paths: Vec<_> = folder.samples().iter().map(|sample| images.path().join(&sample.path)).collect();
    let spec = manifest.spec();
    let batch = convbase_images::decode_batch(
        &paths,
        &convbase_images::Decoder::new(spec.image_size, spec.interpolation),
    );
    let base = Base::open("vgg16", Some(&WEIGHTS)).unwrap();
    let base = ConvBase::new(&base, spec, manifest.precision(), Device::Cpu).unwrap();
    let expected = base.features(&batch.pixels, 4).unwrap();
    let found = features(out.path());
    assert_close(&found, &expected);
    let (first, second) = (&found[..512], &found[512..1024]);
    assert_ne!(first, second, "two photographs have the same features");
}

#[test]
fn two_runs_write_equal_bytes() {
    let images = photographs([("cats", 3), ("dogs", 2)]);
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for out in [&first, &second] {
        extract(0, images.path(), out.path(), ["--shard-size", "2"]);
    }
    assert_eq!(files(first.path()).len(), 1 + 3 * 4);
    assert!(files(first.path()) == files(second.path()), "two runs differ");
}

#[test]
fn neither_the_place_of_the_images_nor_other_files_beside_them_change_a_byte() {
    let (first, second) = (photographs([("a", 2)]), photographs([("a", 2)]));
    for name in ["a/notes.txt", "a/.hidden.png", ".cache/x.png", "stray.png"] {
        write_artifact(&second.path().join(name), b"no photograph of a class").unwrap();
    }
    let [one, two] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    extract(0, first.path(), one.path(), []);
    let said = extract(0, second.path(), two.path(), []);
    assert!(files(one.path()) == files(two.path()), "the stores differ");
    for part in ["1 photographs beside the class folders", "1 files without an image suffix"] {
        assert!(said.stderr.contains(part), "{part} is not in {}", said.stderr);
    }
}

#[test]
fn shards_of_three_hold_the_rows_of_one_large_shard() {
    let images = photographs([("cats", 5), ("dogs", 3)]);
    let [small, large] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    extract(0, images.path(), small.path(), ["--shard-size", "3"]);
    extract(0, images.path(), large.path(), []);
    let (mut numbers, mut labels, mut lines, mut lengths) = (vec![], vec![], vec![], vec![]);
    for shard in ["00000-of-00003", "00001-of-00003", "00002-of-00003"] {
        let features = array::<f32>(&small.path().join(format!("features-{shard}.npy")));
        lengths.push(features.1[0]);
        numbers.extend(features.2);
        labels.extend(array::<i64>(&small.path().join(format!("labels-{shard}.npy"))).2);
        lines.extend(rows(small.path(), shard));
    }
    assert_eq!(lengths, [3, 3, 2]);
    assert_eq!(labels, [0, 0, 0, 0, 0, 1, 1, 1]);
    assert_close(&numbers, &features(large.path()));
    let in_shard: Vec<_> = lines.iter().map(|line| line["row"].as_u64().unwrap()).collect();
    assert_eq!(in_shard, [0, 1, 2, 0, 1, 2, 0, 1]);
    let paths =
        |lines: &[serde_json::Value]| lines.iter().map(|line| line["path"].clone()).collect::<Vec<_>>();
    assert_eq!(paths(&lines), paths(&rows(large.path(), "00000-of-00001")));
}

#[test]
fn every_suffix_in_any_case_and_any_depth_is_a_photograph() {
    let (images, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let formats = [
        ("a.JPG", ImageFormat::Jpeg),
        ("b.jpeg", ImageFormat::Jpeg),
        ("c.PNG", ImageFormat::Png),
        ("d.bmp", ImageFormat::Bmp),
        ("deep/er/e.Gif", ImageFormat::Gif),
        ("f.webp", ImageFormat::WebP),
        ("g.tif", ImageFormat::Tiff),
        ("h.TIFF", ImageFormat::Tiff),
    ];
    for (number, (name, format)) in (0..).zip(formats) {
        write_artifact(&images.path().join("all").join(name), &photograph(number, format)).unwrap();
    }
    extract(0, images.path(), out.path(), ["--strict"]);
    let lines = rows(out.path(), "00000-of-00001");
    assert_eq!(lines.len(), 8);
    assert!(lines.iter().all(|line| line["status"] == "ok" && line["width"] == 48), "{lines:?}");
    assert_eq!(lines[4]["path"], "all/deep/er/e.Gif");
}

#[test]
fn given_classes_fix_labels_and_leave_other_folders_out() {
    let (images, out) = (photographs([("birds", 1), ("cats", 2), ("dogs", 1)]), tempfile::tempdir().unwrap());
    let said =
        extract(0, images.path(), out.path(), ["--classes", "dogs,horses,cats", "--allow-empty-class"]);
    assert_eq!(json(&out.path().join("manifest.json"))["classes"], json!(["dogs", "horses", "cats"]));
    let labels = array::<i64>(&out.path().join("labels-00000-of-00001.npy")).2;
    assert_eq!(labels, [2, 2, 0], "rows stay in the order of their paths");
    assert!(said.stderr.contains("folder `birds` is not among the classes"), "{}", said.stderr);
    assert!(said.stderr.contains("class horses (no such folder) has no photographs here"), "{}", said.stderr);
    let store = convbase_core::store::FeatureStore::open(out.path()).unwrap();
    let expected = Classes::new(vec!["dogs".into(), "horses".into(), "cats".into()]).unwrap();
    assert_eq!(store.manifest().classes(), &expected);
}
