//! A folder that holds a store already.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use convbase_core::write_artifact;

use super::support::*;

/// Does something to the file of this name.
type Damage<'a> = &'a dyn Fn(&str);

/// Each file's number in the file system: a file that is written again gets another one.
fn numbers(folder: &Path) -> BTreeMap<String, u64> {
    files(folder)
        .into_keys()
        .map(|name| {
            let number = folder.join(&name).metadata().unwrap().ino();
            (name, number)
        })
        .collect()
}

#[test]
fn finished_shards_are_kept_and_only_the_damaged_one_is_made_again() {
    let (images, out) = (photographs([("cats", 5), ("dogs", 3)]), tempfile::tempdir().unwrap());
    let size = ["--shard-size", "3"];
    extract(0, images.path(), out.path(), size);
    let (whole, untouched) = (files(out.path()), numbers(out.path()));

    let said = extract(0, images.path(), out.path(), size);
    assert!(said.stderr.contains("3 of 3 shards are finished and kept"), "{}", said.stderr);
    assert_eq!(numbers(out.path()), untouched, "a finished store was written again");

    let flipped = |name: &str| {
        let mut bytes = whole[name].clone();
        *bytes.last_mut().unwrap() ^= 1;
        write_artifact(&out.path().join(name), &bytes).unwrap();
    };
    let damages: [(&str, Damage); 5] = [
        ("features-00001-of-00003.npy", &|name| std::fs::remove_file(out.path().join(name)).unwrap()),
        ("features-00001-of-00003.npy", &flipped),
        ("labels-00001-of-00003.npy", &flipped),
        ("rows-00001-of-00003.jsonl", &|name| write_artifact(&out.path().join(name), b"").unwrap()),
        ("shard-00001-of-00003.json", &|name| write_artifact(&out.path().join(name), b"{").unwrap()),
    ];
    for (name, damage) in damages {
        damage(name);
        let said = extract(0, images.path(), out.path(), size);
        assert!(said.stderr.contains("2 of 3 shards are finished and kept"), "{name}: {}", said.stderr);
        assert!(files(out.path()) == whole, "{name}: the store is not what it was");
        let kept = |numbers: BTreeMap<String, u64>| {
            numbers.into_iter().filter(|(name, _)| !name.contains("00001-of")).collect::<Vec<_>>()
        };
        assert_eq!(kept(numbers(out.path())), kept(untouched.clone()), "{name}");
    }
}

#[test]
fn another_plan_in_the_folder_is_refused_with_every_field_that_differs() {
    let (images, out) = (photographs([("cats", 2), ("dogs", 1)]), tempfile::tempdir().unwrap());
    extract(0, images.path(), out.path(), []);
    let before = files(out.path());
    let other = ["--layer", "block4_pool", "--dtype", "float16", "--shard-size", "2", "--preprocess", "tf"];
    let said = extract(1, images.path(), out.path(), other);
    let start = format!("extractor: `{}` holds another store: ", out.path().display());
    let error = said.stderr.lines().find_map(|line| line.strip_prefix(start.as_str())).unwrap();
    let found: Vec<&str> =
        error.split("; ").filter(|difference| !difference.starts_with("feature_id: ")).collect();
    assert_eq!(
        found,
        [
            "dtype: expected \"float16\", found \"float32\"",
            "shard_size: expected 2, found 1024",
            "shards: expected 2, found 1",
            "spec.layer: expected \"block4_pool\", found \"block5_pool\"",
            "spec.preprocess: expected \"tf\", found \"caffe\"",
            "spec.shape: expected [2,2,512], found [1,1,512]",
        ]
    );
    assert!(error.contains("feature_id: expected \"sha256:"), "{error}");
    assert!(
        said.stderr.ends_with(
            "hint: give another `--out`, the options of the store that is there, or `--overwrite`\n"
        )
    );
    assert!(files(out.path()) == before, "a refused run changed the store");
}

#[test]
fn other_photographs_are_another_plan() {
    let (images, out) = (photographs([("cats", 2), ("dogs", 1)]), tempfile::tempdir().unwrap());
    extract(0, images.path(), out.path(), []);
    std::fs::rename(images.path().join("cats/1.png"), images.path().join("cats/2.png")).unwrap();
    let said = extract(1, images.path(), out.path(), []);
    assert!(said.stderr.contains("holds another store: listing.sha256: expected \""), "{}", said.stderr);
    std::fs::remove_file(images.path().join("cats/2.png")).unwrap();
    let said = extract(1, images.path(), out.path(), []);
    assert!(said.stderr.contains("listing.images: expected 2, found 3"), "{}", said.stderr);
}

#[test]
fn overwrite_replaces_the_store_and_leaves_foreign_files_alone() {
    let images = photographs([("cats", 2), ("dogs", 1)]);
    let [out, fresh] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    extract(0, images.path(), out.path(), ["--shard-size", "1"]);
    let foreign = ["notes.txt", "features-1.npy", "features-00000-of-00003.npy.bak"];
    for name in foreign {
        write_artifact(&out.path().join(name), b"mine").unwrap();
    }
    extract(0, images.path(), out.path(), ["--shard-size", "2", "--overwrite"]);
    extract(0, images.path(), fresh.path(), ["--shard-size", "2"]);
    let mut found = files(out.path());
    for name in foreign {
        assert_eq!(found.remove(name).as_deref(), Some(&b"mine"[..]), "{name}");
    }
    assert!(found == files(fresh.path()), "files of the earlier plan are left, or the new ones differ");
}

#[test]
fn shards_without_a_manifest_are_not_taken_over() {
    let (images, out) = (photographs([("a", 1)]), tempfile::tempdir().unwrap());
    write_artifact(&out.path().join("features-00000-of-00001.npy"), b"whose").unwrap();
    let said = extract(1, images.path(), out.path(), []);
    let expected =
        "expected shard files with a manifest.json, found `features-00000-of-00001.npy` without one\nhint: ";
    assert!(said.stderr.contains(expected), "{}", said.stderr);
    extract(0, images.path(), out.path(), ["--overwrite"]);
    verify(0, out.path());
}

#[test]
fn a_manifest_that_cannot_be_read_is_refused_and_can_be_replaced() {
    let (images, out) = (photographs([("a", 1)]), tempfile::tempdir().unwrap());
    write_artifact(&out.path().join("manifest.json"), b"{\"format\": ").unwrap();
    let said = extract(1, images.path(), out.path(), []);
    assert!(said.stderr.contains("manifest.json` is no manifest of a feature store: EOF"), "{}", said.stderr);
    extract(0, images.path(), out.path(), ["--overwrite"]);
    verify(0, out.path());
}
