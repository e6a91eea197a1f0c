//! Base and head as one file: what is refused, and what is written.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use convbase_bases::{Choices, architecture};
use convbase_core::{Digest, FeatureSpec, ImageSize, Interpolation, Pooling, Preprocess};
use convbase_nn::{Base, OnnxModel};

use super::support::*;
use super::views::TINY;

const CLASSES: [&str; 2] = ["cats", "dogs"];

fn spec() -> FeatureSpec {
    let choices = Choices {
        layer: "block3_pool".to_owned(),
        pooling: Pooling::None,
        image_size: ImageSize::new(32, 40).unwrap(),
        interpolation: Interpolation::Bilinear,
        preprocess: Preprocess::Torch,
    };
    let weights = Base::open("tiny", Some(&TINY)).unwrap().digest();
    architecture("tiny").unwrap().spec(weights, choices).unwrap()
}

fn export(code: i32, head: &Path, out: &Path, more: &[&Path]) -> Said {
    let mut arguments: Vec<OsString> = words(["export", "--format", "onnx"]);
    arguments.extend(["--checkpoint".into(), head.into(), "--out".into(), out.into()]);
    arguments.extend(more.iter().map(|word| word.as_os_str().to_owned()));
    evaluator(code, &arguments)
}

fn with_weights<'a>() -> [&'a Path; 2] {
    [Path::new("--weights"), &TINY]
}

/// What a folder holds, temporary files too.
fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

#[test]
fn equal_checkpoints_make_equal_files_and_the_log_says_what_goes_in_and_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let head = checkpoint(folder.path(), &spec(), &CLASSES, 6);
    let [first, second] = ["a.onnx", "deeper/b.ONNX"].map(|name| folder.path().join(name));
    let said = export(0, &head, &first, &with_weights());
    assert_eq!(said.stdout, "");
    let expected = "MB, pixels uint8 [n, 32, 40, 3] to probabilities [n, 2] of cats, dogs";
    assert!(said.stderr.contains(expected), "{}", said.stderr);
    let said = export(0, &head, &second, &[&with_weights()[..], &[Path::new("-q")]].concat());
    assert_eq!(said.stderr, "");
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    assert_eq!(names(folder.path().join("deeper").as_path()), ["b.ONNX"]);
    // A file that is there is replaced.
    checkpoint(folder.path(), &spec(), &CLASSES, 7);
    export(0, &head, &second, &with_weights());
    assert_ne!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
}

#[test]
fn an_exported_file_is_no_base_for_it_takes_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let head = checkpoint(folder.path(), &spec(), &CLASSES, 6);
    let out = folder.path().join("model.onnx");
    export(0, &head, &out, &with_weights());
    let error = OnnxModel::open(&out).unwrap_err().to_string();
    assert!(error.ends_with("found `pixels` uint8 [n, 32, 40, 3]"), "{error}");
}

#[test]
fn weights_that_the_features_were_not_made_with_are_refused_as_in_predict() {
    let folder = tempfile::tempdir().unwrap();
    let other = FeatureSpec { weights: Digest::of(b"other weights"), ..spec() };
    let head = checkpoint(folder.path(), &other, &CLASSES, 6);
    let out = folder.path().join("model.onnx");
    let said = export(1, &head, &out, &with_weights());
    let mut arguments = words(["predict", "--device", "cpu", "--checkpoint"]);
    arguments.extend([head.clone().into(), "--weights".into(), TINY.clone().into(), "a.jpg".into()]);
    assert_eq!(said.stderr, evaluator(1, &arguments).stderr);
    assert!(error_of(&said).contains("weights: expected "), "{}", said.stderr);
    assert_eq!(names(folder.path()), ["head.safetensors"]);

    let missing = export(1, &head, &out, &[Path::new("--weights"), Path::new("no/such")]);
    assert!(error_of(&missing).starts_with("cannot read weights `no/such`: "), "{}", missing.stderr);
}

#[test]
fn an_onnx_base_is_refused_with_what_to_do_whether_its_file_is_given_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let onnx = FeatureSpec { architecture: "onnx".to_owned(), ..spec() };
    let head = checkpoint(folder.path(), &onnx, &CLASSES, 6);
    let out = folder.path().join("model.onnx");
    for more in [&[][..], &[Path::new("--weights"), Path::new("no/such.onnx")]] {
        let said = export(1, &head, &out, more);
        let expected = format!(
            "cannot export checkpoint `{}`: base: expected one of the catalogue, found the ONNX file that the \
             checkpoint's features were made with",
            head.display()
        );
        assert_eq!(error_of(&said), expected);
        assert!(said.stderr.contains("\nhint: `evaluator predict --weights FILE.onnx` uses it"));
        assert_eq!(names(folder.path()), ["head.safetensors"]);
    }
}

#[test]
fn a_checkpoint_is_never_taken_for_the_file_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let head = checkpoint(folder.path(), &spec(), &CLASSES, 6);
    let before = std::fs::read(&head).unwrap();
    let said = export(1, &head, &head, &with_weights());
    assert_eq!(error_of(&said), format!("`{}`: expected a name that ends in .onnx", head.display()));
    assert_eq!(std::fs::read(&head).unwrap(), before);
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    convbase_core::write_artifact(&file, b"").unwrap();
    let out: PathBuf = file.join("model.onnx");
    let said = export(1, Path::new("no/such"), &out, &[]);
    assert!(error_of(&said).starts_with(&format!("cannot write `{}`: ", out.display())), "{}", said.stderr);
}

#[test]
fn words_of_export_are_checked_and_explained() {
    for case in [
        &["export", "--out", "b.onnx"][..],
        &["export", "--checkpoint", "a"],
        &["export", "--checkpoint", "a", "--out", "b.onnx", "--format", "keras"],
    ] {
        let arguments: Vec<OsString> = case.iter().map(Into::into).collect();
        assert!(evaluator(2, &arguments).stderr.contains("--help"), "{case:?}");
    }
    let help = evaluator(0, &words(["export", "--help"])).stdout;
    for option in ["--checkpoint", "--weights", "--format", "--out"] {
        assert!(help.contains(option), "{option}: {help}");
    }
}
