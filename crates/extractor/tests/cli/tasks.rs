//! Many tasks that make one store, and tasks that are interrupted.

use std::process::{Command, Stdio};

use convbase_core::store::{Canary, Receipt};
use convbase_core::{write_artifact, write_json};

use super::support::*;

const SMALL: [&str; 4] = ["--shard-size", "2", "--batch-size", "2"];

#[test]
fn seven_tasks_in_any_order_whose_folders_are_merged_make_the_store_of_one_run() {
    let (images, alone) = (photographs([("cats", 9), ("dogs", 10)]), tempfile::tempdir().unwrap());
    extract(0, images.path(), alone.path(), SMALL);
    let machines = [(); 3].map(|()| tempfile::tempdir().unwrap());
    for (position, task) in [4, 0, 6, 2, 5, 1, 3].iter().enumerate() {
        let index = task.to_string();
        let [a, b, c, d] = SMALL;
        let more = [a, b, c, d, "--task-index", &index, "--task-count", "7"];
        extract(0, images.path(), machines[position % 3].path(), more);
    }
    let merged = tempfile::tempdir().unwrap();
    for machine in &machines {
        for (name, bytes) in files(machine.path()) {
            write_artifact(&merged.path().join(name), &bytes).unwrap();
        }
    }
    assert!(files(merged.path()) == files(alone.path()), "the merged store differs");
    verify(0, merged.path());
}

#[test]
fn a_slurm_array_divides_the_store_and_verify_tells_what_to_run_again() {
    let (images, out) = (photographs([("a", 12)]), tempfile::tempdir().unwrap());
    let run = |id: &str, more: &[&str]| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_extractor"));
        command.args(["extract", "-q", "--image-size", "32", "--precision", "fp32", "--images"]);
        command.arg(images.path()).arg("--out").arg(out.path()).arg("--weights").arg(&*WEIGHTS).args(SMALL);
        command.args(more).env("SLURM_ARRAY_TASK_ID", id);
        command
            .env("SLURM_ARRAY_TASK_COUNT", "3")
            .env("SLURM_ARRAY_TASK_MIN", "1")
            .env("SLURM_ARRAY_TASK_MAX", "3");
        command.assert().code(0);
    };
    run("1", &[]);
    run("3", &[]);
    let said = extractor(1, &[words(["verify", "--task-count", "3"]), vec![out.path().into()]].concat());
    let expected = "missing shards 1,4: run again with --task-count 3 as --array=1";
    assert!(said.stdout.contains(expected), "{}", said.stdout);
    run("1", &["--task-count", "3"]);
    verify(0, out.path());
}

#[test]
fn all_tasks_write_the_same_manifest_and_none_may_clear_the_others_shards() {
    let (images, out) = (photographs([("a", 4)]), tempfile::tempdir().unwrap());
    let [a, b, c, d] = SMALL;
    extract(0, images.path(), out.path(), [a, b, c, d, "--task-index", "0", "--task-count", "2"]);
    let manifest = files(out.path())["manifest.json"].clone();
    extract(0, images.path(), out.path(), [a, b, c, d, "--task-index", "1", "--task-count", "2"]);
    assert_eq!(files(out.path())["manifest.json"], manifest);
    let said = extract(
        2,
        images.path(),
        out.path(),
        [a, b, c, d, "--task-index", "1", "--task-count", "2", "--overwrite"],
    );
    assert!(said.stderr.contains("cannot be used with"), "{}", said.stderr);
    let said = extract(1, images.path(), out.path(), [a, b, c, d, "--task-index", "2", "--task-count", "2"]);
    assert!(said.stderr.contains("task index: expected 0 to 1, found 2, of 2 tasks"), "{}", said.stderr);
}

#[test]
fn two_processes_that_run_the_same_task_at_once_do_no_harm() {
    let (images, alone) = (photographs([("cats", 9), ("dogs", 10)]), tempfile::tempdir().unwrap());
    extract(0, images.path(), alone.path(), SMALL);
    let out = tempfile::tempdir().unwrap();
    let begin = || {
        Command::new(env!("CARGO_BIN_EXE_extractor"))
            .args(["extract", "-q", "--image-size", "32", "--precision", "fp32"])
            .args(SMALL)
            .args(["--images".as_ref(), images.path().as_os_str(), "--out".as_ref(), out.path().as_os_str()])
            .args(["--weights".as_ref(), WEIGHTS.as_os_str()])
            .spawn()
            .unwrap()
    };
    for mut process in [(); 3].map(|()| begin()) {
        assert!(process.wait().unwrap().success());
    }
    assert!(files(out.path()) == files(alone.path()), "what several processes made differs");
}

