//! Photographs that a file names and that are left out.

use convbase_core::write_artifact;
use serde_json::json as value;

use super::hostile::{check, put, tiny};
use super::support::*;

/// The paths of a store of one shard.
fn paths(store: &std::path::Path) -> Vec<String> {
    let path = |row: &serde_json::Value| row["path"].as_str().unwrap().to_owned();
    rows(store, "00000-of-00001").iter().map(path).collect()
}

#[test]
fn a_store_without_excluded_photographs_is_that_of_a_folder_without_them() {
    let (images, folder) = (photographs([("cats", 3), ("dogs", 3)]), tempfile::tempdir().unwrap());
    // Not even opened: it would be rejected.
    put(images.path(), "dogs/broken.jpg", b"x");
    let list = folder.path().join("exclude.txt");
    write_artifact(&list, "# doubtful\r\ncats/1.png\r\n\r\n\"dogs/broken.jpg\"\r\n".as_bytes()).unwrap();
    let [excluded, alone] = ["excluded", "alone"].map(|name| folder.path().join(name));
    let said = tiny(0, images.path(), &excluded, ["--exclude", list.to_str().unwrap(), "--strict"]);
    assert!(said.stderr.contains(": 5 photographs, and 2 excluded\n"), "{}", said.stderr);
    assert!(said.stderr.contains("listed 5 = embedded 5 + rejected 0, and 2 excluded\n"), "{}", said.stderr);
    assert!(!said.stderr.contains("WARN"), "{}", said.stderr);
    assert_eq!(paths(&excluded), ["cats/0.png", "cats/2.png", "dogs/0.png", "dogs/1.png", "dogs/2.png"]);

    for name in ["cats/1.png", "dogs/broken.jpg"] {
        std::fs::remove_file(images.path().join(name)).unwrap();
    }
    let said = tiny(0, images.path(), &alone, []);
    assert!(!said.stderr.contains("excluded"), "{}", said.stderr);
    assert!(files(&excluded) == files(&alone), "the stores differ");
}

#[test]
fn tasks_with_the_same_list_make_one_store_and_a_task_without_it_is_refused() {
    let (images, folder) = (photographs([("cats", 5), ("dogs", 5)]), tempfile::tempdir().unwrap());
    let list = folder.path().join("exclude.txt");
    write_artifact(&list, "cats/0.png\ndogs/4.png\n".as_bytes()).unwrap();
    let list = list.to_str().unwrap();
    let [whole, tasks] = ["whole", "tasks"].map(|name| folder.path().join(name));
    tiny(0, images.path(), &whole, ["--shard-size", "2", "--exclude", list]);
    for index in ["1", "0"] {
        let more = ["--shard-size", "2", "--exclude", list, "--task-index", index, "--task-count", "2"];
        tiny(0, images.path(), &tasks, more);
    }
    assert!(files(&whole) == files(&tasks), "the stores differ");
    let said = tiny(1, images.path(), &tasks, ["--shard-size", "2"]);
    assert!(said.stderr.contains("listing.images: expected 10, found 8"), "{}", said.stderr);
}

#[test]
fn paths_that_name_no_listed_photograph_are_told_together_and_change_nothing() {
    let (images, folder) = (photographs([("cats", 2), ("dogs", 2)]), tempfile::tempdir().unwrap());
    put(images.path(), "cats/notes.txt", b"x");
    let list = folder.path().join("exclude.txt");
    let text = "train/cats/0.png\n/cats/0.png\ncats/notes.txt\ncats/0.png\n../cats/1.png\n";
    write_artifact(&list, text.as_bytes()).unwrap();
    let list = list.to_str().unwrap();
    let said = tiny(0, images.path(), &folder.path().join("store"), ["--exclude", list]);
    let warning = "4 paths of the exclusions name no photograph that would be listed: ../cats/1.png, /cats/0.png, \
                   cats/notes.txt, train/cats/0.png\n";
    assert!(said.stderr.contains(warning), "{}", said.stderr);
    assert!(said.stderr.contains("listed 3 = embedded 3 + rejected 0, and 1 excluded\n"), "{}", said.stderr);

    let said = check(1, images.path(), ["--exclude", list]);
    assert!(said.stdout.contains(": 3 photographs in 2 classes, 1 excluded: not decoded"), "{}", said.stdout);
    assert!(said.stdout.contains(warning), "{}", said.stdout);
    let said = check(1, images.path(), ["--exclude", list, "--json"]);
    let found: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let unknown = ["../cats/1.png", "/cats/0.png", "cats/notes.txt", "train/cats/0.png"];
    assert_eq!(found["excluded"], value!({"photographs": 1, "unknown": unknown}));
    let said = check(0, images.path(), ["--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&said.stdout).unwrap()["excluded"], value!(null));
}

#[test]
fn a_list_that_is_no_text_or_empties_a_class_is_refused_before_anything_is_made() {
    let (images, folder) = (photographs([("cats", 1), ("dogs", 1)]), tempfile::tempdir().unwrap());
    let (list, out) = (folder.path().join("exclude.txt"), folder.path().join("store"));
    let name = list.to_str().unwrap();
    write_artifact(&list, b"cats/0.png\n\x89PNG\r\n").unwrap();
    for said in
        [tiny(1, images.path(), &out, ["--exclude", name]), check(1, images.path(), ["--exclude", name])]
    {
        let error = format!(
            "extractor: `{name}`: line 2: expected a list of paths, one a line, in UTF-8, found bytes that are no text\n\
             hint: `--exclude` takes a text with a path on each line, relative to the folder of the photographs\n"
        );
        assert_eq!(said.stderr, error);
    }
    write_artifact(&list, "cats/0.png\n".as_bytes()).unwrap();
    let said = tiny(1, images.path(), &out, ["--exclude", name]);
    assert!(said.stderr.contains("of every class, found none of cats"), "{}", said.stderr);
    let said = tiny(1, images.path(), &out, ["--exclude", "/no/list"]);
    assert!(said.stderr.starts_with("extractor: cannot read `/no/list`: "), "{}", said.stderr);
    assert!(!out.exists());
}
