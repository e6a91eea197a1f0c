//! Files that appear whole or not at all.

use super::*;
use crate::exit::one_line;

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_finished_file_is_whole_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/file.json");
    write_json(&path, &[7]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "[\n  7\n]\n");
    assert_eq!(names(path.parent().unwrap()), ["file.json"]);
}

#[test]
fn an_unfinished_file_leaves_the_old_one_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    write_artifact(&path, b"old").unwrap();
    let mut artifact = Artifact::create(&path).unwrap();
    artifact.write_all(b"half").unwrap();
    drop(artifact);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn an_unfinished_file_takes_the_folders_along_that_were_made_for_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Artifact::create(&folder.path().join("a/b/file")).unwrap());
    assert!(names(folder.path()).is_empty());
    let unfinished = Artifact::create(&folder.path().join("a/b/file")).unwrap();
    write_artifact(&folder.path().join("a/other"), b"").unwrap();
    drop(unfinished);
    assert_eq!(names(&folder.path().join("a")), ["other"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_that_syncs_no_folders_is_no_failure_and_a_broken_one_is() {
    // Linux' numbers.
    let [eio, einval, enosys, eopnotsupp] = [5, 22, 38, 95];
    let passes = |code| knows_no_folder_sync(&io::Error::from_raw_os_error(code));
    assert_eq!([einval, enosys, eopnotsupp, eio].map(passes), [true, true, true, false]);
    sync_folder(tempfile::tempdir().unwrap().path()).unwrap();
}

#[test]
fn only_the_files_of_dead_writers_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let alive = Artifact::create(&folder.path().join("alive.npy")).unwrap();
    let mut dead = Artifact::create(&folder.path().join("dead.npy")).unwrap();
    dead.write_all(b"half").unwrap();
    // What a killed process leaves: the file stays, its lock goes.
    let (Temporary(file), _) = dead.file.into_parts();
    drop(file.keep().unwrap());
    write_artifact(&folder.path().join(".foreign.tmp"), b"").unwrap();
    assert_eq!(remove_abandoned(folder.path()).unwrap(), 1);
    alive.finish().unwrap();
    let mut left = names(folder.path());
    left.sort();
    assert_eq!(left, [".foreign.tmp", "alive.npy"]);
}

#[test]
fn a_new_file_does_not_replace_one_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    assert!(Artifact::create(&path).unwrap().finish_new().unwrap());
    let mut second = Artifact::create(&path).unwrap();
    second.write_all(b"other").unwrap();
    assert!(!second.finish_new().unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn what_was_written_can_be_read_back_before_it_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut artifact = Artifact::create(&folder.path().join("file")).unwrap();
    artifact.write_all(b"abcd").unwrap();
    artifact.seek(SeekFrom::Start(1)).unwrap();
    artifact.write_all(b"X").unwrap();
    let mut seen = Vec::new();
    artifact.read_back(|bytes| seen.extend_from_slice(bytes)).unwrap();
    assert_eq!(seen, b"aXcd");
}

#[test]
fn a_file_in_place_of_a_folder_is_an_error_that_names_the_target() {
    let folder = tempfile::tempdir().unwrap();
    write_artifact(&folder.path().join("file"), b"").unwrap();
    let error = write_artifact(&folder.path().join("file/inner"), b"").unwrap_err();
    assert!(error.to_string().contains("file/inner"));
    assert!(
        !one_line(&error).contains("/.inner."),
        "the temporary file's name is nobody's business: {error:?}"
    );
}
