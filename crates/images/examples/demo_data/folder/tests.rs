use std::collections::BTreeMap;

use super::*;

const SMALL: Plan = Plan { seed: 42, train: 8, test: 4 };

/// Every file below a folder by its relative path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_path_buf(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn made(plan: &Plan) -> BTreeMap<PathBuf, Vec<u8>> {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("demo");
    assert_eq!(make(&out, plan).unwrap(), Outcome::Made);
    files(&out)
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let (first, again) = (made(&SMALL), made(&SMALL));
    assert_eq!(first, again);
    let other = made(&Plan { seed: 43, ..SMALL });
    assert!(first.iter().all(|(path, bytes)| other.get(path) != Some(bytes)));
}

#[test]
fn more_pictures_do_not_change_the_others() {
    let (few, more) = (made(&SMALL), made(&Plan { train: 10, ..SMALL }));
    for (path, bytes) in few.iter().filter(|(path, _)| !path.ends_with(MARKER)) {
        assert_eq!(more.get(path), Some(bytes), "{}", path.display());
    }
}

#[test]
fn every_class_has_its_share_and_every_file_decodes() {
    let mut counts = BTreeMap::new();
    for (path, bytes) in made(&SMALL).iter().filter(|(path, _)| !path.ends_with(MARKER)) {
        let picture = image::load_from_memory(bytes).unwrap();
        for side in [picture.width(), picture.height()] {
            assert!((120..=400).contains(&side), "{}: {side} pixels", path.display());
        }
        *counts.entry(path.parent().unwrap().to_path_buf()).or_insert(0) += 1;
    }
    let expected = [("test/feathers", 2), ("test/leaves", 2), ("train/feathers", 4), ("train/leaves", 4)];
    assert_eq!(counts, expected.map(|(folder, count)| (PathBuf::from(folder), count)).into());
}

#[test]
fn a_second_run_does_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("not/yet/there");
    assert_eq!(make(&out, &SMALL).unwrap(), Outcome::Made);
    let before = files(&out);
    assert_eq!(make(&out, &SMALL).unwrap(), Outcome::AlreadyThere);
    assert_eq!(files(&out), before);
    assert_eq!(fs::read_dir(out.parent().unwrap()).unwrap().count(), 1, "nothing temporary is left");
}

#[test]
fn a_folder_with_anything_else_is_refused_and_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("demo");
    make(&out, &SMALL).unwrap();
    let before = files(&out);
    let failure = make(&out, &Plan { seed: 43, ..SMALL }).unwrap_err();
    assert!(failure.to_string().contains("\"seed\": 42"), "{failure}");
    assert_eq!(failure.code, 1);

    fs::remove_file(out.join(MARKER)).unwrap();
    make(&out, &SMALL).unwrap_err();
    assert_eq!(files(&out).len(), before.len() - 1);

    let file = parent.path().join("file");
    fs::hard_link(out.join(before.keys().next_back().unwrap()), &file).unwrap();
    make(&file, &SMALL).unwrap_err();
    assert!(file.is_file());
}

#[test]
fn these_are_the_pictures_of_this_version() {
    // When this fails on purpose, raise VERSION in plan.rs too: folders of before are then told apart.
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for bytes in made(&SMALL).values() {
        digest =
            bytes.iter().fold(digest, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
    assert_eq!(format!("{digest:016x}"), "30c7ab6775efd9ae");
}
