//! Photographs to report, in process through the three libraries.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use clap::Parser;
use convbase_bases::{architecture, write_untrained};
use convbase_core::exit::Outcome;
use convbase_core::store::{FeatureStore, verify};
use convbase_core::{History, Preprocess, write_artifact};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;

/// A VGG16 that was never trained, made once; it lies in the build folder, so that nothing is left elsewhere.
static WEIGHTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pipeline/untrained.safetensors");
    write_untrained(&path, architecture("vgg16").unwrap(), 7, Preprocess::Rescale).unwrap();
    path
});

/// libtorch has one generator of random numbers for the whole process: one training at a time.
static TRAINING: Mutex<()> = Mutex::new(());

/// Photographs whose colour tells their class: red, green, blue.
fn write_photographs(folder: &Path, classes: &[&str], count: u32) {
    for (channel, class) in classes.iter().enumerate() {
        for number in 0..count {
            let image = RgbImage::from_fn(40, 36, |x, y| {
                let mut pixel = [((x * 7 + y * 3 + number * 37) % 60) as u8; 3];
                pixel[channel] += 150;
                Rgb(pixel)
            });
            let mut bytes = Cursor::new(Vec::new());
            image.write_to(&mut bytes, ImageFormat::Png).unwrap();
            write_artifact(&folder.join(class).join(format!("{number:02}.png")), &bytes.into_inner())
                .unwrap();
        }
    }
}

fn words(words: &[&dyn AsRef<std::ffi::OsStr>]) -> Vec<OsString> {
    words.iter().map(|word| word.as_ref().to_owned()).collect()
}

/// Images in `root/images` to features, run and report in `root/<name>`.
fn pipeline(root: &Path, name: &str) {
    let _guard = TRAINING.lock().unwrap_or_else(PoisonError::into_inner);
    let out = root.join(name);
    for split in ["train", "test"] {
        let (images, store) = (root.join("images").join(split), out.join(split));
        let arguments = words(&[
            &"extractor",
            &"extract",
            &"--images",
            &images,
            &"--out",
            &store,
            &"--weights",
            &*WEIGHTS,
        ]);
        let more = [
            "--image-size",
            "32",
            "--precision",
            "fp32",
            "--device",
            "cpu",
            "--shard-size",
            "7",
            "--max-rejected",
            "0.2",
        ];
        let arguments = arguments.into_iter().chain(more.map(OsString::from));
        assert_eq!(extractor::run(extractor::Arguments::parse_from(arguments)).unwrap(), Outcome::Done);
    }
    let (train, test, run) = (out.join("train"), out.join("test"), out.join("run"));
    let arguments = words(&[&"trainer", &"fit", &"--features", &train, &"--out", &run, &"--epochs", &"40"]);
    let more = [
        "--hidden",
        "0",
        "--dropout",
        "0",
        "--optimizer",
        "adam",
        "--learning-rate",
        "0.02",
        "--batch-size",
        "8",
    ];
    let arguments = arguments.into_iter().chain(more.map(OsString::from));
    assert_eq!(trainer::run(trainer::Arguments::parse_from(arguments)).unwrap(), Outcome::Done);
    let (head, report) = (run.join("best.safetensors"), run.join("test"));
    let arguments = words(&[
        &"evaluator",
        &"evaluate",
        &"--features",
        &test,
        &"--checkpoint",
        &head,
        &"--out",
        &report,
        &"--device",
        &"cpu",
    ]);
    assert_eq!(evaluator::run(evaluator::Arguments::parse_from(arguments)).unwrap(), Outcome::Done);
}

/// Every file below a folder with its bytes.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in std::fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn metrics(root: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(root.join("run/test/metrics.json")).unwrap()).unwrap()
}

#[test]
fn two_classes_are_learned_from_photographs_and_a_second_run_is_the_same() {
    let root = tempfile::tempdir().unwrap();
    write_photographs(&root.path().join("images/train"), &["cats", "dogs"], 10);
    write_photographs(&root.path().join("images/test"), &["cats", "dogs"], 6);
    write_artifact(&root.path().join("images/test/cats/03a.png"), b"no photograph").unwrap();
    pipeline(root.path(), "a");
    let out = root.path().join("a");
    for split in ["train", "test"] {
        assert_eq!(verify(&out.join(split)).findings, []);
    }
    let test = FeatureStore::open(&out.join("test")).unwrap();
    assert_eq!((test.rows(), test.rejected()), (12, 1));
    let history = History::from_csv(&std::fs::read_to_string(out.join("run/history.csv")).unwrap()).unwrap();
    assert_eq!(history.len(), 40);
    assert!(history.best().unwrap().val_loss < history.records()[0].val_loss);
    let metrics = metrics(&out);
    assert_eq!((&metrics["test_accuracy"], &metrics["roc_auc"]), (&1.0.into(), &1.0.into()));
    assert_eq!((&metrics["num_samples"], &metrics["num_rejected"]), (&12.into(), &1.into()));
    assert_eq!(metrics["checkpoint"]["epoch"], history.best().unwrap().epoch);
    assert_eq!(metrics["feature_id"], test.manifest().feature_id().to_string());

    pipeline(root.path(), "b");
    let (first, second) = (tree(&out), tree(&root.path().join("b")));
    assert_eq!(first.len(), (1 + 3 * 4) + (1 + 2 * 4) + 6 + 8);
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (path, bytes) in &first {
        assert!(*bytes == second[path], "`{}` differs", path.display());
    }
}

#[test]
fn three_classes_are_learned_where_one_split_lacks_a_class() {
    let root = tempfile::tempdir().unwrap();
    let classes = ["apples", "leaves", "skies"];
    write_photographs(&root.path().join("images/train"), &classes, 10);
    write_photographs(&root.path().join("images/test"), &classes, 4);
    std::fs::remove_dir_all(root.path().join("images/test/leaves")).unwrap();
    pipeline(root.path(), "a");
    let metrics = metrics(&root.path().join("a"));
    assert_eq!(metrics["test_accuracy"], 1.0);
    assert_eq!(metrics["classes"], serde_json::json!(classes));
    assert_eq!(metrics["confusion_matrix"], serde_json::json!([[4, 0, 0], [0, 0, 0], [0, 0, 4]]));
}
