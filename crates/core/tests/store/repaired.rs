//! Files that somebody changed who then made the receipts speak of them: whatever opens says what the files say.

use std::path::Path;

use convbase_core::store::{FeatureStore, ForeignArray, Manifest, Receipt, verify};
use convbase_core::{DataType, Digest, FeatureSpec, write_artifact, write_json};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::support::{Contents, classes, contents, contents_of_views, files};

/// Bytes that replace others somewhere in a file.
#[derive(Debug, Clone)]
struct Splice {
    at: Index,
    removed: usize,
    added: Vec<u8>,
}

impl Splice {
    fn of(&self, bytes: &[u8]) -> Vec<u8> {
        let at = self.at.index(bytes.len() + 1);
        let rest = &bytes[(at + self.removed).min(bytes.len())..];
        [&bytes[..at], &self.added, rest].concat()
    }
}

fn any_splice() -> impl Strategy<Value = Splice> {
    let added = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..5),
        // What means something in these formats.
        prop::sample::select(vec![
            "0",
            "9",
            "99999999999999999999",
            "-1",
            "1e999",
            "null",
            "true",
            "\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\0",
            "\u{feff}",
            "\n",
            "\\u0000",
            "ok",
            "rejected",
            "row",
            "view",
            "label",
            "'",
            "(",
            ")",
            "<f8",
            "True",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    (any::<Index>(), 0_usize..6, added).prop_map(|(at, removed, added)| Splice { at, removed, added })
}

/// Replaces a file of the first shard and makes the receipt speak of it.
fn repair(folder: &Path, kind: usize, splice: &Splice) -> Vec<u8> {
    let manifest = Manifest::open(folder).unwrap();
    let shard = manifest.shards().next().unwrap();
    let mut receipt = Receipt::open(folder, &manifest, shard).unwrap();
    let entries = [&mut receipt.files.features, &mut receipt.files.labels, &mut receipt.files.rows];
    let entry = entries.into_iter().nth(kind).unwrap();
    let path = folder.join(&entry.name);
    let bytes = splice.of(&std::fs::read(&path).unwrap());
    (entry.bytes, entry.sha256) = (bytes.len() as u64, Digest::of(&bytes));
    write_artifact(&path, &bytes).unwrap();
    write_json(&folder.join(shard.receipt()), &receipt).unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_opens_after_a_repair_says_what_its_files_say(
        (which, kind, splice) in (0_usize..3, 0_usize..3, any_splice())
    ) {
        let stores = [contents(), Contents { dtype: DataType::Float16, ..contents() }, contents_of_views()];
        let folder = tempfile::tempdir().unwrap();
        stores[which].write(folder.path());
        let bytes = repair(folder.path(), kind, &splice);
        verify(folder.path());
        let Ok(store) = FeatureStore::open(folder.path()) else { return Ok(()) };
        prop_assert!((0..store.rows()).all(|row| store.floats(row).is_ok()));
        let Ok(records) = store.records() else { return Ok(()) };
        prop_assert_eq!(records.iter().filter(|record| record.is_row()).count(), store.rows());
        if kind == 2 {
            let lines = bytes.split_inclusive(|&byte| byte == b'\n');
            for (line, record) in lines.zip(&records) {
                let said: Value = serde_json::from_slice(line).unwrap();
                prop_assert_eq!(serde_json::to_value(record).unwrap(), said);
            }
        }
    }

    #[test]
    fn arrays_of_other_programs_open_as_what_their_headers_say(
        (kind, splices) in (0_usize..2, prop::collection::vec(any_splice(), 1..3))
    ) {
        let folder = tempfile::tempdir().unwrap();
        contents().write(folder.path());
        let name = ["features-00000-of-00003.npy", "labels-00000-of-00003.npy"][kind];
        let whole = files(folder.path()).remove(name).unwrap();
        let bytes = splices.iter().fold(whole, |bytes, splice| splice.of(&bytes));
        let path = folder.path().join("array.npy");
        write_artifact(&path, &bytes).unwrap();
        let Ok(array) = ForeignArray::open(&path) else { return Ok(()) };
        let shape = array.shape().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let header = String::from_utf8_lossy(&bytes[..128.min(bytes.len())]).into_owned();
        prop_assert!(header.contains(&shape), "{header}: {shape}");
        let _ = array.labels(&classes());
        let _ = array.row_bytes(array.shape()[0] - 1, DataType::Float16);
    }

    #[test]
    fn a_plan_with_the_identity_of_its_spec_opens_as_what_it_says(splice in any_splice()) {
        let folder = tempfile::tempdir().unwrap();
        contents_of_views().write(folder.path());
        let path = folder.path().join("manifest.json");
        let bytes = splice.of(&std::fs::read(&path).unwrap());
        // With the right identity, where there still is a spec.
        let document = serde_json::from_slice::<Value>(&bytes).ok().and_then(|mut document| {
            let spec: FeatureSpec = serde_json::from_value(document["spec"].clone()).ok()?;
            document["feature_id"] = json!(spec.id());
            serde_json::from_value::<Manifest>(document).ok()
        });
        match document {
            Some(manifest) => write_json(&path, &manifest).unwrap(),
            None => write_artifact(&path, &bytes).unwrap(),
        }
        let written = std::fs::read(&path).unwrap();
        verify(folder.path());
        if let Ok(manifest) = Manifest::open(folder.path()) {
            prop_assert_eq!(serde_json::to_value(&manifest).unwrap(), serde_json::from_slice::<Value>(&written).unwrap());
        }
    }
}
