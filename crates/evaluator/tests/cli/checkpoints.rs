//! Files that are no checkpoints.

use std::collections::HashMap;
use std::path::PathBuf;

use convbase_core::write_artifact;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tempfile::TempDir;

use super::features::{LENGTH, Store, spec};
use super::support::*;

struct Bench {
    features: TempDir,
    folder: TempDir,
    head: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let features = Store::of(&[("cats", 2), ("dogs", 2)]).in_folder();
        let folder = tempfile::tempdir().unwrap();
        let head = checkpoint(folder.path(), &spec(), &["cats", "dogs"], 4);
        Self { features, folder, head }
    }

    /// The error that this file leads to, and nothing else.
    #[track_caller]
    fn error(&self, bytes: &[u8]) -> String {
        write_artifact(&self.head, bytes).unwrap();
        let report = self.folder.path().join("report");
        let said = evaluate(1, self.features.path(), &self.head, &report);
        assert!(!report.exists());
        let hint = "\nhint: `trainer fit` writes `best.safetensors` into the folder of the run\n";
        assert!(said.stderr.ends_with(hint), "{}", said.stderr);
        error_of(&said).replace(&self.head.display().to_string(), "FILE")
    }
}

#[test]
fn truncated_files_and_garbage_are_named_with_a_hint() {
    let bench = Bench::new();
    let whole = std::fs::read(&bench.head).unwrap();
    let start = "checkpoint `FILE`: expected a safetensors file: ";
    for bytes in
        [&whole[..whole.len() - 1], &whole[..100], &whole[..7], &[], b"PK\x03\x04 a torch file", &[0xFF; 64]]
    {
        let error = bench.error(bytes);
        assert!(error.starts_with(start), "{} bytes: {error}", bytes.len());
    }
    let error = bench.error(&[&whole[..], b"x"].concat());
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn a_missing_file_is_named_with_a_hint() {
    let bench = Bench::new();
    let said = evaluate(1, bench.features.path(), "no/head.safetensors".as_ref(), bench.folder.path());
    assert!(error_of(&said).starts_with("cannot read checkpoint `no/head.safetensors`: No such file"));
}

/// A safetensors file with these tensors of zeros and this text under the key of checkpoints.
fn file(tensors: &[(&str, &[usize])], metadata: Option<String>) -> Vec<u8> {
    let zeros = vec![0; 1 << 16];
    let views = tensors.iter().map(|(name, shape)| {
        let bytes = shape.iter().product::<usize>() * 4;
        (*name, TensorView::new(Dtype::F32, shape.to_vec(), &zeros[..bytes]).unwrap())
    });
    let metadata = metadata.map(|text| HashMap::from([("convbase".to_owned(), text)]));
    safetensors::serialize(views, metadata).unwrap()
}

/// What the checkpoint says of itself.
fn metadata(bench: &Bench) -> serde_json::Value {
    let bytes = std::fs::read(&bench.head).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    serde_json::from_str(&header.metadata().as_ref().unwrap()["convbase"]).unwrap()
}

const TENSORS: [(&str, &[usize]); 4] =
    [("dense.weight", &[4, LENGTH]), ("dense.bias", &[4]), ("output.weight", &[1, 4]), ("output.bias", &[1])];

#[test]
fn another_safetensors_file_is_no_checkpoint() {
    let bench = Bench::new();
    let expected = "checkpoint `FILE`: metadata `convbase`: expected a convbase-head/1 head, found none";
    assert_eq!(bench.error(&file(&[("features.0.weight", &[64, 3, 3, 3])], None)), expected);
    assert_eq!(bench.error(&file(&TENSORS, None)), expected);
}

#[test]
fn metadata_that_cannot_be_read_or_is_of_another_format_is_named() {
    let bench = Bench::new();
    let own = metadata(&bench);
    let start = "checkpoint `FILE`: metadata `convbase`: ";
    for text in ["", "{", "[]", "{\"format\": \"convbase-head/1\"}"] {
        let error = bench.error(&file(&TENSORS, Some(text.to_owned())));
        assert!(error.starts_with(start), "{error}");
    }
    let mut other = own.clone();
    other["format"] = "convbase-head/2".into();
    let error = bench.error(&file(&TENSORS, Some(other.to_string())));
    assert_eq!(error, "checkpoint `FILE`: format: expected convbase-head/1, found convbase-head/2");
    let mut other = own;
    other["spec"]["shape"] = serde_json::json!([0]);
    let error = bench.error(&file(&TENSORS, Some(other.to_string())));
    assert!(error.contains("found [0]"), "{error}");
}

#[test]
fn tensors_that_are_missing_or_misshapen_are_all_listed() {
    let bench = Bench::new();
    let text = metadata(&bench).to_string();
    let tensors: [(&str, &[usize]); 3] =
        [("dense.weight", &[LENGTH, 4]), ("dense.bias", &[4]), ("output.weight", &[1, 4])];
    assert_eq!(
        bench.error(&file(&tensors, Some(text))),
        "checkpoint `FILE`: dense.weight: expected F32 [4, 64], found F32 [64, 4]; \
         output.bias: expected F32 [1], found none"
    );
}

#[test]
fn a_head_of_other_sizes_than_its_spec_is_refused() {
    let bench = Bench::new();
    let mut own = metadata(&bench);
    own["classes"] = serde_json::json!(["a", "b", "c"]);
    let error = bench.error(&file(&TENSORS, Some(own.to_string())));
    assert_eq!(error, "checkpoint `FILE`: head.classes: expected 3, found 2");
}

#[test]
fn features_that_are_not_finished_are_named_with_a_hint() {
    let bench = Bench::new();
    std::fs::remove_file(bench.features.path().join("shard-00000-of-00001.json")).unwrap();
    let report = bench.folder.path().join("report");
    let said = evaluate(1, bench.features.path(), &bench.head, &report);
    let error = error_of(&said);
    assert!(error.ends_with("is incomplete: expected 1 finished shards, found 0; missing 0"), "{error}");
    assert!(
        said.stderr.contains("\nhint: `extractor extract` makes and finishes a store"),
        "{}",
        said.stderr
    );
}