#[test]
fn a_machine_that_computes_something_else_does_not_add_to_a_store() {
    let (images, out) = (photographs([("a", 4)]), tempfile::tempdir().unwrap());
    extract(0, images.path(), out.path(), SMALL);
    let path = out.path().join("shard-00000-of-00002.json");
    let mut receipt: Receipt = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let other: Vec<f32> = (0..3 * 512).map(|number| number as f32).collect();
    receipt.canary = Some(Canary::new(&other).unwrap());
    write_json(&path, &receipt).unwrap();
    std::fs::remove_file(out.path().join("shard-00001-of-00002.json")).unwrap();
    let said = extract(1, images.path(), out.path(), SMALL);
    assert!(
        said.stderr.contains("shard-00000-of-00002.json`: canary: expected this machine"),
        "{}",
        said.stderr
    );
    assert!(!out.path().join("shard-00001-of-00002.json").exists());
}

#[test]
fn retrying_makes_only_the_shards_with_rejected_images_again() {
    let (images, out) = (photographs([("a", 6)]), tempfile::tempdir().unwrap());
    let good = std::fs::read(images.path().join("a/3.png")).unwrap();
    write_artifact(&images.path().join("a/3.png"), b"damaged").unwrap();
    let [a, b, c, d] = SMALL;
    extract(0, images.path(), out.path(), [a, b, c, d, "--max-rejected", "0.5"]);
    write_artifact(&images.path().join("a/3.png"), &good).unwrap();
    let said = extract(0, images.path(), out.path(), [a, b, c, d, "--max-rejected", "0.5"]);
    assert!(said.stderr.contains("3 of 3 shards are finished and kept"), "{}", said.stderr);
    let said = extract(0, images.path(), out.path(), [a, b, c, d, "--retry-rejected"]);
    assert!(said.stderr.contains("2 of 3 shards are finished and kept"), "{}", said.stderr);
    let alone = tempfile::tempdir().unwrap();
    extract(0, images.path(), alone.path(), SMALL);
    assert!(files(out.path()) == files(alone.path()), "the repaired store differs");
}

#[test]
fn what_a_killed_writer_left_is_removed_by_the_next_run() {
    let (images, out) = (photographs([("a", 4)]), tempfile::tempdir().unwrap());
    write_artifact(&out.path().join(".features-00000-of-00002.npy.Ab3xYz.tmp"), b"half").unwrap();
    extract(0, images.path(), out.path(), SMALL);
    verify(0, out.path());
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_run_with_75_and_the_next_run_ends_at_the_same_bytes() {
    let (images, out) = (photographs([("cats", 60), ("dogs", 60)]), tempfile::tempdir().unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_extractor"))
        .args(["extract", "-q", "--image-size", "96", "--precision", "fp32", "--images"])
        .arg(images.path())
        .arg("--out")
        .arg(out.path())
        .arg("--weights")
        .arg(&*WEIGHTS)
        .args(SMALL)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first receipt says that the work has begun.
    while !has_receipt(out.path()) && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(75), "{}", String::from_utf8_lossy(&output.stderr));
    let stopped = files(out.path());
    assert!(stopped.len() < 4 * 60 + 1, "it was not interrupted");
    assert!(stopped.keys().all(|name| !name.ends_with(".tmp")), "{:?}", stopped.keys());

    let more = ["--image-size", "96", SMALL[0], SMALL[1], SMALL[2], SMALL[3]];
    extract(0, images.path(), out.path(), more);
    let resumed = files(out.path());
    let alone = tempfile::tempdir().unwrap();
    extract(0, images.path(), alone.path(), more);
    assert!(resumed == files(alone.path()), "the resumed store differs");
    assert!(
        stopped
            .iter()
            .filter(|(name, _)| name.starts_with("shard-"))
            .all(|(name, bytes)| resumed[name] == *bytes)
    );
}
