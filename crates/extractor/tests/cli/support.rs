//! Weights, photographs and the program itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assert_cmd::Command;
use convbase_bases::{architecture, write_untrained};
use convbase_core::{Preprocess, write_artifact};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use tempfile::TempDir;

/// A VGG16 that was never trained, made once; it lies in the build folder, so that nothing is left elsewhere.
pub static WEIGHTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extractor/untrained.safetensors");
    write_untrained(&path, architecture("vgg16").unwrap(), 7, Preprocess::Caffe).unwrap();
    path
});

/// The same of the smallest base.
pub static TINY: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extractor/tiny.safetensors");
    write_untrained(&path, architecture("tiny").unwrap(), 7, Preprocess::Rescale).unwrap();
    path
});

/// What the program said.
pub struct Said {
    pub stdout: String,
    pub stderr: String,
}

/// Words of a command line.
pub fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// Runs the program, which must end with this exit code.
pub fn extractor(code: i32, arguments: &[OsString]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_extractor"));
    let assert = command.env_remove("RUST_LOG").args(arguments).assert().code(code);
    let output = assert.get_output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Said { stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// `extractor extract` with small images, fp32 and whatever is said beyond that; later words win over these.
pub fn extract<const N: usize>(code: i32, images: &Path, out: &Path, more: [&str; N]) -> Said {
    let mut arguments = words(["extract", "--images"]);
    arguments.push(images.into());
    arguments.extend(["--out".into(), out.into()]);
    for (option, value) in
        [("--weights", WEIGHTS.to_str().unwrap()), ("--image-size", "32"), ("--precision", "fp32")]
    {
        if !more.contains(&option) {
            arguments.extend(words([option, value]));
        }
    }
    arguments.extend(words(more));
    extractor(code, &arguments)
}

/// `extractor verify` on one store.
pub fn verify(code: i32, store: &Path) -> Said {
    extractor(code, &["verify".into(), store.into()])
}

/// A photograph that no other `number` has.
pub fn photograph(number: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(48, 40, |x, y| {
        Rgb([(x * 5 + number * 31) as u8, (y * 6 + number * 17) as u8, ((x ^ y) * (number + 2)) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A labelled folder with so many photographs per class: `<class>/0.png`, `<class>/1.png`, …
pub fn photographs<const N: usize>(classes: [(&str, u32); N]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    for (class, count) in classes {
        for index in 0..count {
            let bytes = photograph(number, ImageFormat::Png);
            write_artifact(&folder.path().join(class).join(format!("{index}.png")), &bytes).unwrap();
            number += 1;
        }
    }
    folder
}

/// Every file of a folder with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// An npy file's type, shape and numbers.
pub fn array<T: npyz::Deserialize>(path: &Path) -> (String, Vec<u64>, Vec<T>) {
    let bytes = std::fs::read(path).unwrap();
    let array = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!(array.order(), npyz::Order::C);
    (array.dtype().descr(), array.shape().to_vec(), array.into_vec().unwrap())
}

/// The features of a store of one shard.
pub fn features(store: &Path) -> Vec<f32> {
    array(&store.join("features-00000-of-00001.npy")).2
}

/// A JSON file.
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A file of one JSON value per line.
pub fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rows file of one shard.
pub fn rows(store: &Path, shard: &str) -> Vec<Value> {
    json_lines(&std::fs::read_to_string(store.join(format!("rows-{shard}.jsonl"))).unwrap())
}

/// Asserts that numbers are the same but for the order of summation.
pub fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0_f32, |scale, number| scale.max(number.abs()));
    assert!(scale > 0.0, "all features are zero");
    for (position, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= 1e-5 * scale,
            "number {position}: expected {expected}, found {found}"
        );
    }
}

/// Whether a store has a finished shard.
pub fn has_receipt(folder: &Path) -> bool {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.into_iter().any(|name| name.to_string_lossy().starts_with("shard-"))
}
