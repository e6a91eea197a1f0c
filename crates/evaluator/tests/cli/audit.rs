//! `evaluator audit`: doubtful labels, twins and odd ones out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Parser;
use convbase_core::{Digest, Exclusions, Preprocess, write_artifact};
use serde_json::Value;
use tempfile::TempDir;

use super::audit_store::AuditStore;
use super::support::*;
use super::views::TINY;

fn audit(code: i32, stores: &[&Path], out: &Path, more: &[&str]) -> Said {
    let mut arguments = words(["audit"]);
    arguments.extend(stores.iter().map(|store| OsString::from(*store)));
    arguments.extend(["--out".into(), out.into()]);
    arguments.extend(more.iter().map(OsString::from));
    evaluator(code, &arguments)
}

/// A table's lines without its header, which must be this.
#[track_caller]
fn table(path: &Path, header: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(header));
    lines.map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn labels(out: &Path) -> Vec<Vec<String>> {
    table(&out.join("labels.csv"), "store,path,label,suggestion,self_confidence,suggestion_probability")
}

fn twins(out: &Path) -> Vec<Vec<String>> {
    table(&out.join("twins.csv"), "set,store,path,label,kind,cosine")
}

fn outliers(out: &Path) -> Vec<Vec<String>> {
    table(&out.join("outliers.csv"), "store,path,label,distance,deviations")
}

fn summary(out: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(out.join("audit.json")).unwrap()).unwrap()
}

fn excluded(path: &Path) -> Vec<String> {
    Exclusions::open(path).unwrap().paths().map(str::to_owned).collect()
}

#[test]
fn swapped_labels_copies_and_odd_ones_are_found_and_nothing_else() {
    let mut made = AuditStore::of(&["cats", "dogs"], 40);
    made.rows[3].kind = 1; // What lies under cats and looks like a dog,
    made.rows[52].kind = 0; // and the other way round.
    made.rows[20] = made.rows[9].clone(); // The same file,
    made.rows[60].numbers = made.rows[45].numbers.iter().map(|number| number * 1.01 + 0.01).collect(); // and a copy.
    made.rows[70].is_odd = true;
    let (features, folder) = (made.in_folder(), tempfile::tempdir().unwrap());
    let out = folder.path().join("audit");
    let said = audit(0, &[features.path()], &out, &[]);
    assert_eq!(said.stdout, "");

    let doubtful: Vec<String> = labels(&out).into_iter().map(|line| line[..4].join(" ")).collect();
    assert_eq!(sorted(doubtful), ["1 cats/003.jpg cats dogs", "1 dogs/052.jpg dogs cats"]);
    let found: Vec<String> = twins(&out).into_iter().map(|line| line[..5].join(" ")).collect();
    let expected = [
        "1 1 cats/009.jpg cats first",
        "1 1 cats/020.jpg cats same file",
        "2 1 dogs/045.jpg dogs first",
        "2 1 dogs/060.jpg dogs similar",
    ];
    assert_eq!(found, expected);
    assert_eq!(outliers(&out)[0][1], "dogs/070.jpg");
    assert_eq!(
        excluded(&out.join("exclude.txt")),
        ["cats/003.jpg", "cats/020.jpg", "dogs/052.jpg", "dogs/060.jpg"]
    );
    let summary = summary(&out);
    assert_eq!((&summary["format"], &summary["excluded"]), (&"convbase-audit/1".into(), &4.into()));
    assert_eq!((&summary["labels"]["doubtful"], &summary["labels"]["photographs"]), (&2.into(), &80.into()));
    assert_eq!(
        summary["twins"],
        serde_json::json!({
            "sets": 2, "photographs": 2, "same_file": 1, "similar": 1, "sets_between_stores": 0,
            "sets_of_several_labels": 0,
        })
    );
    assert!(
        said.stderr
            .contains("of 80 photographs 2 have doubtful labels, 2 are twins of others (2 sets, 0 of them")
    );
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn the_bytes_are_the_same_for_any_number_of_threads_and_the_stores_stay_as_they_are() {
    let made = AuditStore::of(&["ants", "bees", "cats"], 30);
    let (features, folder) = (made.in_folder(), tempfile::tempdir().unwrap());
    let before = files(features.path());
    let run = |name: &str, threads: &str| {
        let out = folder.path().join(name);
        audit(0, &[features.path()], &out, &["--threads", threads]);
        files(&out)
    };
    let one = run("one", "1");
    assert!(one == run("three", "3"), "the audits differ");
    assert!(one == run("one", "2"), "a repeated audit differs");
    assert!(before == files(features.path()), "the store was changed");
    let names: Vec<&str> = one.keys().map(String::as_str).collect();
    let expected = [
        "audit.html",
        "audit.json",
        "exclude.txt",
        "held_out.csv",
        "labels.csv",
        "outliers.csv",
        "twins.csv",
    ];
    assert_eq!(names, expected);
    audit(0, &[features.path()], &folder.path().join("plain"), &["--no-page"]);
    assert!(!folder.path().join("plain/audit.html").exists());
}

#[test]
fn held_out_probabilities_are_those_of_the_trainer_s_probe() {
    let (features, folder) =
        (AuditStore::of(&["cats", "dogs"], 30).in_folder(), tempfile::tempdir().unwrap());
    let [audited, probed] = ["audited", "probed"].map(|name| folder.path().join(name));
    audit(0, &[features.path()], &audited, &["--seed", "7", "--folds", "4"]);
    let mut arguments = words(["trainer", "probe", "--seed", "7", "--folds", "4", "--features"]);
    arguments.extend([features.path().into(), "--out".into(), probed.clone().into()]);
    trainer::run(trainer::Arguments::parse_from(arguments)).unwrap();
    let ours = table(&audited.join("held_out.csv"), "store,path,label,fold,prob_cats,prob_dogs");
    let theirs = table(&probed.join("held_out.csv"), "path,label,fold,prob_cats,prob_dogs");
    let ours: Vec<Vec<String>> = ours.into_iter().map(|line| line[1..].to_vec()).collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 60);
}

