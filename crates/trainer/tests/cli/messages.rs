//! Errors, exit codes, logs and help.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::support::*;

#[test]
fn a_store_that_is_not_there_or_not_finished_is_named_with_a_hint() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let run = out.path().join("run");
    let said = fit(1, Path::new("no/such/store"), &run, []);
    let start = "trainer: cannot read `no/such/store/manifest.json`: No such file";
    assert!(said.stderr.starts_with(start), "{}", said.stderr);
    let hint = "\nhint: `extractor extract` makes and finishes a store, `extractor verify` checks it\n";
    assert!(said.stderr.ends_with(hint), "{}", said.stderr);

    std::fs::remove_file(features.path().join("shard-00001-of-00003.json")).unwrap();
    let said = fit(1, features.path(), &run, []);
    let expected = format!(
        "trainer: `{}` is incomplete: expected 3 finished shards, found 2; missing 1{hint}",
        features.path().display()
    );
    assert_eq!(said.stderr, expected);
    assert!(!run.exists());
}

#[test]
fn one_class_alone_is_refused() {
    let features =
        Store { classes: &["cats"], rows: rows(&[("cats", 9)], 0), ..Store::default() }.in_folder();
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("run");
    let said = fit(1, features.path(), &run, []);
    let expected =
        format!("trainer: `{}`: classes: expected at least 2, found 1\n", features.path().display());
    assert_eq!(said.stderr, expected);
    assert!(!run.exists());
}

#[test]
fn a_device_that_is_not_there_is_no_reason_to_use_another() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let said = fit(1, features.path(), out.path(), ["--device", "cuda:99"]);
    assert!(said.stderr.starts_with("trainer: device: expected "), "{}", said.stderr);
    assert!(files(out.path()).is_empty());
}

#[test]
fn a_configuration_that_cannot_be_read_is_named_on_one_line() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    convbase_core::write_artifact(&out.path().join("config.json"), b"{").unwrap();
    let said = fit(1, features.path(), out.path(), []);
    assert!(said.stderr.contains("config.json` is no configuration of a run: EOF"), "{}", said.stderr);
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
}

#[test]
fn words_that_make_no_sense_are_usage_errors_that_name_the_option() {
    let cases = [
        ("--epochs", "0", "0 is not in 1.."),
        ("--batch-size", "0", "0 is not in 1..=65536"),
        ("--threads", "0", "0 is not in 1..=4096"),
        ("--hidden", "65537", "65537 is not in 0..=65536"),
        ("--activation", "tanh", "expected one of relu, none, found `tanh`"),
        ("--dropout", "1", "expected a share from 0 to below 1"),
        ("--optimizer", "lion", "found `lion`"),
        ("--learning-rate", "0", "expected a number above 0"),
        ("--learning-rate", "inf", "expected a number above 0"),
        ("--validation-split", "1", "expected a share between 0 and 1"),
        ("--patience", "0", "0 is not in 1.."),
        ("--class-weight", "equal", "[possible values: none, balanced]"),
        ("--views", "two", "views: expected one of all, one, found `two`"),
        ("--device", "gpu", "found `gpu`"),
    ];
    for (option, value, part) in cases {
        let said = trainer(2, &["fit", "--features", "a", "--out", "b", option, value].map(Into::into));
        assert!(
            said.stderr.contains(option) && said.stderr.contains(part),
            "{option} {value}: {}",
            said.stderr
        );
    }
    let both = ["fit", "--features", "a", "--out", "b", "--validation", "c", "--validation-split", "0.2"];
    assert!(trainer(2, &both.map(Into::into)).stderr.contains("cannot be used with"));
    trainer(2, &[]);
    trainer(2, &["fit".into(), "--out".into(), "b".into()]);
}

#[test]
fn help_names_every_option_that_there_is_and_none_that_there_is_not() {
    let general = ["--help", "--log-format", "--quiet", "--verbose"];
    let all = ["--class-weight", "--features", "--no-verify", "--out", "--seed", "--threads", "--validation"];
    let epochs = [
        "--batch-size",
        "--device",
        "--dropout",
        "--epochs",
        "--learning-rate",
        "--optimizer",
        "--patience",
        "--resume",
        "--tensorboard",
        "--validation-split",
        "--views",
    ];
    for (command, options) in [
        ("fit", [&epochs[..], &["--activation", "--hidden"]].concat()),
        ("fine-tune", [&epochs[..], &["--checkpoint", "--from", "--weights"]].concat()),
        ("probe", vec!["--c", "--folds", "--no-calibration", "--pooling", "--scaling"]),
    ] {
        let help = trainer(0, &[command, "--help"].map(Into::into)).stdout;
        // An option begins its line; others are only spoken of.
        let begins = help.lines().filter_map(|line| {
            let line = line.trim_start();
            let long =
                line.strip_prefix("-").filter(|rest| !rest.starts_with('-')).and_then(|rest| rest.get(3..));
            let name = long.unwrap_or(line).split([' ', '.', '=']).next()?;
            name.starts_with("--").then_some(name)
        });
        let expected: BTreeSet<&str> = general.into_iter().chain(all).chain(options).collect();
        assert_eq!(begins.collect::<BTreeSet<_>>(), expected, "{command}: {help}");
    }
}

#[test]
fn json_logs_are_one_object_per_line_with_the_figures_as_numbers() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let said = fit(0, features.path(), out.path(), ["--log-format", "json"]);
    let lines: Vec<Value> = said.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let history = history(out.path());
    let best = history.best().unwrap();
    let last = lines.last().unwrap();
    assert_eq!(last["epoch"], best.epoch);
    assert_eq!(
        (last["val_loss"].as_f64(), last["val_accuracy"].as_f64()),
        (Some(best.val_loss), Some(best.val_accuracy))
    );
    let epochs = lines.iter().filter(|line| line.get("val_loss").is_some() && line.get("loss").is_some());
    assert_eq!(epochs.count(), 3, "{}", said.stderr);
}

#[test]
fn quiet_says_nothing_where_nothing_is_wrong() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let said = fit(0, features.path(), out.path(), ["-q"]);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", ""));
}
