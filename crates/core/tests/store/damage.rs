//! Random damage: `verify` finds it, nothing panics.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;

use convbase_core::DataType;
use convbase_core::store::{FeatureStore, OpenError, verify};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::support::{Contents, contents, contents_of_views, files};

/// float32 and float16, and views of each image.
static STORES: LazyLock<[BTreeMap<String, Vec<u8>>; 3]> = LazyLock::new(|| {
    [contents(), Contents { dtype: DataType::Float16, ..contents() }, contents_of_views()].map(|contents| {
        let folder = tempfile::tempdir().unwrap();
        contents.write(folder.path());
        files(folder.path())
    })
});

#[derive(Debug, Clone)]
enum Damage {
    Flip { byte: Index, bit: u8 },
    Truncate { length: Index },
    Append { bytes: Vec<u8> },
    Insert { position: Index, byte: u8 },
    Replace { bytes: Vec<u8> },
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..40);
    prop_oneof![
        4 => (any::<Index>(), 0_u8..8).prop_map(|(byte, bit)| Damage::Flip { byte, bit }),
        3 => any::<Index>().prop_map(|length| Damage::Truncate { length }),
        1 => bytes().prop_map(|bytes| Damage::Append { bytes }),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(position, byte)| Damage::Insert { position, byte }),
        1 => bytes().prop_map(|bytes| Damage::Replace { bytes }),
    ]
}

impl Damage {
    fn of(&self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        match self {
            Self::Flip { byte, bit } => bytes[byte.index(whole.len())] ^= 1 << bit,
            Self::Truncate { length } => bytes.truncate(length.index(whole.len())),
            Self::Append { bytes: more } => bytes.extend(more),
            Self::Insert { position, byte } => bytes.insert(position.index(whole.len()), *byte),
            Self::Replace { bytes: other } => bytes.clone_from(other),
        }
        bytes
    }
}

/// The store with one file replaced. Not through `write_artifact`: hundreds of cases need not reach the disk.
fn put(store: &BTreeMap<String, Vec<u8>>, folder: &Path, changed: &str, bytes: &[u8]) {
    for (name, whole) in store {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).open(folder.join(name)).unwrap();
        file.write_all(if name == changed { bytes } else { whole }).unwrap();
    }
}

/// Reads all there is, and fails where a consumer must not believe it.
fn read_everything(folder: &Path) -> Result<(), OpenError> {
    if let Ok(store) = FeatureStore::open_without_hashing(folder) {
        (0..store.rows()).for_each(|row| assert!(!store.row(row).unwrap().is_empty()));
        assert_eq!(store.rows(), store.labels().len());
        let _ = (store.records(), store.digest(), store.rejected());
    }
    let store = FeatureStore::open(folder)?;
    (0..store.rows()).try_for_each(|row| store.row(row).map(|_| ()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn damage_of_any_file_is_found_and_opens_without_panic(
        (which, file, damage) in (0_usize..3, any::<Index>(), any_damage())
    ) {
        let store = &STORES[which];
        let (name, whole) = store.iter().nth(file.index(store.len())).unwrap();
        let bytes = damage.of(whole);
        let folder = tempfile::tempdir().unwrap();
        put(store, folder.path(), name, &bytes);
        let read = read_everything(folder.path());
        let findings = verify(folder.path()).findings;
        if bytes != *whole {
            prop_assert!(!findings.is_empty(), "{name}: {damage:?} was not found");
            prop_assert!(read.is_err(), "{name}: {damage:?} was believed");
        }
        for finding in findings {
            prop_assert!(!finding.to_string().contains('\n'), "{finding}");
        }
    }

    #[test]
    fn no_value_in_a_manifest_or_receipt_makes_anything_panic(
        (which, file, field, value) in (0_usize..3, any::<Index>(), any::<Index>(), any_value())
    ) {
        let store = &STORES[which];
        let names: Vec<&String> = store.keys().filter(|name| name.ends_with(".json")).collect();
        let name = names[file.index(names.len())];
        let mut document: Value = serde_json::from_slice(&store[name]).unwrap();
        let pointers = pointers(&document);
        *document.pointer_mut(&pointers[field.index(pointers.len())]).unwrap() = value;
        let folder = tempfile::tempdir().unwrap();
        put(store, folder.path(), name, document.to_string().as_bytes());
        let read = read_everything(folder.path());
        // Even where the value is the same, the file's white space is not.
        prop_assert!(!verify(folder.path()).findings.is_empty() && read.is_err(), "{name}: {document}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let numbers = [0, 1, 2, 3, 8, 9, 1 << 31, 1 << 32, u64::MAX / 2, u64::MAX];
    let texts = ["", "..", "../x", "/etc/passwd", "fp32", "float16", "block5_pool", "none", "sha256:"];
    prop_oneof![
        prop::sample::select(numbers.to_vec()).prop_map(|number| json!(number)),
        prop::sample::select(texts.to_vec()).prop_map(|text| json!(text)),
        prop::sample::select(vec![json!(null), json!(-1), json!(1.5), json!([]), json!({}), json!([[0, 1]])]),
        prop::collection::vec(any::<u32>(), 0..6).prop_map(|numbers| json!(numbers)),
        any::<String>().prop_map(|text| json!(text)),
    ]
}

/// The place of every value in a document.
fn pointers(value: &Value) -> Vec<String> {
    let inner = |(key, value): (String, &Value)| {
        pointers(value).into_iter().map(move |rest| format!("/{key}{rest}")).collect::<Vec<_>>()
    };
    let below: Vec<String> = match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), value)).flat_map(inner).collect()
        }
        Value::Array(items) => (0..)
            .zip(items)
            .map(|(index, value): (usize, _)| (index.to_string(), value))
            .flat_map(inner)
            .collect(),
        _ => Vec::new(),
    };
    std::iter::once(String::new()).chain(below).collect()
}

#[test]
fn every_file_that_is_lost_is_found_and_a_whole_store_has_no_findings() {
    for store in STORES.iter() {
        let folder = tempfile::tempdir().unwrap();
        put(store, folder.path(), "", b"");
        assert_eq!(verify(folder.path()).findings, []);
        for name in store.keys() {
            put(store, folder.path(), "", b"");
            std::fs::remove_file(folder.path().join(name)).unwrap();
            let findings = verify(folder.path()).findings;
            assert!(findings.iter().any(|finding| finding.file == *name), "{name}: {findings:?}");
            assert!(FeatureStore::open(folder.path()).is_err(), "{name}");
            let opened = FeatureStore::open_without_hashing(folder.path());
            assert_eq!(opened.is_ok(), name.starts_with("rows-"), "rows are then read when they are wanted");
            if let Ok(store) = opened {
                assert!(store.records().unwrap_err().to_string().contains(name));
            }
        }
    }
}