#[test]
fn leaks_between_stores_are_told_and_each_store_has_a_list_of_its_own() {
    let train = AuditStore::of(&["cats", "dogs"], 25);
    let mut test = AuditStore::of(&["cats", "dogs"], 25);
    test.rows = AuditStore::drawn(&["cats", "dogs"], 25, 2);
    test.rows[4] = train.rows[7].clone();
    let (train, test, folder) = (train.in_folder(), test.in_folder(), tempfile::tempdir().unwrap());
    let out = folder.path();
    audit(0, &[train.path()], out, &["--no-page"]);
    std::fs::copy(out.join("exclude.txt"), out.join("exclude-3.txt")).unwrap();
    write_artifact(&out.join("exclude-4.txt"), b"cats/of-somebody-else.jpg\n").unwrap();
    audit(0, &[train.path(), test.path()], out, &[]);
    let found: Vec<String> = twins(out).into_iter().map(|line| line[1..5].join(" ")).collect();
    assert_eq!(found, ["1 cats/007.jpg cats first", "2 cats/004.jpg cats same file"]);
    assert!(excluded(&out.join("exclude-1.txt")).iter().all(|path| path != "cats/007.jpg"));
    assert!(excluded(&out.join("exclude-2.txt")).contains(&"cats/004.jpg".to_owned()));
    assert!(!out.join("exclude.txt").exists() && !out.join("exclude-3.txt").exists());
    assert!(out.join("exclude-4.txt").exists(), "no list of an audit");
    let text = std::fs::read_to_string(out.join("exclude-2.txt")).unwrap();
    assert!(text.contains("# twin of cats/007.jpg of store 1:\ncats/004.jpg\n"), "{text}");
    let stores = &summary(out)["stores"];
    assert_eq!(stores[1]["twins_of_other_stores"], 1);
    assert_eq!(
        (&stores[0]["exclusions"], &stores[1]["exclusions"]),
        (&"exclude-1.txt".into(), &"exclude-2.txt".into())
    );
    assert_eq!(summary(out)["twins"]["sets_between_stores"], 1);
    // The first store's photograph stays, whichever it is.
    let other = folder.path().join("other");
    audit(0, &[test.path(), train.path()], &other, &[]);
    assert!(excluded(&other.join("exclude-2.txt")).contains(&"cats/007.jpg".to_owned()));
}

