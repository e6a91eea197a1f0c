//! Trainings on features of several views of each photograph.

use std::path::Path;
use std::process::{Command, Stdio};

use convbase_nn::{Checkpoint, Device};

use super::support::*;

/// Twenty photographs of each class, each with four views.
fn of_views() -> Store {
    Store { views: 4, ..Store::default() }
}

#[test]
fn training_on_all_views_and_on_one_are_two_runs_and_each_is_always_the_same() {
    let features = of_views().in_folder();
    let [all, again, one, once] = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let said = fit(0, features.path(), all.path(), []);
    assert!(said.stderr.contains("28 training rows, 12 validation rows"), "photographs: {}", said.stderr);
    assert!(
        said.stderr.contains("4 views, flip, fill wrap, nearest, seed 7: an epoch sees all"),
        "{}",
        said.stderr
    );
    fit(0, features.path(), again.path(), ["--views", "all", "--threads", "1"]);
    assert!(files(all.path()) == files(again.path()));
    fit(0, features.path(), one.path(), ["--views", "one"]);
    fit(0, features.path(), once.path(), ["--views", "one", "--threads", "1"]);
    assert!(files(one.path()) == files(once.path()));
    assert_ne!(files(all.path())["history.csv"], files(one.path())["history.csv"]);
    assert_eq!((&config(all.path())["views"], &config(one.path())["views"]), (&"all".into(), &"one".into()));
    let checkpoint = Checkpoint::load(&one.path().join("best.safetensors"), Device::Cpu).unwrap();
    assert_eq!(checkpoint.metadata().views.as_ref(), Some(&views(4)));
}

#[test]
fn photographs_of_one_view_train_as_they_always_did() {
    let features = Store::default().in_folder();
    let [all, one] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    fit(0, features.path(), all.path(), []);
    fit(0, features.path(), one.path(), ["--views", "one"]);
    assert!(files(all.path()) == files(one.path()), "of one view both choices are the same");
    assert!(config(all.path()).get("views").is_none());
    for (name, bytes) in files(all.path()) {
        if name != "curves.png" {
            assert!(!String::from_utf8_lossy(&bytes).contains("views"), "{name}");
        }
    }
}

#[test]
fn no_view_of_a_validation_photograph_trains_and_validation_is_on_the_photograph_itself() {
    // What must not be read is no number: whatever reads it ends the run.
    let mut poisoned = of_views();
    poisoned.poisoned = Some(|class_position, view| class_position < 6 && view > 0);
    let [clean, poisoned] = [of_views(), poisoned].map(|store| store.in_folder());
    for choice in ["all", "one"] {
        let [expected, found] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        fit(0, clean.path(), expected.path(), ["--views", choice, "--epochs", "20"]);
        fit(0, poisoned.path(), found.path(), ["--views", choice, "--epochs", "20"]);
        for name in ["history.csv", "last.safetensors", "best.safetensors"] {
            assert!(files(expected.path())[name] == files(found.path())[name], "{choice}: {name}");
        }
    }
    let mut poisoned = of_views();
    poisoned.poisoned = Some(|class_position, view| class_position == 6 && view == 3);
    let (features, out) = (poisoned.in_folder(), tempfile::tempdir().unwrap());
    let said = fit(1, features.path(), out.path(), []);
    assert!(
        said.stderr.contains("expected finite losses"),
        "every view of the others trains: {}",
        said.stderr
    );
}

#[test]
fn a_store_of_views_validates_on_a_store_without_and_the_reverse() {
    let (several, one) = (
        of_views().in_folder(),
        Store { rows: rows(&[("cats", 5), ("dogs", 5)], 3), ..Store::default() }.in_folder(),
    );
    let [first, second, third] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    fit(0, several.path(), first.path(), ["--validation", one.path().to_str().unwrap()]);
    fit(0, one.path(), second.path(), ["--validation", several.path().to_str().unwrap()]);
    let plain = Store::default().in_folder();
    fit(0, one.path(), third.path(), ["--validation", plain.path().to_str().unwrap()]);
    assert_eq!(
        files(second.path())["history.csv"],
        files(third.path())["history.csv"],
        "the views of validation photographs do not matter"
    );
}

#[test]
fn another_choice_of_views_is_another_run() {
    let (features, out) = (of_views().in_folder(), tempfile::tempdir().unwrap());
    fit(0, features.path(), out.path(), []);
    let said = fit(1, features.path(), out.path(), ["--resume", "--views", "one"]);
    assert!(said.stderr.contains("views: expected \"one\", found \"all\""), "{}", said.stderr);
}

/// Runs until the state is there, sends the signal and gives the exit code.
fn stopped(features: &Path, out: &Path, choice: &str, signal: &str) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(["fit", "-q", "--device", "cpu", "--hidden", "8", "--learning-rate", "0.01"])
        .args(["--batch-size", "1", "--epochs", "200", "--views", choice])
        .args(["--features".as_ref(), features.as_os_str(), "--out".as_ref(), out.as_os_str()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !out.join("last.safetensors").exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    child.wait_with_output().unwrap().status.code()
}

#[test]
fn an_interrupted_training_on_views_ends_at_the_bytes_of_an_uninterrupted_one() {
    let many = rows(&[("cats", 200), ("dogs", 200)], 0);
    let features = Store { rows: many, views: 3, ..Store::default() }.in_folder();
    for choice in ["all", "one"] {
        let more = ["--batch-size", "1", "--epochs", "200", "--views", choice];
        let alone = tempfile::tempdir().unwrap();
        fit(0, features.path(), alone.path(), more);
        for (signal, code) in [("-TERM", Some(75)), ("-KILL", None)] {
            let out = tempfile::tempdir().unwrap();
            assert_eq!(stopped(features.path(), out.path(), choice, signal), code, "{choice} {signal}");
            let [a, b, c, d, e, f] = more;
            let said = fit(0, features.path(), out.path(), [a, b, c, d, e, f, "--resume"]);
            assert!(said.stderr.contains("going on after epoch "), "{}", said.stderr);
            assert!(files(out.path()) == files(alone.path()), "{choice} {signal}: the resumed run differs");
        }
    }
}
