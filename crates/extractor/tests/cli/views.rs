//! Several augmented views of each photograph.

use std::path::Path;
use std::process::{Command, Stdio};

use convbase_core::store::{FeatureStore, RowStatus};
use convbase_core::write_artifact;
use serde_json::json;

use super::support::*;

/// The smallest base of the catalogue, and four views by all layers.
const VIEWS: [&str; 12] = [
    "--base",
    "tiny",
    "--image-size",
    "32",
    "--shard-size",
    "3",
    "--batch-size",
    "5",
    "--views",
    "4",
    "--augment",
    "flip,rotate=0.1,zoom=0.2,translate=0.1,contrast=0.2",
];

/// `extractor extract` of views by the tiny base.
fn extract_views(code: i32, images: &Path, out: &Path, more: &[&str]) -> Said {
    let mut arguments = words(["extract", "--precision", "fp32", "--weights"]);
    arguments.push(TINY.as_os_str().into());
    arguments.extend(["--images".into(), images.into(), "--out".into(), out.into()]);
    // Said twice, an option is an error: more words replace those of the same option.
    let said = |option: &str| more.contains(&option);
    let usual = VIEWS.as_chunks::<2>().0.iter().filter(|[option, _]| !said(option));
    arguments.extend(usual.flatten().chain(more).map(Into::into));
    extractor(code, &arguments)
}

#[test]
fn every_photograph_has_its_views_in_a_row_and_view_0_is_the_photograph_itself() {
    let images = photographs([("cats", 4), ("dogs", 3)]);
    let [out, plain] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    write_artifact(&images.path().join("cats/1b.png"), b"no image").unwrap();
    let said = extract_views(0, images.path(), out.path(), &["--max-rejected", "0.5"]);
    assert!(said.stderr.contains("listed 8 = embedded 7 + rejected 1"), "{}", said.stderr);
    verify(0, out.path());

    let store = FeatureStore::open(out.path()).unwrap();
    assert_eq!((store.photographs(), store.rows(), store.views(), store.rejected()), (7, 28, 4, 1));
    assert_eq!(
        json(&out.path().join("manifest.json"))["views"],
        json!({"count": 4, "augment": VIEWS[11], "fill": "reflect", "interpolation": "bilinear", "seed": 42})
    );
    let records = store.records().unwrap();
    let views: Vec<Option<usize>> = records
        .iter()
        .map(|record| match record.status {
            RowStatus::Ok { view, .. } => view,
            RowStatus::Rejected { .. } => None,
        })
        .collect();
    let four = [0, 1, 2, 3].map(Some);
    assert_eq!(views[..8], [four, four].concat());
    assert_eq!((views[8], records[8].path.as_str()), (None, "cats/1b.png"));
    assert_eq!(views.len(), 29);

    let [a, b, c, d, e, f, ..] = VIEWS;
    let tiny = TINY.to_str().unwrap();
    extract(0, images.path(), plain.path(), ["--weights", tiny, a, b, c, d, e, f, "--max-rejected", "0.5"]);
    let plain = FeatureStore::open(plain.path()).unwrap();
    for photograph in 0..7 {
        let rows: Vec<_> = (0..4).map(|view| store.floats(photograph * 4 + view).unwrap().to_vec()).collect();
        assert_eq!(rows[0], plain.floats(photograph).unwrap()[..]);
        for (view, row) in rows.iter().enumerate() {
            assert!(!rows[..view].contains(row), "view {view} of photograph {photograph} is an earlier one");
        }
    }
}

#[test]
fn one_view_is_the_store_that_it_always_was() {
    let images = photographs([("cats", 2), ("dogs", 1)]);
    let [out, plain] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    extract(0, images.path(), plain.path(), []);
    extract(0, images.path(), out.path(), ["--views", "1"]);
    assert!(files(out.path()) == files(plain.path()), "the stores differ");
    assert_eq!(json(&out.path().join("manifest.json"))["format"], "convbase-features/1");
}

#[test]
fn seven_tasks_in_any_order_make_the_store_of_one_run_whatever_the_batches() {
    let (images, alone) = (photographs([("cats", 9), ("dogs", 10)]), tempfile::tempdir().unwrap());
    extract_views(0, images.path(), alone.path(), &[]);
    let merged = tempfile::tempdir().unwrap();
    for task in ["4", "0", "6", "2", "5", "1", "3"] {
        let machine = tempfile::tempdir().unwrap();
        // Views are drawn by any number of threads, and lie in batches of any size.
        let threads = if task > "3" { "1" } else { "3" };
        let more =
            ["--task-index", task, "--task-count", "7", "--decode-threads", threads, "--threads", threads];
        extract_views(0, images.path(), machine.path(), &more);
        for (name, bytes) in files(machine.path()) {
            write_artifact(&merged.path().join(name), &bytes).unwrap();
        }
    }
    assert!(files(merged.path()) == files(alone.path()), "the merged store differs");
    verify(0, merged.path());
}

#[test]
fn another_seed_fill_or_list_is_another_plan() {
    let (images, out) = (photographs([("a", 2)]), tempfile::tempdir().unwrap());
    extract_views(0, images.path(), out.path(), &[]);
    for (more, part) in [
        (["--augment-seed", "43"], "views.seed: expected 43, found 42"),
        (["--augment-fill", "wrap"], "views.fill: expected \"wrap\", found \"reflect\""),
        (
            ["--augment-interpolation", "nearest"],
            "views.interpolation: expected \"nearest\", found \"bilinear\"",
        ),
    ] {
        let said = extract_views(1, images.path(), out.path(), &more);
        assert!(said.stderr.contains(&format!("holds another store: {part}")), "{}", said.stderr);
    }
    let [a, b, c, d, e, f, ..] = VIEWS;
    let tiny = TINY.to_str().unwrap();
    let said = extract(1, images.path(), out.path(), ["--weights", tiny, a, b, c, d, e, f]);
    assert!(said.stderr.contains("format: expected \"convbase-features/1\""), "{}", said.stderr);
    assert!(said.stderr.contains("views: expected null, found {"), "{}", said.stderr);
}

