//! `verify` and `inspect`: every kind of damage, with what was expected and what was found.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use convbase_core::store::Receipt;
use convbase_core::{Digest, write_artifact, write_json};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::*;

/// Eight photographs, one of them unreadable, in shards of three.
static STORE: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let (images, out) = (photographs([("cats", 4), ("dogs", 4)]), tempfile::tempdir().unwrap());
    write_artifact(&images.path().join("cats/1.png"), b"").unwrap();
    extract(0, images.path(), out.path(), ["--shard-size", "3", "--max-rejected", "0.5"]);
    files(out.path())
});

const FEATURES: &str = "features-00000-of-00003.npy";
const LABELS: &str = "labels-00001-of-00003.npy";
const ROWS: &str = "rows-00002-of-00003.jsonl";
const RECEIPT: &str = "shard-00000-of-00003.json";

/// The receipt that speaks of a shard's file.
fn receipt_of(name: &str) -> String {
    let (_, shard) = name.split_once('-').unwrap();
    format!("shard-{}.json", shard.split('.').next().unwrap())
}

struct Store(TempDir);

impl Store {
    fn new() -> Self {
        let store = Self(tempfile::tempdir().unwrap());
        STORE.iter().for_each(|(name, bytes)| store.put(name, bytes));
        store
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        write_artifact(&self.path().join(name), bytes).unwrap();
    }

    fn edit_json(&self, name: &str, change: impl Fn(&mut Value)) {
        let mut value = serde_json::from_slice(&STORE[name]).unwrap();
        change(&mut value);
        self.put(name, format!("{value:#}\n").as_bytes());
    }

    /// The findings that `verify` prints, without the folder.
    fn findings(&self) -> Vec<String> {
        let said = verify(1, self.path());
        assert_eq!(said.stderr, "");
        let folder = format!("{}/", self.path().display());
        let mut lines: Vec<String> = said.stdout.lines().map(|line| line.replace(&folder, "")).collect();
        // What is missing is told once more, as the tasks to run again.
        lines.pop_if(|line| line.contains(": missing shards "));
        let verdict = lines.pop().unwrap();
        assert!(verdict.contains(&format!(": {} findings; ", lines.len())), "{verdict}");
        lines
    }

    #[track_caller]
    fn assert_finds(&self, expected: &str) {
        let findings = self.findings();
        assert!(
            findings.iter().any(|finding| finding == expected),
            "expected {expected}, found {findings:#?}"
        );
    }
}

#[test]
fn a_store_that_is_right_has_no_findings() {
    let store = Store::new();
    let said = verify(0, store.path());
    let bytes: usize = STORE
        .iter()
        .filter(|(name, _)| *name != "manifest.json" && !name.starts_with("shard-"))
        .map(|f| f.1.len())
        .sum();
    let expected = format!(
        "{}: ok; 3 shards, listed 8 = embedded 7 + rejected 1, {bytes} bytes hashed\n",
        store.path().display()
    );
    assert_eq!((said.stdout, said.stderr), (expected, String::new()));
}

#[test]
fn a_missing_file_is_found() {
    for name in [FEATURES, LABELS, ROWS] {
        let store = Store::new();
        std::fs::remove_file(store.path().join(name)).unwrap();
        let findings = store.findings();
        assert!(
            findings.iter().any(|line| line.starts_with(&format!("{name}: No such file"))),
            "{findings:#?}"
        );
    }
    let store = Store::new();
    std::fs::remove_file(store.path().join(RECEIPT)).unwrap();
    store.assert_finds(&format!("{RECEIPT}: `{RECEIPT}` is missing: the shard is not finished"));
}

#[test]
fn a_missing_folder_or_manifest_is_found() {
    let store = Store::new();
    std::fs::remove_file(store.path().join("manifest.json")).unwrap();
    assert!(store.findings()[0].starts_with("manifest.json: cannot read `manifest.json`: No such file"));
    let said = verify(1, Path::new("no/such/store"));
    assert!(said.stdout.contains("no/such/store/manifest.json: cannot read"), "{}", said.stdout);
}

#[test]
fn a_truncated_or_lengthened_file_is_found_with_both_lengths() {
    for name in [FEATURES, LABELS, ROWS] {
        let whole = &STORE[name];
        let longer = [&whole[..], b"\n"].concat();
        for bytes in [&whole[..whole.len() - 1], &whole[..10], &[], &longer] {
            let store = Store::new();
            store.put(name, bytes);
            let receipt = receipt_of(name);
            let expected = format!("{} by `{receipt}`", whole.len());
            store.assert_finds(&format!("{name}: bytes: expected {expected}, found {}", bytes.len()));
        }
    }
}

