//! Named attacks on a store that somebody else made, their receipts right.

mod views;

use std::path::Path;

use convbase_core::exit::one_line;
use convbase_core::store::{FeatureStore, Manifest, Receipt, verify};
use convbase_core::{Digest, FeatureShape, write_artifact, write_json};
use serde_json::json;

use super::support::{Contents, canary, contents, files};

struct Store(tempfile::TempDir);

impl Store {
    fn new() -> Self {
        Self::of(&contents())
    }

    fn of(contents: &Contents) -> Self {
        let folder = tempfile::tempdir().unwrap();
        contents.write(folder.path());
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Replaces a file of the first shard and makes the receipt speak of it.
    fn put(&self, kind: &str, bytes: &[u8]) {
        let manifest = Manifest::open(self.path()).unwrap();
        let shard = manifest.shards().next().unwrap();
        let mut receipt = Receipt::open(self.path(), &manifest, shard).unwrap();
        let entry = match kind {
            "features" => &mut receipt.files.features,
            "labels" => &mut receipt.files.labels,
            _ => &mut receipt.files.rows,
        };
        (entry.bytes, entry.sha256) = (bytes.len() as u64, Digest::of(bytes));
        write_artifact(&self.path().join(&entry.name), bytes).unwrap();
        write_json(&self.path().join(shard.receipt()), &receipt).unwrap();
    }

    #[track_caller]
    fn assert_refused(&self, part: &str) {
        let error = one_line(&FeatureStore::open(self.path()).unwrap_err());
        assert!(error.contains(part), "expected {part}, found {error}");
        self.assert_found(part);
    }

    #[track_caller]
    fn assert_found(&self, part: &str) {
        let findings = verify(self.path()).findings;
        assert!(
            findings.iter().any(|finding| finding.problem.contains(part)),
            "expected {part}, found {findings:?}"
        );
    }
}

/// An npy file of version 1 with this dictionary.
fn npy(dictionary: &str, data: usize) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((dictionary.len() as u16).to_le_bytes());
    bytes.extend(dictionary.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn arrays_that_are_not_what_the_manifest_says_are_refused() {
    const DATA: usize = 2 * 64 * 4;
    let dictionary = |descriptor: &str, fortran: &str, shape: &str| {
        format!("{{'descr': '{descriptor}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
    };
    let wanted = "expected <f4 C [2, 64], found";
    let cases = [
        (npy(&dictionary(">f4", "False", "(2, 64)"), DATA), format!("{wanted} >f4 C [2, 64]")),
        (npy(&dictionary("<f8", "False", "(2, 32)"), DATA), format!("{wanted} <f8 C [2, 32]")),
        (npy(&dictionary("<f4", "True", "(2, 64)"), DATA), format!("{wanted} <f4 Fortran [2, 64]")),
        (npy(&dictionary("<f4", "False", "(64, 2)"), DATA), format!("{wanted} <f4 C [64, 2]")),
        (npy(&dictionary("<f4", "False", "(128,)"), DATA), format!("{wanted} <f4 C [128]")),
        (
            npy(&dictionary("<f4", "False", "(18446744073709551615, 64)"), DATA),
            format!("{wanted} <f4 C [18446744073709551615, 64]"),
        ),
        (npy(&dictionary("|O", "False", "(2, 64)"), DATA), String::new()),
        (npy("not a dictionary", DATA), "expected an npy file".to_owned()),
        (npy(&dictionary("<f4", "False", "(2, 64)"), DATA - 1), "bytes, found".to_owned()),
        (npy(&dictionary("<f4", "False", "(2, 64)"), DATA + 1), "bytes, found".to_owned()),
        (b"\x93NUMPY\x01\x00\xff\xff{}".to_vec(), "expected 65545 bytes, found 12".to_owned()),
        (b"\x93NUMPY\x02\x00\x76\x00\x00\x00".to_vec(), "no npy version 1 header".to_owned()),
        (b"PK\x03\x04".to_vec(), "no npy version 1 header".to_owned()),
        (Vec::new(), "no npy version 1 header".to_owned()),
    ];
    for (bytes, part) in cases {
        let store = Store::new();
        store.put("features", &bytes);
        store.assert_refused(&part);
    }
}

#[test]
fn labels_out_of_range_are_refused() {
    for (label, found) in [(3, "3"), (-1, "-1"), (i64::MIN, "-9223372036854775808"), (1 << 32, "4294967296")]
    {
        let store = Store::new();
        let mut bytes = files(store.path())["labels-00000-of-00003.npy"].clone();
        let start = bytes.len() - 8;
        bytes[start..].copy_from_slice(&i64::to_le_bytes(label));
        store.put("labels", &bytes);
        store.assert_refused(&format!("label of row 1: expected 0 to 2, found {found}"));
    }
}

#[test]
fn rows_that_contradict_the_arrays_or_leave_the_folder_are_found() {
    let rows = || files(Store::new().path())["rows-00000-of-00003.jsonl"].clone();
    let text = String::from_utf8(rows()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let cases = [
        (text.replace("000/", "../"), "path: expected a path inside the image folder, found ../"),
        (text.replace("000/", "/"), "path: expected a path inside the image folder, found /"),
        (text.replace("000/", "009/"), "path: expected one after `009/"),
        (text.replace("\"row\":1", "\"row\":2"), "row: expected 1, found 2"),
        (
            text.replace("\"label\":1,\"class\":\"dogs\"", "\"label\":0,\"class\":\"cats\""),
            "expected 0, found 1",
        ),
        (text.replace("cats", "dogs"), "line 1: class: expected cats, found dogs"),
        (text.replace("\"label\":1", "\"label\":7"), "line 2: label: expected 0 to 2, found 7"),
        (text.replace("\"label\":1", "\"label\":-1"), "line 2: invalid value: integer `-1`"),
        (joined(&lines[..2]), "expected 3 images with 2 rows, found 2 with 2"),
        (joined(&[lines[0], lines[2]]), "expected 3 images with 2 rows, found 2 with 1"),
        (text.replace("\"status\":\"ok\"", "\"status\":\"maybe\""), "line 1: unknown variant `maybe`"),
        (text.replace('{', "[{"), "line 1: "),
        (String::new(), "expected 3 images with 2 rows, found 0 with 0"),
    ];
    for (text, part) in cases {
        let store = Store::new();
        store.put("rows", text.as_bytes());
        store.assert_found(part);
    }
}

#[test]
fn another_path_is_found_by_the_digest_of_the_listing() {
    let store = Store::new();
    let text = String::from_utf8(files(store.path())["rows-00000-of-00003.jsonl"].clone()).unwrap();
    store.put("rows", text.replace("000/", "000/other").as_bytes());
    store.assert_found("listing.sha256 of the rows: expected ");
    assert_eq!(verify(store.path()).findings.len(), 1);
}

#[test]
fn shapes_that_overflow_or_are_empty_are_refused() {
    let store = Store::new();
    let manifest = Manifest::open(store.path()).unwrap();
    let max = u32::MAX;
    for (shape, part) in [
        (json!([]), "found []"),
        (json!([64, 0]), "found [64, 0]"),
        (json!([max, max, max]), "found [4294967295, 4294967295, 4294967295]"),
        (json!([max, max]), "found [4294967295, 4294967295]"),
        (json!([64.5]), "64.5"),
        (json!([-1]), "-1"),
    ] {
        let mut document = serde_json::to_value(&manifest).unwrap();
        document["spec"]["shape"] = shape;
        write_json(&store.path().join("manifest.json"), &document).unwrap();
        store.assert_refused(part);
    }
    for (shape, part) in [(vec![max], "expected "), (vec![8, 8], "expected ")] {
        let mut spec = manifest.spec().clone();
        spec.shape = FeatureShape::new(shape).unwrap();
        let mut document = serde_json::to_value(&manifest).unwrap();
        document["feature_id"] = json!(spec.id());
        document["spec"] = json!(spec);
        write_json(&store.path().join("manifest.json"), &document).unwrap();
        store.assert_refused(part);
    }
}

#[test]
fn counts_whose_sum_is_too_large_are_refused() {
    let store = Store::new();
    let mut document = serde_json::to_value(Manifest::open(store.path()).unwrap()).unwrap();
    document["listing"]["images"] = json!(u64::MAX);
    document["shard_size"] = json!(u64::MAX);
    document["shards"] = json!(1);
    let manifest: Manifest = serde_json::from_value(document).unwrap();
    write_json(&store.path().join("manifest.json"), &manifest).unwrap();
    let first = std::fs::read(store.path().join("shard-00000-of-00003.json")).unwrap();
    let mut receipt: serde_json::Value = serde_json::from_slice(&first).unwrap();
    for (rows, rejected) in [(u64::MAX, u64::MAX), (u64::MAX, 1), (1 << 63, 1 << 63)] {
        for (field, number) in [("images", u64::MAX), ("rows", rows), ("rejected", rejected)] {
            receipt[field] = json!(number);
        }
        for kind in ["features", "labels", "rows"] {
            let name = receipt["files"][kind]["name"].as_str().unwrap().replace("-of-00003", "-of-00001");
            receipt["files"][kind]["name"] = json!(name);
        }
        write_json(&store.path().join("shard-00000-of-00001.json"), &receipt).unwrap();
        store.assert_refused("rows: expected ");
    }
}

#[test]
fn a_receipt_cannot_name_files_of_another_place() {
    let store = Store::new();
    let path = store.path().join("shard-00001-of-00003.json");
    let receipt: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for name in ["../features-00001-of-00003.npy", "/etc/passwd", ".", "features-00000-of-00003.npy"] {
        let mut forged = receipt.clone();
        forged["files"]["features"]["name"] = json!(name);
        write_json(&path, &forged).unwrap();
        store.assert_refused(&format!(
            "files.features.name: expected features-00001-of-00003.npy, found {name}"
        ));
    }
    let mut forged = receipt.clone();
    forged["files"]["more"] = json!({});
    write_json(&path, &forged).unwrap();
    store.assert_refused("unknown field `more`");
}

#[test]
fn folders_in_place_of_files_are_findings() {
    for name in [
        "manifest.json",
        "features-00000-of-00003.npy",
        "labels-00001-of-00003.npy",
        "shard-00002-of-00003.json",
    ] {
        let store = Store::new();
        let path = store.path().join(name);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(FeatureStore::open(store.path()).is_err(), "{name}");
        let findings = verify(store.path()).findings;
        assert!(findings.iter().any(|finding| finding.file == name), "{name}: {findings:?}");
    }
}

#[test]
fn shards_of_machines_that_compute_something_else_are_named() {
    let store = Store::new();
    let manifest = Manifest::open(store.path()).unwrap();
    let shard = manifest.shards().nth(1).unwrap();
    let mut receipt = Receipt::open(store.path(), &manifest, shard).unwrap();
    let mut with = |canary| {
        receipt.canary = canary;
        write_json(&store.path().join(shard.receipt()), &receipt).unwrap();
    };
    with(Some(canary(1.001)));
    assert_eq!(verify(store.path()).findings, [], "within the tolerance of bf16");
    with(Some(canary(1.1)));
    store.assert_refused("canary: expected at most 0.05 from that of shard 0 (and 1 others), found 1.00e-1");
    assert_eq!(verify(store.path()).findings[0].file, "shard-00001-of-00003.json");
    with(None);
    store.assert_refused("canary: expected one, as in shard 0, found none");
}

#[test]
fn shards_of_another_plan_are_named_and_still_hashed() {
    let store = Store::new();
    let other = tempfile::tempdir().unwrap();
    let mut contents = contents();
    contents.images[0].0 = 1;
    contents.write(other.path());
    for name in ["shard-00001-of-00003.json", "manifest.json"] {
        let bytes = std::fs::read(other.path().join(name)).unwrap();
        write_artifact(&store.path().join(name), &bytes).unwrap();
        store.assert_refused("manifest: expected ");
        assert!(verify(store.path()).shards == 3);
    }
    store.assert_found("listing.sha256 of the rows: expected ");
}