#[test]
fn classes_are_matched_by_name_and_those_that_cannot_be_judged_are_told() {
    let first = AuditStore::of(&["cats", "dogs"], 12);
    let mut second = AuditStore::of(&["birds", "cats", "dogs"], 12);
    second.rows = AuditStore::drawn(&["birds", "cats", "dogs"], 12, 9);
    second.rows.retain(|row| row.class != "birds" || row.number < 3);
    let (first, second, folder) = (first.in_folder(), second.in_folder(), tempfile::tempdir().unwrap());
    let said = audit(0, &[first.path(), second.path()], folder.path(), &[]);
    let warning = "class `birds`: 3 photographs are too few for 5 folds: its labels are not audited";
    assert!(said.stderr.contains(warning), "{}", said.stderr);
    let held_out = table(&folder.path().join("held_out.csv"), "store,path,label,fold,prob_cats,prob_dogs");
    assert_eq!(held_out.len(), 48);
    assert!(held_out.iter().all(|line| line[1].starts_with(&line[2])), "labels are those of the paths");
    let found = summary(folder.path());
    assert_eq!(found["classes"], serde_json::json!(["cats", "dogs", "birds"]));
    assert_eq!(found["labels"]["photographs"], 48);

    let alone = AuditStore::of(&["cats"], 12).in_folder();
    let out = folder.path().join("alone");
    let said = audit(0, &[alone.path()], &out, &[]);
    assert!(said.stderr.contains("labels are not audited: that takes two classes"), "{}", said.stderr);
    assert_eq!((summary(&out)["labels"].clone(), labels(&out).len()), (Value::Null, 0));
    assert!(table(&out.join("held_out.csv"), "store,path,label,fold,prob_cats").is_empty());
}

#[test]
fn stores_that_were_not_made_alike_are_refused_with_what_differs() {
    let first = AuditStore::of(&["cats", "dogs"], 6);
    let mut other = AuditStore::of(&["cats", "dogs"], 6);
    other.spec.preprocess = Preprocess::Caffe;
    let (first, other, folder) = (first.in_folder(), other.in_folder(), tempfile::tempdir().unwrap());
    let out = folder.path().join("audit");
    let said = audit(1, &[first.path(), other.path()], &out, &[]);
    let expected = format!(
        "cannot audit `{}` together with `{}`: preprocess: expected \"rescale\", found \"caffe\"",
        other.path().display(),
        first.path().display()
    );
    assert_eq!(error_of(&said), expected);
    assert!(said.stderr.contains("hint: extract both with the same options"), "{}", said.stderr);
    let said = audit(1, &[first.path()], &out, &["--images", "/tmp", "/tmp"]);
    assert_eq!(error_of(&said), "`--images`: expected one folder for each of 1 stores, found 2");
    let said = audit(1, &[first.path()], &out, &["--images", "/no/folder"]);
    assert!(error_of(&said).starts_with("cannot list `/no/folder`: "), "{}", said.stderr);
    let said = audit(1, &[&folder.path().join("none")], &out, &[]);
    assert!(error_of(&said).contains("manifest.json"), "{}", said.stderr);
    assert!(!out.exists());
}

#[test]
fn numbers_that_are_not_finite_and_damaged_stores_are_refused() {
    let mut made = AuditStore::of(&["cats", "dogs"], 6);
    made.rows[8].numbers[3] = f32::NAN;
    let (features, folder) = (made.in_folder(), tempfile::tempdir().unwrap());
    let out = folder.path().join("audit");
    let said = audit(1, &[features.path()], &out, &[]);
    let row = format!("`{}`: row 8: expected finite features, found NaN", features.path().display());
    assert_eq!(error_of(&said), row);

    let features = AuditStore::of(&["cats", "dogs"], 6).in_folder();
    let path = features.path().join("features-00000-of-00003.npy");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    write_artifact(&path, &bytes).unwrap();
    let said = audit(1, &[features.path()], &out, &[]);
    assert!(error_of(&said).contains("sha256: expected "), "{}", said.stderr);
    assert!(!out.exists());
    audit(0, &[features.path()], &out, &["--no-verify"]);
}

/// Photographs, and the store of them by the smallest base.
struct Photographed {
    images: TempDir,
    folder: TempDir,
}