#[test]
fn a_flipped_bit_is_found_with_both_digests() {
    for name in [FEATURES, LABELS, ROWS] {
        for position in [0, STORE[name].len() / 2, STORE[name].len() - 2] {
            let (store, mut bytes) = (Store::new(), STORE[name].clone());
            bytes[position] ^= 4;
            store.put(name, &bytes);
            let digests = [&STORE[name], &bytes].map(|bytes| Digest::of(bytes).hex());
            let expected = format!("{} by `{}`", digests[0], receipt_of(name));
            store.assert_finds(&format!("{name}: sha256: expected {expected}, found {}", digests[1]));
        }
    }
}

/// Writes a file and makes its receipt speak of the new bytes.
fn put_with_receipt(store: &Store, shard: usize, kind: &str, name: &str, bytes: &[u8]) {
    store.put(name, bytes);
    let path = store.path().join(format!("shard-0000{shard}-of-00003.json"));
    let mut receipt: Receipt = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let entry = if kind == "labels" { &mut receipt.files.labels } else { &mut receipt.files.features };
    (entry.bytes, entry.sha256) = (bytes.len() as u64, Digest::of(bytes));
    write_json(&path, &receipt).unwrap();
}

#[test]
fn labels_that_are_another_shards_are_found_even_with_their_receipt() {
    let store = Store::new();
    let other = "labels-00002-of-00003.npy";
    store.put(LABELS, &STORE[other]);
    store.put(other, &STORE[LABELS]);
    let findings = store.findings();
    for name in [LABELS, other] {
        assert!(findings.iter().any(|line| line.starts_with(&format!("{name}: "))), "{findings:#?}");
    }

    let (store, mut labels) = (Store::new(), STORE[LABELS].clone());
    let last = labels.len() - 8;
    labels[last] = 0; // The shard holds cats/3, dogs/0 and dogs/1.
    put_with_receipt(&store, 1, "labels", LABELS, &labels);
    assert_eq!(store.findings(), [format!("{LABELS}: label of `dogs/1.png`: expected 1, found 0")]);

    labels[last] = 7;
    put_with_receipt(&store, 1, "labels", LABELS, &labels);
    assert_eq!(store.findings(), [format!("{LABELS}: `{LABELS}`: label of row 2: expected 0 to 1, found 7")]);
}

#[test]
fn a_number_that_is_not_finite_is_found_even_with_its_receipt() {
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (store, mut bytes) = (Store::new(), STORE[FEATURES].clone());
        let offset = bytes.len() - 2 * 512 * 4; // Shard 0 holds two rows.
        bytes[offset + (512 + 3) * 4..][..4].copy_from_slice(&number.to_le_bytes());
        put_with_receipt(&store, 0, "features", FEATURES, &bytes);
        assert_eq!(
            store.findings(),
            [format!("{FEATURES}: row 1, number 3: expected a finite number, found an infinity or NaN")]
        );
    }
}

#[test]
fn an_array_of_another_shape_or_type_is_found_even_with_its_receipt() {
    let replaced = |from: &str, to: &str| {
        let text = STORE[FEATURES].windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut bytes = STORE[FEATURES].clone();
        bytes[text..text + from.len()].copy_from_slice(to.as_bytes());
        let store = Store::new();
        put_with_receipt(&store, 0, "features", FEATURES, &bytes);
        store
    };
    let expected = "expected <f4 C [2, 1, 1, 512], found";
    let cases = [
        ("<f4", "<i4", "<i4 C [2, 1, 1, 512]"),
        ("False", "True ", "<f4 Fortran [2, 1, 1, 512]"),
        ("(2, 1,", "(1, 2,", "<f4 C [1, 2, 1, 512]"),
    ];
    for (from, to, found) in cases {
        replaced(from, to).assert_finds(&format!("{FEATURES}: {expected} {found}"));
    }
}

#[test]
fn foreign_files_are_found() {
    let store = Store::new();
    for name in ["notes.txt", "features-00003-of-00004.npy", ".hidden"] {
        store.put(name, b"");
    }
    let finding =
        |name: &str| format!("{name}: file: expected only the files of this store, found a foreign file");
    assert_eq!(store.findings(), [".hidden", "features-00003-of-00004.npy", "notes.txt"].map(finding));
}

#[test]
fn an_edited_manifest_is_found() {
    let cases: [(&str, Value, &str); 9] = [
        ("/spec/preprocess", json!("tf"), "manifest.json: `manifest.json`: feature_id: expected sha256:"),
        (
            "/feature_id",
            json!(format!("sha256:{}", "0".repeat(64))),
            "manifest.json: `manifest.json`: feature_id: expected sha256:",
        ),
        (
            "/format",
            json!("convbase-features/3"),
            "expected convbase-features/1 or convbase-features/2, found convbase-features/3",
        ),
        ("/format", json!("convbase-features/2"), "views: expected some in convbase-features/2, found none"),
        ("/shard_size", json!(4), "manifest.json: `manifest.json`: shards: expected 2, found 3"),
        (
            "/listing/images",
            json!(9),
            "shard-00002-of-00003.json: `shard-00002-of-00003.json`: images: expected 3, found 2",
        ),
        ("/listing/sha256", json!("0".repeat(64)), "manifest.json: listing.sha256 of the rows: expected "),
        ("/dtype", json!("float16"), "expected <f2 C [2, 1, 1, 512], found <f4 C [2, 1, 1, 512]"),
        ("/classes", json!(["dogs", "cats"]), "line 1: class: expected dogs, found cats"),
    ];
    for (field, value, part) in cases {
        let store = Store::new();
        store.edit_json("manifest.json", |manifest| *manifest.pointer_mut(field).unwrap() = value.clone());
        let findings = store.findings();
        assert!(findings.iter().any(|finding| finding.contains(part)), "{field}: {findings:#?}");
    }
}

