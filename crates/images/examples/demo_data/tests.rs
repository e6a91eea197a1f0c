//! The folder as a whole, and the little that must be right beneath it.

use std::collections::BTreeMap;
use std::{fs, path::Path, path::PathBuf};

use clap::Parser;

use crate::{Arguments, Plan, folder::MARKER, folder::make};

const SMALL: Plan = Plan { seed: 42, train: 8, test: 4 };

/// Every file below a folder by its relative path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
    files.map(|path| (path.strip_prefix(folder).unwrap().into(), fs::read(&path).unwrap())).collect()
}

/// The pictures of a plan by their relative paths.
fn pictures(plan: &Plan) -> BTreeMap<PathBuf, Vec<u8>> {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("demo");
    assert!(make(&out, plan).unwrap());
    let mut files = files(&out);
    files.remove(Path::new(MARKER)).expect("a finished folder has its marker");
    files
}

#[test]
fn these_are_the_pictures_of_this_version_and_seed_however_many_there_are() {
    // When this fails on purpose, raise VERSION in folder.rs too: folders of before are then told apart.
    let first = pictures(&SMALL);
    let fnv = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let digest = first.values().flatten().fold(0xcbf2_9ce4_8422_2325, fnv);
    assert_eq!(format!("{digest:016x}"), "c0d885550c4aca0a");
    let other = pictures(&Plan { seed: 43, ..SMALL });
    assert!(first.iter().all(|(path, bytes)| other.get(path) != Some(bytes)));
    let more = pictures(&Plan { train: 10, ..SMALL });
    assert!(first.iter().all(|(path, bytes)| more.get(path) == Some(bytes)));
}

#[test]
fn every_class_has_its_share_and_every_file_decodes() {
    let mut counts = BTreeMap::new();
    for (path, bytes) in &pictures(&SMALL) {
        let picture = image::load_from_memory(bytes).unwrap();
        let sides = [picture.width(), picture.height()];
        assert!(sides.iter().all(|side| (120..=400).contains(side)), "{}: {sides:?}", path.display());
        *counts.entry(path.parent().unwrap().to_path_buf()).or_insert(0) += 1;
    }
    let expected = [("test/feathers", 2), ("test/leaves", 2), ("train/feathers", 4), ("train/leaves", 4)];
    assert_eq!(counts, expected.map(|(folder, count)| (PathBuf::from(folder), count)).into());
}

#[test]
fn a_finished_folder_is_left_and_anything_else_refused() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("not/yet/there");
    assert!(make(&out, &SMALL).unwrap());
    let mut before = files(&out);
    assert!(!make(&out, &SMALL).unwrap(), "a second run does nothing");
    let failure = make(&out, &Plan { seed: 43, ..SMALL }).unwrap_err().to_string();
    assert!(failure.contains("\"seed\": 42"), "{failure}");
    assert_eq!(files(&out), before);
    assert_eq!(fs::read_dir(out.parent().unwrap()).unwrap().count(), 1, "nothing temporary is left");

    let file = parent.path().join("file");
    fs::rename(out.join(MARKER), &file).unwrap();
    before.remove(Path::new(MARKER));
    make(&out, &SMALL).unwrap_err();
    make(&file, &SMALL).unwrap_err();
    assert!(files(&out) == before && file.is_file());
}

#[test]
fn everything_but_the_folder_has_a_default_and_what_cannot_be_is_refused() {
    let parse = |line: &str| Arguments::try_parse_from(line.split(' ')).map_err(|error| error.to_string());
    let plan = |line: &str| parse(line).unwrap().plan;
    assert_eq!(plan("demo_data --out a"), Plan { seed: 42, train: 240, test: 1000 });
    assert_eq!(plan("demo_data --seed 7 --out a --train 4"), Plan { seed: 7, train: 4, test: 1000 });
    assert!(parse("demo_data").unwrap_err().contains("--out <DIR>"));
    for count in ["3", "0", "20002", "-2", "x"] {
        let refusal = parse(&format!("demo_data --out demo --train={count}")).unwrap_err();
        assert!(refusal.contains("expected an even number from 2 to 20000"), "{refusal}");
    }
}
