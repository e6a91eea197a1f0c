//! Errors, exit codes, logs and help.

use std::collections::BTreeSet;
use std::ffi::OsString;

use convbase_core::write_artifact;

use super::support::*;

#[test]
fn missing_weights_are_named_with_a_hint_before_anything_is_written() {
    let (images, out) = (photographs([("a", 1)]), tempfile::tempdir().unwrap());
    let store = out.path().join("store");
    let said = extract(1, images.path(), &store, ["--weights", "no/such.safetensors"]);
    let [error, hint] = said.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", said.stderr) };
    assert!(error.starts_with("extractor: cannot read weights `no/such.safetensors`: "), "{error}");
    assert!(hint.starts_with("hint: `scripts/weights vgg16` makes the file"), "{hint}");
    assert!(!store.exists());
}

#[test]
fn a_file_that_holds_no_vgg16_is_named_on_one_line() {
    let (images, out) = (photographs([("a", 1)]), tempfile::tempdir().unwrap());
    let path = out.path().join("weights.safetensors");
    for (bytes, part) in [
        (&b"no tensors"[..], "expected a safetensors file: "),
        (
            b"\x02\0\0\0\0\0\0\0{}",
            "block1_conv1/kernel: expected [3, 3, 3, 64], found none; block1_conv1/bias: ",
        ),
    ] {
        write_artifact(&path, bytes).unwrap();
        let said =
            extract(1, images.path(), &out.path().join("store"), ["--weights", path.to_str().unwrap()]);
        let [error, hint] = said.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", said.stderr) };
        assert!(error.starts_with(&format!("extractor: weights `{}`: {part}", path.display())), "{error}");
        assert!(hint.starts_with("hint: "), "{hint}");
    }
}

#[test]
fn a_device_that_is_not_there_is_no_reason_to_use_another() {
    let (images, out) = (photographs([("a", 1)]), tempfile::tempdir().unwrap());
    let store = out.path().join("store");
    let said = extract(1, images.path(), &store, ["--device", "cuda:99"]);
    assert!(said.stderr.starts_with("extractor: device: expected "), "{}", said.stderr);
    assert!(!store.exists());
}

#[test]
fn folders_without_classes_or_photographs_are_refused() {
    let [images, out] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let store = out.path().join("store");
    let error = |part: &str| {
        let said = extract(1, images.path(), &store, []);
        assert!(said.stderr.contains(part), "{}", said.stderr);
        let [_, hint] = said.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", said.stderr) };
        assert!(hint.starts_with("hint: "), "{hint}");
    };
    error("expected one folder per class, found none");
    write_artifact(&images.path().join("cats/notes.txt"), b"").unwrap();
    error("under cats (.txt 1), found none");
    let said = extract(1, &images.path().join("nowhere"), &store, []);
    assert!(said.stderr.starts_with("extractor: cannot list `"), "{}", said.stderr);
    let said = extract(1, images.path(), &store, ["--classes", "a,b,a"]);
    assert!(said.stderr.contains("classes: expected each name once, found `a` twice"), "{}", said.stderr);
}

#[test]
fn words_that_make_no_sense_are_usage_errors_that_name_the_option() {
    let cases = [
        ("--image-size", "0", "found `0`"),
        ("--image-size", "64x", "found `64x`"),
        ("--pooling", "mean", "expected one of none, avg, max, found `mean`"),
        ("--preprocess", "keras", "caffe, torch, tf, mean=R,G,B/std=R,G,B, found `keras`"),
        ("--precision", "fp16", "expected one of fp32, bf16, int8, found `fp16`"),
        ("--interpolation", "cubic", "expected one of nearest, bilinear, bicubic, lanczos, found `cubic`"),
        ("--dtype", "float64", "expected one of float32, float16, found `float64`"),
        ("--device", "gpu", "found `gpu`"),
        ("--max-rejected", "2", "expected a share from 0 to 1"),
        ("--max-rejected", "nan", "expected a share from 0 to 1"),
        ("--batch-size", "0", "0 is not in 1..=4096"),
        ("--threads", "0", "0 is not in 1..=4096"),
        ("--decode-threads", "0", "0 is not in 1..=4096"),
        ("--shard-size", "0", "0 is not in 1.."),
    ];
    for (option, value, part) in cases {
        let said = extractor(2, &words(["extract", "--images", "a", "--out", "b", option, value]));
        assert!(
            said.stderr.contains(option) && said.stderr.contains(part),
            "{option} {value}: {}",
            said.stderr
        );
    }
    for arguments in [vec![], words(["extract", "--images", "a"]), words(["verify"]), words(["fit"])] {
        extractor(2, &arguments);
    }
}

#[test]
fn a_base_a_layer_or_a_size_that_is_not_there_is_refused_with_what_is() {
    let (images, out) = (photographs([("a", 1)]), tempfile::tempdir().unwrap());
    let store = out.path().join("store");
    for (option, value, part) in [
        ("--layer", "block5_pol", "block5_conv3, block5_pool, found `block5_pol`"),
        ("--image-size", "31", "expected at least 32x32 for layer `block5_pool`, found 31x31"),
        ("--base", "vgg11", "base: expected one of vgg16, vgg19, resnet50, "),
        ("--base", "no/such.onnx", "no/such.onnx"),
    ] {
        let said = extract(1, images.path(), &store, [option, value]);
        let error = said.stderr.lines().find(|line| line.starts_with("extractor: ")).unwrap();
        assert!(error.contains(part), "{option} {value}: {error}");
        assert!(!store.exists(), "{option} {value}");
    }
}