#[test]
fn an_edited_receipt_is_found_and_cannot_point_out_of_the_folder() {
    let cases: [(&str, Value, &str); 8] = [
        ("/shard", json!(1), "shard: expected 0, found 1"),
        ("/images", json!(4), "images: expected 3, found 4"),
        ("/rows", json!(3), "rows + rejected: expected 3, found 4"),
        ("/rows", json!(u64::MAX), "rows + rejected: expected 3, found 18446744073709551615"),
        (
            "/files/features/name",
            json!("../features-00000-of-00003.npy"),
            "files.features.name: expected features-00000-of-00003.npy, found ../features-00000-of-00003.npy",
        ),
        (
            "/files/labels/name",
            json!("/etc/passwd"),
            "files.labels.name: expected labels-00000-of-00003.npy, found /etc/passwd",
        ),
        (
            "/files/rows/name",
            json!("rows-00001-of-00003.jsonl"),
            "files.rows.name: expected rows-00000-of-00003.jsonl, found rows-00001-of-00003.jsonl",
        ),
        ("/files/features/bytes", json!(-1), "is no receipt of a shard: invalid value: integer `-1`"),
    ];
    for (field, value, part) in cases {
        let store = Store::new();
        store.edit_json(RECEIPT, |receipt| *receipt.pointer_mut(field).unwrap() = value.clone());
        let findings = store.findings();
        assert!(findings.iter().any(|finding| finding.contains(part)), "{field}: {findings:#?}");
    }
    let store = Store::new();
    store.edit_json(RECEIPT, |receipt| {
        (receipt["rows"], receipt["rejected"]) = (json!(3), json!(0));
    });
    store.assert_finds(&format!("{FEATURES}: expected <f4 C [3, 1, 1, 512], found <f4 C [2, 1, 1, 512]"));
}

#[test]
fn every_damage_of_every_store_is_listed_at_once() {
    let [first, second, whole] = [(); 3].map(|()| Store::new());
    first.put(FEATURES, b"");
    first.put(ROWS, b"");
    std::fs::remove_file(second.path().join(RECEIPT)).unwrap();
    let mut arguments = words(["verify"]);
    arguments.extend([&first, &second, &whole].map(|store| store.path().into()));
    let said = extractor(1, &arguments);
    for (store, name) in [(&first, FEATURES), (&first, ROWS), (&second, RECEIPT)] {
        let start = format!("{}: ", store.path().join(name).display());
        assert!(said.stdout.lines().any(|line| line.starts_with(&start)), "{name}: {}", said.stdout);
    }
    assert!(said.stdout.contains(&format!("{}: ok; 3 shards", whole.path().display())), "{}", said.stdout);
}

#[test]
fn inspect_tells_people_and_programs_the_same() {
    let store = Store::new();
    let inspect = |more: &[&str]| {
        let mut arguments = words(["inspect"]);
        arguments.push(store.path().into());
        arguments.extend(more.iter().map(Into::into));
        extractor(0, &arguments).stdout
    };
    let value: Value = serde_json::from_str(&inspect(&["--json"])).unwrap();
    let error = "expected an image, found an empty file";
    assert_eq!((&value["listed"], &value["embedded"]), (&json!(8), &json!(7)));
    assert_eq!(value["rejected"], json!([{"path": "cats/1.png", "error": error}]));
    assert_eq!(value["rows_per_class"], json!([{"class": "cats", "rows": 3}, {"class": "dogs", "rows": 4}]));
    assert_eq!(value["manifest"], json(&store.path().join("manifest.json")));
    let text = inspect(&[]);
    let digest = value["digest"].as_str().unwrap();
    let rejected = format!("rejected       cats/1.png: {error}");
    for part in
        ["listed 8 = embedded 7 + rejected 1", "block5_pool none of vgg16, [1, 1, 512]", digest, &rejected]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn inspect_names_the_shards_that_are_missing() {
    let store = Store::new();
    std::fs::remove_file(store.path().join(RECEIPT)).unwrap();
    std::fs::remove_file(store.path().join("shard-00002-of-00003.json")).unwrap();
    let said = extractor(1, &["inspect".into(), store.path().into()]);
    let expected = format!(
        "extractor: `{}` is incomplete: expected 3 finished shards, found 1; missing 0, 2\n",
        store.path().display()
    );
    assert_eq!((said.stdout.as_str(), said.stderr), ("", expected));
}
