//! Trainings that are interrupted and gone on with.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::support::*;

/// Enough epochs that a signal finds the program at work.
const EPOCHS: &str = "200";

fn begin(features: &Path, out: &Path, optimizer: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args([
            "fit",
            "-q",
            "--device",
            "cpu",
            "--hidden",
            "8",
            "--batch-size",
            "8",
            "--learning-rate",
            "0.01",
        ])
        .args(["--epochs", EPOCHS, "--optimizer", optimizer, "--features"])
        .arg(features)
        .arg("--out")
        .arg(out)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until some epochs are finished, then sends the signal; gives the exit code.
pub fn stop(mut child: Child, out: &Path, signal: &str) -> Option<i32> {
    while !out.join("last.safetensors").exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    child.wait_with_output().unwrap().status.code()
}

fn resume(features: &Path, out: &Path, optimizer: &str) -> Said {
    fit(0, features, out, ["--resume", "--epochs", EPOCHS, "--optimizer", optimizer])
}

#[test]
fn an_interrupted_training_ends_at_the_bytes_of_an_uninterrupted_one() {
    let features = Store::default().in_folder();
    for optimizer in ["rmsprop", "adam", "sgd"] {
        let alone = tempfile::tempdir().unwrap();
        fit(0, features.path(), alone.path(), ["--epochs", EPOCHS, "--optimizer", optimizer]);
        for (signal, code) in [("-TERM", Some(75)), ("-KILL", None)] {
            let out = tempfile::tempdir().unwrap();
            let ended = stop(begin(features.path(), out.path(), optimizer), out.path(), signal);
            assert_eq!(ended, code, "{optimizer} {signal}");
            let said = resume(features.path(), out.path(), optimizer);
            assert!(said.stderr.contains("going on after epoch "), "{}", said.stderr);
            assert!(
                files(out.path()) == files(alone.path()),
                "{optimizer} {signal}: the resumed run differs"
            );
        }
    }
}

/// One row per step, and an epoch of more steps than the state is saved after.
const LONG: [&str; 4] = ["--batch-size", "1", "--epochs", "100"];

#[test]
fn a_training_that_is_interrupted_within_an_epoch_goes_on_at_the_next_step() {
    let features = Store { rows: rows(&[("cats", 490), ("dogs", 490)], 0), ..Store::default() }.in_folder();
    let alone = tempfile::tempdir().unwrap();
    let [a, b, c, d] = LONG;
    fit(0, features.path(), alone.path(), LONG);
    for (signal, code) in [("-TERM", Some(75)), ("-KILL", None)] {
        let out = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_trainer"))
            .args(["fit", "--device", "cpu", "--hidden", "8", "--learning-rate", "0.01"])
            .args(LONG)
            .args([
                "--features".as_ref(),
                features.path().as_os_str(),
                "--out".as_ref(),
                out.path().as_os_str(),
            ])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(stop(child, out.path(), signal), code, "{signal}");
        // Where exactly the signal met it is the machine's affair.
        let said = fit(0, features.path(), out.path(), [a, b, c, d, "--resume"]);
        assert!(said.stderr.contains("going on after epoch "), "{}", said.stderr);
        assert!(files(out.path()) == files(alone.path()), "{signal}: the resumed run differs");
    }
}

#[test]
fn resuming_where_nothing_was_begun_simply_starts_and_where_all_is_done_changes_nothing() {
    let (features, out, alone) =
        (Store::default().in_folder(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fit(0, features.path(), alone.path(), []);
    fit(0, features.path(), out.path(), ["--resume"]);
    assert!(files(out.path()) == files(alone.path()));
    fit(0, features.path(), out.path(), ["--resume"]);
    assert!(files(out.path()) == files(alone.path()));
}

#[test]
fn a_training_that_ran_out_of_patience_is_not_gone_on_with() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let more = ["--patience", "2", "--epochs", "200", "--learning-rate", "0.1"];
    fit(0, features.path(), out.path(), more);
    let before = files(out.path());
    assert!(history(out.path()).len() < 200);
    let [a, b, c, d, e, f] = more;
    fit(0, features.path(), out.path(), [a, b, c, d, e, f, "--resume"]);
    assert!(files(out.path()) == before);
}

#[test]
fn other_options_and_damaged_states_are_refused() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    fit(0, features.path(), out.path(), []);
    let said = fit(1, features.path(), out.path(), ["--resume", "--seed", "7"]);
    assert!(said.stderr.contains("seed: expected 7, found 42"), "{}", said.stderr);
    let last = out.path().join("last.safetensors");
    let bytes = std::fs::read(&last).unwrap();
    convbase_core::write_artifact(&last, &bytes[..bytes.len() - 3]).unwrap();
    let said = fit(1, features.path(), out.path(), ["--resume"]);
    assert!(said.stderr.contains("last.safetensors"), "{}", said.stderr);
    fit(0, features.path(), out.path(), []);
    assert!(std::fs::read(&last).unwrap() == bytes, "without `--resume` the run is repeated");
}

#[test]
fn a_training_of_an_earlier_format_is_refused_with_what_to_do() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    fit(0, features.path(), out.path(), []);
    let last = out.path().join("last.safetensors");
    let mut bytes = std::fs::read(&last).unwrap();
    let format = b"convbase-training/2";
    let place = bytes.windows(format.len()).position(|window| window == format).unwrap();
    bytes[place + format.len() - 1] = b'1';
    convbase_core::write_artifact(&last, &bytes).unwrap();
    let before = files(out.path());
    let said = fit(1, features.path(), out.path(), ["--resume"]);
    let [.., error, hint] = said.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", said.stderr) };
    let expected =
        "format: expected convbase-training/2, found convbase-training/1, whose random numbers were others";
    assert!(error.starts_with("trainer: checkpoint `") && error.ends_with(expected), "{error}");
    assert!(hint.starts_with("hint: ") && hint.contains("`--resume`"), "{hint}");
    assert!(files(out.path()) == before, "nothing is touched");
    fit(0, features.path(), out.path(), []);
}
