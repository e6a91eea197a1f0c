//! Folders that nobody expected, and what `check` tells of them.

use std::path::PathBuf;

use convbase_core::write_artifact;
use image::ImageFormat;

use super::hostile::{check, put, tiny};
use super::support::*;

#[test]
fn results_never_become_photographs() {
    let (images, out) = (photographs([("a", 2), ("b", 2)]), tempfile::tempdir().unwrap());
    for inside in ["features", "a/features", "."] {
        let said = tiny(1, images.path(), &images.path().join(inside), []);
        assert!(said.stderr.contains(": expected a folder outside of `"), "{}", said.stderr);
        assert!(said.stderr.contains("hint: it would be listed as a class"), "{}", said.stderr);
    }
    assert!(!images.path().join("features").exists());
    // A run, and a store that somebody copied there.
    put(images.path(), "run/config.json", b"{}");
    put(images.path(), "run/history.csv", b"");
    put(images.path(), "run/curves.png", &photograph(1, ImageFormat::Png));
    put(images.path(), "a/store/manifest.json", b"{\"format\": \"convbase-features/1\"}");
    put(images.path(), "a/store/x.png", &photograph(1, ImageFormat::Png));
    let said = tiny(0, images.path(), out.path(), []);
    assert!(said.stderr.contains("Convbase's own results are left out: run, a/store"), "{}", said.stderr);
    assert!(said.stderr.contains("listed 4 = embedded 4"), "{}", said.stderr);
}

