//! Photographs in, probabilities out: the same numbers as through a store.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use clap::Parser;
use convbase_bases::{architecture, write_untrained};
use convbase_core::store::Manifest;
use convbase_core::{Digest, FeatureSpec, Precision, Preprocess, write_artifact};
use convbase_nn::{Base, Device};
use serde_json::Value;
use tempfile::TempDir;

use super::support::*;

mod forms;
mod lists;
mod sorting;
mod tiny;

/// A VGG16 that was never trained, made once; it lies in the build folder, so that nothing is left elsewhere.
static WEIGHTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("evaluator-cli/untrained.safetensors");
    write_untrained(&path, architecture("vgg16").unwrap(), 7, Preprocess::Caffe).unwrap();
    path
});

const CLASSES: [&str; 3] = ["birds", "cats", "dogs"];

/// Photographs and what predicts them.
pub struct Bench {
    pub images: TempDir,
    pub folder: TempDir,
    pub store: PathBuf,
    pub head: PathBuf,
}

impl Bench {
    /// Three photographs of each class, their features and a head.
    pub fn new() -> Self {
        let (images, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write_photographs(images.path(), &CLASSES, 9);
        let store = folder.path().join("store");
        let mut arguments =
            words(["extractor", "extract", "--image-size", "32", "--precision", "fp32", "--images"]);
        arguments.extend([images.path().into(), "--out".into(), store.clone().into()]);
        arguments.extend(["--weights".into(), WEIGHTS.clone().into()]);
        arguments.extend(words(["--interpolation", "bilinear", "--device", "cpu"]));
        extractor::run(extractor::Arguments::parse_from(arguments)).unwrap();
        let spec = Manifest::open(&store).unwrap().spec().clone();
        let head = checkpoint(folder.path(), &spec, &CLASSES, 16);
        Self { images, folder, store, head }
    }

    fn spec(&self) -> FeatureSpec {
        Manifest::open(&self.store).unwrap().spec().clone()
    }

    fn predict(&self, code: i32, more: &[&str], images: &[PathBuf]) -> Said {
        let mut arguments: Vec<OsString> = words(["predict", "--device", "cpu", "--checkpoint"]);
        arguments.push(self.head.clone().into());
        if !more.contains(&"--weights") {
            arguments.extend(["--weights".into(), WEIGHTS.clone().into()]);
        }
        arguments.extend(more.iter().map(Into::into));
        arguments.extend(images.iter().map(Into::into));
        evaluator(code, &arguments)
    }

    pub fn weights() -> &'static Path {
        &WEIGHTS
    }

    pub fn image(&self, name: &str) -> PathBuf {
        self.images.path().join(name)
    }
}

#[test]
fn photographs_have_the_probabilities_that_their_features_have() {
    let bench = Bench::new();
    let report = bench.folder.path().join("report");
    evaluate(0, &bench.store, &bench.head, &report);
    let predictions = predictions(&report);
    let said = bench.predict(0, &["--batch-size", "4"], &[bench.images.path().to_owned()]);
    let mut lines = said.stdout.lines();
    assert_eq!(lines.next().unwrap(), "path,prediction,prob_birds,prob_cats,prob_dogs,error");
    let lines: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!((lines.len(), predictions.rows().len()), (9, 9));
    for (line, row) in lines.iter().zip(predictions.rows()) {
        assert_eq!(Path::new(line[0]), bench.image(row.path));
        assert_eq!((line[1], line[5]), (row.prediction, ""));
        for (found, expected) in line[2..5].iter().zip(row.probabilities) {
            assert_near(found.parse().unwrap(), *expected, 1e-5);
        }
    }
    assert!(said.stderr.contains("9 photographs predicted, 0 unreadable"), "{}", said.stderr);
}