#[test]
fn views_without_an_augmentation_and_the_reverse_are_usage_errors() {
    let start = ["extract", "--images", "a", "--out", "b"];
    for (more, part) in [
        (&["--views", "4"][..], "error: `--views 4`: expected `--augment LIST` as well, found none"),
        (&["--augment", "flip"], "error: `--augment`: expected `--views` of at least 2, found 1"),
        (&["--augment", "flip", "--views", "1"], "expected `--views` of at least 2, found 1"),
        (&["--views", "0"], "0 is not in 1..=1000"),
        (&["--views", "1001"], "1001 is not in 1..=1000"),
        (&["--views", "4", "--augment", "shear=0.1"], "expected layers of flip, rotate=F, zoom=F"),
        (
            &["--views", "4", "--augment", "flip,zoom=2"],
            "zoom: expected a factor above 0, 1 at most, found `2`",
        ),
        (&["--views", "4", "--augment", "flip,flip"], "expected each layer once, found `flip` twice"),
        (&["--augment-seed", "4"], "--augment <LIST>"),
        (
            &["--views", "4", "--augment", "flip", "--augment-fill", "mirror"],
            "fill: expected one of reflect, constant, nearest, wrap, found `mirror`",
        ),
        (
            &["--views", "4", "--augment", "flip", "--augment-interpolation", "lanczos"],
            "augment interpolation: expected one of nearest, bilinear, found `lanczos`",
        ),
    ] {
        let arguments: Vec<_> = start.iter().chain(more).map(Into::into).collect();
        let said = extractor(2, &arguments);
        assert!(said.stderr.contains(part), "{more:?}: {}", said.stderr);
    }
}

#[test]
fn the_disk_that_views_take_is_told_before_the_work_and_float16_where_they_are_many() {
    let images = photographs([("a", 3)]);
    let stderr = |more: &[&str]| {
        let out = tempfile::tempdir().unwrap();
        let said = extract_views(0, images.path(), out.path(), more).stderr;
        let row = json(&out.path().join("manifest.json"))["spec"]["shape"]
            .as_array()
            .unwrap()
            .iter()
            .fold(1, |product, side| product * side.as_u64().unwrap());
        (said, row)
    };
    let (said, row) = stderr(&[]);
    let told = format!("of disk: 3 photographs of 4 views of {} bytes", row * 4);
    let (disk, end) = (said.find(&told).unwrap(), said.find("listed 3 = embedded 3").unwrap());
    assert!(disk < end && said[..disk].contains("4 views, flip,rotate=0.1,"), "{said}");
    assert!(!said.contains("--dtype float16"), "{said}");
    let five = ["--views", "5"];
    let (said, _) = stderr(&five);
    assert!(said.contains("with `--dtype float16` it would take "), "{said}");
    let (said, _) = stderr(&["--views", "5", "--dtype", "float16"]);
    assert!(!said.contains("--dtype float16"), "{said}");
}

#[test]
fn inspect_tells_the_views_to_people_and_to_programs() {
    let (images, out) = (photographs([("cats", 2), ("dogs", 1)]), tempfile::tempdir().unwrap());
    extract_views(0, images.path(), out.path(), &[]);
    let inspect = |more: &[&str]| {
        let mut arguments = vec!["inspect".into(), out.path().into()];
        arguments.extend(more.iter().map(Into::into));
        extractor(0, &arguments).stdout
    };
    let text = inspect(&[]);
    let line = format!(
        "rows           12: of each photograph 4 views, {}, fill reflect, bilinear, seed 42",
        VIEWS[11]
    );
    assert!(text.contains(&line) && text.contains("listed 3 = embedded 3 + rejected 0"), "{text}");
    let value: serde_json::Value = serde_json::from_str(&inspect(&["--json"])).unwrap();
    assert_eq!((&value["embedded"], &value["rows"]), (&json!(3), &json!(12)));
    assert_eq!(value["manifest"]["views"]["count"], 4);
    assert_eq!(value["rows_per_class"][0], json!({"class": "cats", "rows": 8}));
}

#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_or_killed_and_run_again_ends_at_the_same_bytes() {
    let (images, alone) = (photographs([("cats", 100), ("dogs", 100)]), tempfile::tempdir().unwrap());
    extract_views(0, images.path(), alone.path(), &[]);
    let whole = files(alone.path());
    for signal in ["-TERM", "-KILL"] {
        let out = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_extractor"))
            .args(["extract", "-q", "--precision", "fp32", "--weights"])
            .arg(&*TINY)
            .args(["--images".as_ref(), images.path().as_os_str(), "--out".as_ref(), out.path().as_os_str()])
            .args(VIEWS)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The first receipt says that the work has begun.
        while !has_receipt(out.path()) && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        if signal == "-TERM" {
            assert_eq!(output.status.code(), Some(75), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let stopped = files(out.path());
        let finished = stopped.keys().filter(|name| name.starts_with("shard-")).count();
        assert!((1..67).contains(&finished), "{finished} of 67 shards: it was not interrupted");
        extract_views(0, images.path(), out.path(), &[]);
        assert!(files(out.path()) == whole, "{signal}: the resumed store differs");
        verify(0, out.path());
    }
}