#[test]
fn suffixes_that_are_no_photographs_are_named_per_class_and_an_empty_class_is_an_error() {
    let (images, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["cats/1.jfif", "cats/2.jpe", "cats/3.JFI"] {
        put(images.path(), name, &photograph(1, ImageFormat::Jpeg));
    }
    put(images.path(), "cats/4.apng", &photograph(1, ImageFormat::Png));
    put(images.path(), "dogs/1.avif", b"x");
    put(images.path(), "dogs/2.avif", b"x");
    let said = tiny(1, images.path(), out.path(), []);
    let [.., error, hint] = said.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", said.stderr) };
    assert!(error.ends_with("expected photographs of every class, found none of dogs (.avif 2)"), "{error}");
    assert!(hint.contains("`--allow-empty-class`"), "{hint}");
    let said = tiny(0, images.path(), out.path(), ["--allow-empty-class"]);
    assert!(
        said.stderr.contains("class dogs: 2 photographs are of formats that cannot be decoded"),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("listed 4 = embedded 4"), "{}", said.stderr);
    assert_eq!(json(&out.path().join("manifest.json"))["classes"], serde_json::json!(["cats", "dogs"]));
}

#[test]
fn class_names_are_trimmed_and_near_misses_suggested() {
    let (images, out) = (photographs([("cats", 2), ("dogs", 2)]), tempfile::tempdir().unwrap());
    tiny(0, images.path(), out.path(), ["--classes", " cats, dogs "]);
    assert_eq!(json(&out.path().join("manifest.json"))["classes"], serde_json::json!(["cats", "dogs"]));
    let other = tempfile::tempdir().unwrap();
    let said = tiny(1, images.path(), other.path(), ["--classes", "cats,Dog"]);
    assert!(said.stderr.contains("found none of Dog (no such folder, but `dogs`)"), "{}", said.stderr);
}

#[test]
fn a_class_whose_disk_is_gone_is_an_error_and_files_beside_classes_are_told() {
    let (images, out) = (photographs([("cats", 2), ("dogs", 2)]), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink("/no/such/disk", images.path().join("birds")).unwrap();
    put(images.path(), "stray.jpg", b"x");
    let said = tiny(1, images.path(), out.path(), []);
    assert!(said.stderr.contains("found none of birds (a link to nothing)"), "{}", said.stderr);
    let said = tiny(0, images.path(), out.path(), ["--allow-empty-class"]);
    assert!(said.stderr.contains("have no class and are left out: stray.jpg"), "{}", said.stderr);
    assert_eq!(
        json(&out.path().join("manifest.json"))["classes"],
        serde_json::json!(["birds", "cats", "dogs"])
    );
}

#[test]
fn names_that_are_no_text_are_all_told_at_once() {
    use std::os::unix::ffi::OsStrExt;
    let (images, out) = (photographs([("a", 2)]), tempfile::tempdir().unwrap());
    let name = |bytes: &[u8]| -> PathBuf { images.path().join("a").join(std::ffi::OsStr::from_bytes(bytes)) };
    if write_artifact(&name(b"notes\xff.txt"), b"x").is_err() {
        println!("skipped: the file system takes UTF-8 names alone");
        return;
    }
    tiny(0, images.path(), out.path(), []);
    write_artifact(&name(b"b\xff.jpg"), b"x").unwrap();
    write_artifact(&name(b"b\xfe.jpg"), b"x").unwrap();
    let said = tiny(1, images.path(), out.path(), []);
    assert!(
        said.stderr.contains(r"expected names in UTF-8, found a/b\xfe.jpg, a/b\xff.jpg"),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("hint: rename them"), "{}", said.stderr);
}

#[test]
fn parts_of_a_data_set_are_no_classes_unless_they_are_named() {
    let (images, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["train/cats/1.png", "train/dogs/1.png", "test/cats/1.png", "test/dogs/1.png"] {
        put(images.path(), name, &photograph(1, ImageFormat::Png));
    }
    let said = tiny(1, images.path(), out.path(), []);
    assert!(said.stderr.contains("found the parts of a data set: test, train"), "{}", said.stderr);
    assert!(
        said.stderr.contains("hint: give one of them, for instance `--images DIR/train`"),
        "{}",
        said.stderr
    );
    tiny(0, images.path(), out.path(), ["--classes", "test,train"]);
}

#[test]
fn what_systems_leave_in_folders_is_no_class_and_no_photograph() {
    let (images, out) = (photographs([("cats", 2), ("dogs", 2)]), tempfile::tempdir().unwrap());
    for name in
        ["__MACOSX/cats/1.png", "@eaDir/1.png", "#recycle/1.png", "cats/@eaDir/1.png", "dogs/.cache/1.png"]
    {
        put(images.path(), name, &photograph(1, ImageFormat::Png));
    }
    put(images.path(), "dogs/Thumbs.db", b"x");
    let said = tiny(0, images.path(), out.path(), []);
    let left_out = "folders that systems make are left out: #recycle, @eaDir, __MACOSX, cats/@eaDir";
    assert!(said.stderr.contains(left_out), "{}", said.stderr);
    assert!(said.stderr.contains("listed 4 = embedded 4"), "{}", said.stderr);
}

#[test]
fn a_name_cannot_forge_a_line_of_the_log_nor_reach_the_terminal() {
    let (images, out) = (photographs([("a", 2)]), tempfile::tempdir().unwrap());
    let name = "x\n INFO listed 99 = embedded 99\u{1b}[2J\u{202e}.jpg";
    put(images.path(), &format!("a/{name}"), b"no image");
    let shown = "x\\n INFO listed 99 = embedded 99\\u{1b}[2J\\u{202e}.jpg";
    for code in [0, 1] {
        let share = if code == 0 { "1" } else { "0" };
        let store = out.path().join(share);
        let said = tiny(code, images.path(), &store, ["--max-rejected", share]);
        assert!(said.stderr.contains(shown), "{}", said.stderr);
        assert!(
            !said.stderr.contains('\u{1b}') && !said.stderr.contains("\n INFO listed 99"),
            "{}",
            said.stderr
        );
    }
    let said = check(1, images.path(), ["--decode"]);
    assert!(said.stdout.contains(shown) && !said.stdout.contains('\u{1b}'), "{}", said.stdout);
}

#[test]
fn an_array_task_without_shards_says_which_variables_made_it_one() {
    let (images, out) = (photographs([("a", 2)]), tempfile::tempdir().unwrap());
    let said = tiny(0, images.path(), out.path(), ["--task-index", "3", "--task-count", "5"]);
    let warning =
        "task 3 of 5, from `--task-index` and `--task-count`, has nothing to do: the store has 1 shards";
    assert!(said.stderr.contains(warning), "{}", said.stderr);
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_extractor"));
    let assert = command
        .args(["extract", "--base", "tiny", "--image-size", "32", "--precision", "fp32", "--weights"])
        .args([
            TINY.as_os_str(),
            "--images".as_ref(),
            images.path().as_os_str(),
            "--out".as_ref(),
            out.path().as_os_str(),
        ])
        .envs([("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_COUNT", "5")])
        .assert()
        .code(0);
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        stderr.contains("from SLURM_ARRAY_TASK_ID, SLURM_ARRAY_TASK_MIN and SLURM_ARRAY_TASK_COUNT"),
        "{stderr}"
    );
}

#[test]
fn check_tells_everything_before_hours_of_work() {
    let images = photographs([("cats", 3), ("dogs", 2)]);
    let said = check(0, images.path(), []);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines[0], "class  photographs  links  other files");
    assert_eq!(lines[1], "cats             3      0");
    assert!(
        lines[3].ends_with("5 photographs in 2 classes: not decoded (`--decode` does), 0 no files"),
        "{lines:?}"
    );
    assert!(check(0, images.path(), ["--decode"]).stdout.contains("5 decode, 0 unreadable, 0 doubtful"));

    put(images.path(), "cats/notes.txt", b"x");
    check(0, images.path(), []);
    put(images.path(), "cats/broken.jpg", b"version https://git-lfs.github.com/spec/v1\n");
    put(images.path(), "birds/1.heic", b"x");
    std::os::unix::fs::symlink(images.path().join("cats/0.png"), images.path().join("dogs/9.png")).unwrap();
    let said = check(1, images.path(), ["--decode"]);
    for part in [
        "dogs             3      1\n",
        "cats             4      0  .txt 1\n",
        "7 photographs in 3 classes: 6 decode, 1 unreadable, 0 doubtful\n",
        "unreadable: `cats/broken.jpg`: expected an image (JPEG, PNG, BMP, GIF, WebP or TIFF), found a Git LFS pointer: \
         run `git lfs pull`\n",
        "found none of birds (.heic 1)\nhint: ",
    ] {
        assert!(said.stdout.contains(part), "{part}: {}", said.stdout);
    }
    let said = check(1, images.path(), ["--decode", "--json", "--allow-empty-class"]);
    let value: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(value["classes"][0]["left_out"]["suffixes"][".heic"], 1);
    assert_eq!(value["rejected"][0]["path"], "cats/broken.jpg");
    assert_eq!((&value["photographs"], &value["problems"]), (&7.into(), &serde_json::json!([])));
}