#[test]
fn files_are_predicted_in_the_order_they_are_given_and_folders_in_sorted_order() {
    let bench = Bench::new();
    let given = ["dogs/8.png", "birds", "cats/1.png", "cats/1.png"].map(|name| bench.image(name));
    let said = bench.predict(0, &["--format", "json", "-q"], &given);
    assert_eq!(said.stderr, "");
    let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = ["dogs/8.png", "birds/0.png", "birds/3.png", "birds/6.png", "cats/1.png", "cats/1.png"];
    let paths: Vec<PathBuf> = lines.iter().map(|line| line["path"].as_str().unwrap().into()).collect();
    assert_eq!(paths, expected.map(|name| bench.image(name)));
    for line in &lines {
        let mut keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        keys.sort_unstable();
        assert_eq!(keys, ["path", "prediction", "probabilities"]);
        let number = |class: &str| line["probabilities"][class].as_f64().unwrap();
        assert_near(CLASSES.map(number).iter().sum(), 1.0, 1e-12);
        let most = CLASSES.into_iter().max_by(|a, b| number(a).total_cmp(&number(b))).unwrap();
        assert_eq!(line["prediction"], most);
    }
    assert_eq!(lines[4], lines[5]);
    assert_ne!(lines[0]["probabilities"], lines[1]["probabilities"]);
}

#[test]
fn an_unreadable_file_has_a_line_with_its_error_and_ends_with_exit_code_1() {
    let bench = Bench::new();
    write_artifact(&bench.image("cats/broken.jpg"), b"a text").unwrap();
    write_artifact(&bench.image("cats/empty.png"), b"").unwrap();
    let given = ["cats/1.png", "cats/broken.jpg", "cats/empty.png", "cats/missing.png", "cats/4.png"]
        .map(|name| bench.image(name));
    let said = bench.predict(1, &["--format", "json"], &given);
    let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let errors: Vec<Option<&str>> = lines.iter().map(|line| line["error"].as_str()).collect();
    assert!(errors[1].unwrap().ends_with("found bytes 61 20 74 65 78 74"), "{errors:?}");
    assert_eq!(errors[2], Some("expected an image, found an empty file"));
    assert!(errors[3].unwrap().starts_with("cannot read the file: No such file"), "{errors:?}");
    assert_eq!((errors[0], errors[4]), (None, None));
    assert!(said.stderr.contains("2 photographs predicted, 3 unreadable"), "{}", said.stderr);

    // Neither they nor their place change what the others get.
    let alone = bench.predict(0, &["--format", "json", "-q"], &[given[4].clone()]);
    let alone: Value = serde_json::from_str(&alone.stdout).unwrap();
    for class in CLASSES {
        let number = |line: &Value| line["probabilities"][class].as_f64().unwrap();
        assert_near(number(&lines[4]), number(&alone), 1e-5);
    }
    let said = bench.predict(1, &["-q"], &given[1..3]);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    let expected = format!("{},,,,,\"expected an image (JPEG, PNG, BMP", given[1].display());
    assert!(lines[1].starts_with(&expected), "{}", lines[1]);
    assert!(lines[2].ends_with(",,,,,\"expected an image, found an empty file\""), "{}", lines[2]);
}

#[test]
fn weights_that_the_features_were_not_made_with_are_refused() {
    let bench = Bench::new();
    let mut spec = bench.spec();
    let own = spec.weights;
    spec.weights = Digest::of(b"other weights");
    checkpoint(bench.folder.path(), &spec, &CLASSES, 16);
    let said = bench.predict(1, &[], &[bench.image("cats/1.png")]);
    let expected = format!(
        "cannot use checkpoint `{}` with weights `{}`: weights: expected {}, found {own}",
        bench.head.display(),
        WEIGHTS.display(),
        spec.weights
    );
    assert_eq!(error_of(&said), expected);
    assert!(said.stderr.contains("\nhint: give the weights that the features were extracted with"));
}

