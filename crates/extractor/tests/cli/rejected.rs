//! Photographs that cannot be read.

use std::path::Path;

use convbase_core::write_artifact;
use image::ImageFormat;

use super::support::*;

/// Three files that are no photographs, between those of `photographs`.
fn add_unreadable(images: &Path) {
    let jpeg = photograph(99, ImageFormat::Jpeg);
    write_artifact(&images.join("cats/0a.jpg"), &jpeg[..jpeg.len() / 2]).unwrap();
    write_artifact(&images.join("cats/2a.jpg"), b"a text").unwrap();
    write_artifact(&images.join("dogs/0a.png"), b"").unwrap();
}

const ERRORS: [(&str, &str); 3] = [
    ("cats/0a.jpg", "expected a whole JPEG, found no end-of-image marker: the file is truncated"),
    ("cats/2a.jpg", "expected an image (JPEG, PNG, BMP, GIF, WebP or TIFF), found bytes 61 20 74 65 78 74"),
    ("dogs/0a.png", "expected an image, found an empty file"),
];

#[test]
fn an_unreadable_photograph_is_recorded_and_counted_and_shifts_no_row_and_no_label() {
    let images = photographs([("cats", 5), ("dogs", 3)]);
    let [whole, broken] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    extract(0, images.path(), whole.path(), ["--batch-size", "1"]);
    add_unreadable(images.path());
    let said = extract(0, images.path(), broken.path(), ["--batch-size", "1", "--max-rejected", "1"]);

    assert_close(&features(broken.path()), &features(whole.path()));
    let labels = |store: &Path| array::<i64>(&store.join("labels-00000-of-00001.npy")).2;
    assert_eq!(labels(broken.path()), [0, 0, 0, 0, 0, 1, 1, 1]);
    assert_eq!(labels(broken.path()), labels(whole.path()));
    let lines = rows(broken.path(), "00000-of-00001");
    let (ok, rejected): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line["status"] == "ok");
    let row_numbers: Vec<u64> = ok.iter().map(|line| line["row"].as_u64().unwrap()).collect();
    assert_eq!((lines.len(), row_numbers), (11, (0..8).collect()));
    let paths: Vec<&str> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert!(paths.is_sorted());
    let found: Vec<_> = rejected
        .iter()
        .map(|line| (line["path"].as_str().unwrap(), line["error"].as_str().unwrap()))
        .collect();
    assert_eq!(found, ERRORS);
    assert!(rejected.iter().all(|line| line.get("row").is_none()));

    let receipt = json(&broken.path().join("shard-00000-of-00001.json"));
    let counts = ["images", "rows", "rejected"].map(|name| receipt[name].as_u64().unwrap());
    assert_eq!(counts, [11, 8, 3]);
    assert!(said.stderr.contains("listed 11 = embedded 8 + rejected 3"), "{}", said.stderr);
    for (path, error) in ERRORS {
        assert!(said.stderr.contains(&format!("rejected `{path}`: {error}")), "{}", said.stderr);
    }
    verify(0, broken.path());
}

#[test]
fn a_shard_without_a_readable_photograph_is_an_empty_array() {
    let (images, out) = (photographs([("a", 4)]), tempfile::tempdir().unwrap());
    for name in ["a/1.png", "a/2.png"] {
        write_artifact(&images.path().join(name), b"").unwrap();
    }
    write_artifact(&images.path().join("a/0a.png"), b"").unwrap();
    // Positions: 0 | 0a, 1 | 2, 3
    extract(0, images.path(), out.path(), ["--shard-size", "1", "--max-rejected", "0.6"]);
    let shape = |shard: usize| array::<f32>(&out.path().join(format!("features-0000{shard}-of-00005.npy"))).1;
    assert_eq!([0, 1, 2, 3, 4].map(|shard| shape(shard)[0]), [1, 0, 0, 0, 1]);
    assert_eq!(shape(2), [0, 1, 1, 512]);
    assert!(verify(0, out.path()).stdout.contains("5 shards, listed 5 = embedded 2 + rejected 3"));
}

#[test]
fn too_many_unreadable_photographs_are_all_listed_in_one_error() {
    let (images, out) = (photographs([("cats", 5), ("dogs", 3)]), tempfile::tempdir().unwrap());
    add_unreadable(images.path());
    let said = extract(1, images.path(), out.path(), ["--batch-size", "1"]);
    let errors: Vec<String> = ERRORS.iter().map(|(path, error)| format!("{path}: {error}")).collect();
    let expected = format!(
        "extractor: `{}`: expected at most 0 unreadable of 11 images, found 3: {}",
        images.path().display(),
        errors.join("; ")
    );
    let [.., error, hint] = said.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", said.stderr) };
    assert_eq!(error, expected);
    assert!(hint.starts_with("hint: ") && hint.contains("`--max-rejected SHARE`"), "{hint}");
    assert!(!out.path().join("shard-00000-of-00001.json").exists());
}

#[test]
fn the_greatest_share_is_counted_over_all_listed_photographs_and_strict_allows_none() {
    let images = photographs([("cats", 5), ("dogs", 3)]);
    add_unreadable(images.path());
    let run = |code: i32, options: [&str; 3]| {
        let out = tempfile::tempdir().unwrap();
        extract(code, images.path(), out.path(), options).stderr
    };
    run(0, ["-q", "--max-rejected", "0.28"]); // 3.08 of 11
    assert!(run(1, ["-q", "--max-rejected", "0.27"]).contains("at most 2 unreadable of 11 images, found 3"));
    assert!(
        run(1, ["--strict", "--max-rejected", "1"]).contains("at most 0 unreadable of 11 images, found 3")
    );
}

#[test]
fn shards_that_were_finished_before_the_limit_was_passed_are_kept() {
    let (images, out) = (photographs([("cats", 5), ("dogs", 3)]), tempfile::tempdir().unwrap());
    write_artifact(&images.path().join("dogs/9.jpg"), b"a text").unwrap();
    let small = ["--shard-size", "3", "--batch-size", "3"];
    extract(1, images.path(), out.path(), small);
    let before = files(out.path());
    assert!(!before.contains_key("shard-00002-of-00003.json"), "the unreadable one lies in the last shard");
    let said = extract(
        0,
        images.path(),
        out.path(),
        ["--shard-size", "3", "--batch-size", "3", "--max-rejected", "1"],
    );
    let after = files(out.path());
    assert_eq!(after.len(), 13);
    assert!(before.iter().all(|(name, bytes)| after[name] == *bytes), "a finished file changed");
    assert!(said.stderr.contains("listed 9 = embedded 8 + rejected 1"), "{}", said.stderr);
    // What finished shards rejected counts as well.
    let said = extract(1, images.path(), out.path(), ["--shard-size", "3", "--strict"]);
    assert!(
        said.stderr.contains("expected at most 0 unreadable of 9 images, found 1: dogs/9.jpg: "),
        "{}",
        said.stderr
    );
    assert!(files(out.path()) == after, "a refused run changed the store");
}

#[test]
fn a_folder_with_nothing_but_unreadable_photographs_says_so_for_each() {
    let (images, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for number in 0..12 {
        write_artifact(&images.path().join(format!("a/{number:02}.jpg")), b"").unwrap();
    }
    let said = extract(1, images.path(), out.path(), ["-q", "--max-rejected", "0.1"]);
    let error = said.stderr.lines().find(|line| line.starts_with("extractor: ")).unwrap();
    assert!(error.contains("expected at most 1 unreadable of 12 images, found 12: a/00.jpg: "), "{error}");
    assert_eq!(error.matches("found an empty file").count(), 12, "{error}");
}
