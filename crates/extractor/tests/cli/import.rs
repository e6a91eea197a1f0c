//! `extractor import`: arrays that another program saved.

use std::path::Path;

use convbase_core::write_artifact;
use npyz::WriterBuilder;
use serde_json::json;

use super::support::*;

/// Writes an npy file of these sides and numbers, through npyz.
fn save<T: npyz::AutoSerialize>(path: &Path, shape: &[u64], numbers: impl IntoIterator<Item = T>) {
    let mut bytes = Vec::new();
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd().unwrap();
    writer.extend(numbers).unwrap();
    writer.finish().unwrap();
    write_artifact(path, &bytes).unwrap();
}

/// Arrays of so many rows of the tutorial's features, and the folder they lie in.
fn arrays(rows: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    save(&folder.path().join("x.npy"), &[rows, 5, 5, 512], (0..rows * 12_800).map(|n| n as f32 / 7.0));
    save(&folder.path().join("y.npy"), &[rows], (0..rows).map(|row| (row % 2) as f32));
    folder
}

fn import<const N: usize>(code: i32, folder: &Path, more: [&str; N]) -> Said {
    let mut arguments = words(["import", "--classes", "cats,dogs"]);
    for (option, file) in [("--features", "x.npy"), ("--labels", "y.npy"), ("--out", "store")] {
        arguments.extend([option.into(), folder.join(file).into()]);
    }
    if !more.contains(&"--spec") {
        arguments.extend(words(["--spec", "article"]));
    }
    arguments.extend(words(more));
    extractor(code, &arguments)
}

#[test]
fn an_imported_store_holds_the_arrays_and_verifies() {
    let folder = arrays(5);
    import(0, folder.path(), ["--shard-size", "3"]);
    let store = folder.path().join("store");
    let (_, shape, numbers) = array::<f32>(&store.join("features-00001-of-00002.npy"));
    assert_eq!(shape, [2, 5, 5, 512]);
    assert_eq!(numbers[1], (3 * 12_800 + 1) as f32 / 7.0);
    assert_eq!(array::<i64>(&store.join("labels-00000-of-00002.npy")).2, [0, 1, 0]);
    let manifest = json(&store.join("manifest.json"));
    assert_eq!(manifest["spec"]["layer"], json!("block5_pool"));
    assert_eq!(manifest["spec"]["preprocess"], json!("rescale"));
    let row = &rows(&store, "00001-of-00002")[1];
    assert!(row["path"].as_str().unwrap().ends_with("/0000000004"), "{row}");
    assert_eq!((&row["class"], &row["row"], row.get("width")), (&json!("cats"), &json!(1), None));
    assert!(verify(0, &store).stdout.contains("ok; 2 shards, listed 5 = embedded 5 + rejected 0"));
    let before = files(&store);
    import(0, folder.path(), ["--shard-size", "3"]);
    assert!(files(&store) == before, "a second import changes nothing");
}

#[test]
fn other_arrays_of_the_same_sides_are_another_store() {
    let folder = arrays(2);
    import(0, folder.path(), []);
    save(&folder.path().join("x.npy"), &[2, 12_800], (0..2 * 12_800).map(f64::from));
    let said = import(1, folder.path(), []);
    assert!(said.stderr.contains("listing.sha256: expected "), "{}", said.stderr);
    import(0, folder.path(), ["--overwrite"]);
    verify(0, &folder.path().join("store"));
    assert_eq!(features(&folder.path().join("store"))[12_801], 12_801.0);
}

#[test]
fn a_manifest_says_what_the_features_are() {
    let images = photographs([("cats", 2), ("dogs", 1)]);
    let (extracted, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    extract(0, images.path(), extracted.path(), ["--dtype", "float16"]);
    for (name, to) in [("features", "x.npy"), ("labels", "y.npy")] {
        let from = extracted.path().join(format!("{name}-00000-of-00001.npy"));
        std::fs::copy(from, folder.path().join(to)).unwrap();
    }
    let manifest = extracted.path().join("manifest.json");
    import(0, folder.path(), ["--spec", manifest.to_str().unwrap()]);
    let store = folder.path().join("store");
    let (expected, found) = (json(&manifest), json(&store.join("manifest.json")));
    for field in ["feature_id", "spec", "dtype", "precision", "classes"] {
        assert_eq!(found[field], expected[field], "{field}");
    }
    let shard = |folder: &Path| std::fs::read(folder.join("features-00000-of-00001.npy")).unwrap();
    assert!(shard(&store) == shard(extracted.path()), "the same features are the same bytes");
}

#[test]
fn arrays_that_do_not_fit_are_refused_with_expected_and_found() {
    let folder = arrays(2);
    let refused = |more: &[&str], part: &str| {
        let arguments: Vec<&str> = more.iter().copied().chain(["--overwrite"]).collect();
        let said = match arguments[..] {
            [a] => import(1, folder.path(), [a]),
            [a, b, c] => import(1, folder.path(), [a, b, c]),
            _ => unreachable!(),
        };
        assert!(said.stderr.contains(part), "expected {part}, found {}", said.stderr);
        assert_eq!(
            said.stderr.lines().count() - usize::from(said.stderr.contains("hint: ")),
            1,
            "{}",
            said.stderr
        );
    };
    let path = |name: &str| folder.path().join(name);
    save(&path("y.npy"), &[3], [0_i64, 1, 0]);
    refused(&[], "rows: expected 2, as in `");
    save(&path("y.npy"), &[2], [0_i64, 2]);
    refused(&[], "row 1: expected a label from 0 to 1, found 2");
    save(&path("y.npy"), &[2], [0_i64, 1]);
    save(&path("x.npy"), &[2, 4, 4, 512], (0..2 * 16 * 512).map(|number| number as f32));
    refused(&[], "shape of a row: expected [5, 5, 512], found [4, 4, 512]");
    save(
        &path("x.npy"),
        &[2, 12_800],
        (0..2 * 12_800).map(|number| if number == 12_805 { f32::NAN } else { 0.5 }),
    );
    refused(&[], "row 1, number 5: expected a finite float32, found NaN");
    write_artifact(&path("x.npy"), b"PK\x03\x04").unwrap();
    refused(&[], "no npy header of version 1 to 3");
    write_artifact(&path("spec.json"), b"{\"layer\": \"block5_pool\"}").unwrap();
    refused(
        &["--spec", path("spec.json").to_str().unwrap()],
        "spec.json` holds no spec: missing field `architecture`",
    );
}