#[test]
fn help_names_every_option_that_there_is_and_none_that_there_is_not() {
    let general = ["--help", "--log-format", "--quiet", "--verbose"];
    let of_extract = [
        "--allow-empty-class",
        "--augment",
        "--augment-fill",
        "--augment-interpolation",
        "--augment-seed",
        "--base",
        "--batch-size",
        "--classes",
        "--decode-threads",
        "--device",
        "--dtype",
        "--exclude",
        "--exif-orientation",
        "--image-size",
        "--images",
        "--interpolation",
        "--layer",
        "--max-pixels",
        "--max-rejected",
        "--out",
        "--overwrite",
        "--pooling",
        "--precision",
        "--preprocess",
        "--retry-rejected",
        "--shard-size",
        "--strict",
        "--task-count",
        "--task-index",
        "--threads",
        "--views",
        "--weights",
    ];
    for (command, options) in [
        (None, &["--version"][..]),
        (Some("extract"), &of_extract),
        (
            Some("import"),
            &[
                "--classes",
                "--dtype",
                "--features",
                "--labels",
                "--out",
                "--overwrite",
                "--precision",
                "--shard-size",
                "--spec",
            ],
        ),
        (
            Some("check"),
            &["--allow-empty-class", "--classes", "--decode", "--exclude", "--json", "--max-pixels"],
        ),
        (Some("verify"), &["--task-count"]),
        (Some("inspect"), &["--json"]),
    ] {
        let arguments: Vec<OsString> = command.into_iter().chain(["--help"]).map(OsString::from).collect();
        let help = extractor(0, &arguments).stdout;
        // An option begins its line; others are only spoken of.
        let begins = help.lines().filter_map(|line| {
            let line = line.trim_start();
            let long =
                line.strip_prefix("-").filter(|rest| !rest.starts_with('-')).and_then(|rest| rest.get(3..));
            let name = long.unwrap_or(line).split([' ', '.', '=']).next()?;
            name.starts_with("--").then_some(name)
        });
        let found: BTreeSet<&str> = begins.collect();
        let expected: BTreeSet<&str> = general.iter().chain(options).copied().collect();
        assert_eq!(found, expected, "{command:?}: {help}");
    }
}

#[test]
fn json_logs_are_one_object_per_line_with_the_counts_as_numbers() {
    let (images, out) = (photographs([("a", 10)]), tempfile::tempdir().unwrap());
    write_artifact(&images.path().join("a/x.png"), b"").unwrap();
    let said = extract(0, images.path(), out.path(), ["--log-format", "json", "--max-rejected", "0.5"]);
    let lines = json_lines(&said.stderr);
    let rejected = lines.iter().find(|line| line["level"] == "WARN").unwrap();
    assert_eq!(rejected["path"], "a/x.png");
    let last = lines.last().unwrap();
    assert_eq!(["listed", "embedded", "rejected"].map(|name| last[name].as_u64().unwrap()), [11, 10, 1]);
    let time =
        lines.iter().find(|line| line["images_per_second"].is_f64() && line["total"].is_null()).unwrap();
    assert_eq!(time["done"], 11);
    let shares = ["decoding", "computing", "writing"].map(|name| time[name].as_f64().unwrap());
    assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{shares:?}");
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{shares:?}");
}

#[test]
fn a_failure_is_a_json_object_too_where_messages_are() {
    let out = tempfile::tempdir().unwrap();
    let said = extract(1, std::path::Path::new("no/such/folder"), out.path(), ["--log-format", "json"]);
    let lines = json_lines(&said.stderr);
    let last = lines.last().unwrap();
    assert_eq!((&last["level"], &last["program"]), (&"ERROR".into(), &"extractor".into()));
    assert!(last["message"].as_str().unwrap().starts_with("cannot list `no/such/folder`"), "{last}");
}

#[test]
fn quiet_says_only_what_is_wrong() {
    let (images, out) = (photographs([("a", 9)]), tempfile::tempdir().unwrap());
    let said = extract(0, images.path(), out.path(), ["-q"]);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", ""));
    write_artifact(&images.path().join("a/x.png"), b"").unwrap();
    let said = extract(0, images.path(), out.path(), ["-q", "--overwrite", "--max-rejected", "0.5"]);
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
    assert!(
        said.stderr.contains("rejected `a/x.png`: expected an image, found an empty file"),
        "{}",
        said.stderr
    );
}

#[test]
fn the_frozen_base_is_shown_as_a_table_of_layers() {
    let (images, out) = (photographs([("a", 1)]), tempfile::tempdir().unwrap());
    let said = extract(0, images.path(), out.path(), ["--layer", "block1_pool"]);
    for part in ["block1_conv1", "1,792", "block1_conv2", "36,928", "block1_pool"] {
        assert!(said.stderr.contains(part), "{part} is not in {}", said.stderr);
    }
    assert!(!said.stderr.contains("block2"), "{}", said.stderr);
}