impl Photographed {
    fn new() -> Self {
        let (images, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write_photographs(images.path(), &["cats", "dogs"], 24);
        Self { images, folder }
    }

    fn extract(&self, name: &str, more: &[OsString]) -> PathBuf {
        let store = self.folder.path().join(name);
        let mut arguments = words(["extractor", "extract", "--base", "tiny", "--image-size", "32"]);
        arguments.extend(words(["--precision", "fp32", "--device", "cpu", "--images"]));
        arguments.extend([self.images.path().into(), "--out".into(), store.clone().into()]);
        arguments.extend(["--weights".into(), TINY.clone().into()]);
        arguments.extend(more.iter().cloned());
        extractor::run(extractor::Arguments::parse_from(arguments)).unwrap();
        store
    }
}

#[test]
fn what_an_audit_proposes_is_left_out_by_the_next_extraction() {
    let bench = Photographed::new();
    // File names as people have them.
    for name in ["cats/#copy.png", "cats/a \"copy\".png", "dogs/copy.png"] {
        let bytes = std::fs::read(bench.images.path().join("cats/0.png")).unwrap();
        write_artifact(&bench.images.path().join(name), &bytes).unwrap();
    }
    let views = words(["--views", "2", "--augment", "flip"]);
    for (name, more) in [("plain", vec![]), ("views", views)] {
        let store = bench.extract(name, &more);
        let out = bench.folder.path().join(format!("{name}-audit"));
        audit(0, &[&store], &out, &["--no-page"]);
        let proposed = excluded(&out.join("exclude.txt"));
        let copies: Vec<Vec<String>> =
            twins(&out).into_iter().filter(|line| line[4] == "same file").collect();
        assert_eq!(copies.len(), 3, "{copies:?}");
        assert!(!proposed.is_empty());
        let mut exclude = vec!["--exclude".into(), out.join("exclude.txt").into()];
        exclude.extend(more);
        let store = bench.extract(&format!("{name}-without"), &exclude);
        let manifest: Value =
            serde_json::from_slice(&std::fs::read(store.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["listing"]["images"], 27 - proposed.len());
        assert_eq!(summary(&out)["excluded"], proposed.len());
        assert_eq!(
            summary(&out)["stores"][0]["features"],
            Value::from(store_digest(&bench.folder.path().join(name)))
        );
    }
}

#[test]
fn the_page_shows_photographs_where_their_folder_is_given_and_names_them_elsewhere() {
    let bench = Photographed::new();
    let copy = std::fs::read(bench.images.path().join("cats/0.png")).unwrap();
    for name in ["cats/<b>copy.png", "dogs/copy.png"] {
        write_artifact(&bench.images.path().join(name), &copy).unwrap();
    }
    let store = bench.extract("store", &[]);
    let page = |name: &str, more: &[&str]| {
        let out = bench.folder.path().join(name);
        let said = audit(0, &[&store], &out, more);
        (std::fs::read_to_string(out.join("audit.html")).unwrap(), said)
    };
    let (named, _) = page("named", &[]);
    assert!(!named.contains("<img") && named.contains("cats/0.png") && named.contains("dogs/copy.png"));
    assert!(!named.contains("<b>copy") && named.contains("&#60;b&#62;copy.png"), "names are escaped");
    assert!(named.contains("3 photographs, of several labels"), "{named}");
    assert!(
        !named.contains("http:") && !named.contains("https:") && !named.contains("src=\"/"),
        "no network"
    );

    let folder = bench.images.path().to_str().unwrap();
    let (shown, said) = page("shown", &["--images", folder]);
    let pictures = shown.matches("<img src=\"data:image/jpeg;base64,").count();
    assert!(pictures >= 3 && pictures == shown.matches("<img").count(), "{pictures}");
    assert!(!said.stderr.contains("have no thumbnail"), "{}", said.stderr);
    std::fs::remove_file(bench.images.path().join("dogs/copy.png")).unwrap();
    let (_, said) = page("gone", &["--images", folder]);
    assert!(said.stderr.contains("1 photographs have no thumbnail on the page"), "{}", said.stderr);
}

/// The digest of a store of one shard.
fn store_digest(store: &Path) -> String {
    let parts = ["manifest.json", "shard-00000-of-00001.json"];
    let bytes: Vec<u8> = parts.iter().flat_map(|name| std::fs::read(store.join(name)).unwrap()).collect();
    Digest::of(&bytes).to_string()
}
