//! A writer that is misused or interrupted leaves no shard.

use convbase_core::exit::one_line;
use convbase_core::store::{CreateError, FeatureStore, StoreWriter, WriteError};
use convbase_core::{Classes, DataType, Sample, write_artifact};

use super::support::{Contents, contents, files};

#[test]
fn the_manifest_is_written_first_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    StoreWriter::create(&folder.path().join("a/b"), contents().manifest(), false).unwrap();
    assert_eq!(files(&folder.path().join("a/b")).into_keys().collect::<Vec<_>>(), ["manifest.json"]);
    let error = one_line(&FeatureStore::open(&folder.path().join("a/b")).unwrap_err());
    assert!(
        error.ends_with("is incomplete: expected 3 finished shards, found 0; missing 0, 1, 2"),
        "{error}"
    );
}

#[test]
fn a_shard_that_is_dropped_or_refused_leaves_nothing_behind() {
    let (folder, contents) = (tempfile::tempdir().unwrap(), contents());
    let store = StoreWriter::create(folder.path(), contents.manifest(), false).unwrap();
    let shard = store.manifest().shards().next().unwrap();
    let samples = contents.samples();
    let image = |number: usize| (&samples[number], contents.status(number));

    let mut writer = store.shard(shard).unwrap();
    writer.append(&[image(0)], &contents.row(0)).unwrap();
    let error = writer.append(&[image(1)], &contents.row(9)[1..]).unwrap_err();
    assert_eq!(error.to_string(), "features of 1 images: expected 256 bytes, found 255");
    let error = writer.append(&[image(2)], &contents.row(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "features of 0 images: expected 0 bytes, found 256",
        "a rejected image has none"
    );
    let more = Classes::new((0..9).map(|class| class.to_string()).collect()).unwrap();
    let stranger = Sample { path: "a".to_owned(), label: more.label("8").unwrap() };
    let error = writer.append(&[(&stranger, Ok(None))], &contents.row(0)).unwrap_err();
    assert_eq!(error.to_string(), "label of an image: expected one of 3 classes, found 8");
    assert!(!writer.is_full());
    let error = writer.finish(None).unwrap_err();
    assert!(matches!(error, WriteError::Images { expected: 3, found: 1, .. }), "{error}");
    assert_eq!(error.to_string(), "shard 00000-of-00003: expected 3 images, found 1");
    assert_eq!(files(folder.path()).len(), 1);

    let mut writer = store.shard(shard).unwrap();
    writer.append(&[image(0), image(1)], &[contents.row(0), contents.row(9)].concat()).unwrap();
    drop(writer);
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn beginning_a_shard_again_takes_its_receipt_away_first() {
    let (folder, contents) = (tempfile::tempdir().unwrap(), contents());
    contents.write(folder.path());
    let store = StoreWriter::create(folder.path(), contents.manifest(), false).unwrap();
    let shard = store.manifest().shards().nth(1).unwrap();
    assert_eq!(store.finished(shard).unwrap().rows, 3);
    drop(store.shard(shard).unwrap());
    assert!(store.finished(shard).is_none());
    let error = FeatureStore::open(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("expected 3 finished shards, found 2; missing 1"), "{error}");
}

#[test]
fn a_receipt_of_damaged_files_does_not_count_as_finished() {
    let (folder, contents) = (tempfile::tempdir().unwrap(), contents());
    contents.write(folder.path());
    let whole = files(folder.path());
    let store = StoreWriter::create(folder.path(), contents.manifest(), false).unwrap();
    let shard = store.manifest().shards().next().unwrap();
    for name in shard.files() {
        for bytes in [&whole[&name][1..], b"", &[&whole[&name][..], b"x"].concat()] {
            write_artifact(&folder.path().join(&name), bytes).unwrap();
            assert!(store.finished(shard).is_none(), "{name} of {} bytes", bytes.len());
        }
        write_artifact(&folder.path().join(&name), &whole[&name]).unwrap();
        assert!(store.finished(shard).is_some(), "{name}");
    }
}

#[test]
fn another_plan_is_refused_and_overwrite_removes_what_belongs_to_a_store() {
    let (folder, contents) = (tempfile::tempdir().unwrap(), contents());
    contents.write(folder.path());
    let before = files(folder.path());
    let other = Contents { shard_size: 5, dtype: DataType::Float16, ..contents };
    let error = StoreWriter::create(folder.path(), other.manifest(), false).unwrap_err();
    let expected = "holds another store: dtype: expected \"float16\", found \"float32\"; \
                    shard_size: expected 5, found 3; shards: expected 2, found 3";
    assert!(matches!(&error, CreateError::Differs { differences, .. } if differences.0.len() == 3));
    assert!(error.to_string().ends_with(expected), "{error}");
    assert!(files(folder.path()) == before, "a refused plan changed the store");

    write_artifact(&folder.path().join("notes.txt"), b"mine").unwrap();
    StoreWriter::create(folder.path(), other.manifest(), true).unwrap();
    assert_eq!(files(folder.path()).into_keys().collect::<Vec<_>>(), ["manifest.json", "notes.txt"]);
}