#[test]
fn missing_weights_and_empty_folders_are_named() {
    let bench = Bench::new();
    let said = bench.predict(1, &["--weights", "no/such.safetensors"], &[bench.image("cats/1.png")]);
    assert!(error_of(&said).starts_with("cannot read weights `no/such.safetensors`: "));
    assert!(
        said.stderr.contains("`scripts/weights vgg16` makes weights/vgg16.safetensors"),
        "{}",
        said.stderr
    );

    let empty = tempfile::tempdir().unwrap();
    let said = bench.predict(1, &["-qq"], &[empty.path().to_owned()]);
    let expected = format!("`{}`: expected photographs, found none", empty.path().display());
    assert_eq!(error_of(&said), expected);
    let said = bench.predict(0, &["-q"], &[empty.path().to_owned(), bench.image("cats/1.png")]);
    assert_eq!(said.stdout.lines().count(), 2);
    assert!(said.stderr.contains(&expected), "{}", said.stderr);
}

#[test]
fn shorter_numbers_give_nearly_the_same_probabilities() {
    let bench = Bench::new();
    let probabilities = |precision: &str| -> Vec<f64> {
        let options = ["-q", "--format", "json", "--precision", precision];
        let said = bench.predict(0, &options, &[bench.images.path().to_owned()]);
        let lines = said.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.flat_map(|line| CLASSES.map(|class| line["probabilities"][class].as_f64().unwrap())).collect()
    };
    let exact = probabilities("fp32");
    let base = Base::open("vgg16", Some(&WEIGHTS)).unwrap();
    let multiplies_int8 = base.check(Precision::Int8, Device::Cpu).is_ok();
    for precision in ["bf16", "int8"] {
        if precision == "int8" && !multiplies_int8 {
            println!("skipped: int8 needs a processor with AVX2");
            continue;
        }
        let short = probabilities(precision);
        assert_ne!(exact, short, "{precision}");
        for (found, expected) in short.iter().zip(&exact) {
            assert_near(*found, *expected, 0.05);
        }
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_or_has_no_name_in_text_gets_a_line_with_its_error_and_nothing_is_opened() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    let pipe = bench.image("cats/live.jpg");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let name = |bytes: &[u8]| bench.image("cats").join(std::ffi::OsStr::from_bytes(bytes));
    let lines_of = |images: &[PathBuf]| -> Vec<Value> {
        let said = bench.predict(1, &["--format", "json"], images);
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let lines = lines_of(&[pipe.clone(), "/dev/zero".into()]);
    assert_eq!(lines[0]["error"], "expected a file, found a pipe");
    assert_eq!(lines[1]["error"], "expected a file, found a device");
    if write_artifact(&name(b"b\xff.jpg"), b"x").is_err() {
        println!("skipped: the file system takes UTF-8 names alone");
        return;
    }
    write_artifact(&name(b"b\xfe.jpg"), b"x").unwrap();
    let lines = lines_of(&[bench.image("cats"), name(b"b\xff.jpg")]);
    let errors: Vec<_> = lines.iter().filter(|line| line["error"].is_string()).collect();
    let paths: Vec<&str> = errors.iter().map(|line| line["path"].as_str().unwrap()).collect();
    let of = |name: &str| format!("{}/{name}", bench.image("cats").display());
    assert_eq!(paths, [of("live.jpg"), of(r"b\xfe.jpg"), of(r"b\xff.jpg"), of(r"b\xff.jpg")]);
    assert!(errors[1..].iter().all(|line| line["error"] == "expected a name in UTF-8: rename the file"));
    assert_eq!(lines.len(), 7);
}

#[test]
fn a_photograph_that_may_be_damaged_is_predicted_and_said_and_its_name_cannot_forge_a_line() {
    let bench = Bench::new();
    let image = image::RgbImage::from_fn(50, 40, |x, y| image::Rgb([(x * 5) as u8, (y * 6) as u8, 9]));
    let mut jpeg = std::io::Cursor::new(Vec::new());
    image.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let padded = bench.image("cats/x\n\u{1b}[2J.jpg");
    write_artifact(&padded, &[&jpeg[..jpeg.len() - 2], &[0; 5], &[0xFF, 0xD9]].concat()).unwrap();
    let said = bench.predict(0, &[], &[padded]);
    assert!(
        said.stderr.contains("x\\n\\u{1b}[2J.jpg` may be damaged: 5 bytes of the JPEG's scans"),
        "{}",
        said.stderr
    );
    assert!(!said.stderr.contains('\u{1b}'), "{}", said.stderr);
}
