//! Exit codes, logs and help.

use std::collections::BTreeSet;

use serde_json::Value;

use super::features::{Store, spec};
use super::support::*;

#[test]
fn words_that_make_no_sense_are_usage_errors() {
    let cases = [
        vec!["evaluate"],
        vec!["evaluate", "--features", "a", "--checkpoint", "b"],
        vec!["predict", "--checkpoint", "b"],
        vec!["predict", "--checkpoint", "b", "--format", "xml", "c.jpg"],
        vec!["predict", "--checkpoint", "b", "--precision", "auto", "c.jpg"],
        vec!["predict", "--checkpoint", "b", "--batch-size", "0", "c.jpg"],
        vec!["evaluate", "--features", "a", "--checkpoint", "b", "--out", "c", "--device", "tpu"],
        vec!["test"],
        vec![],
    ];
    for case in cases {
        let arguments: Vec<_> = case.iter().map(Into::into).collect();
        assert!(evaluator(2, &arguments).stderr.contains("--help"), "{case:?}");
    }
}

#[test]
fn help_names_every_option_that_there_is_and_none_that_there_is_not() {
    let general = ["--device", "--checkpoint", "--help", "--log-format", "--quiet", "--verbose"];
    for (command, options) in [
        (
            "evaluate",
            &[
                "--features",
                "--images",
                "--no-report",
                "--no-verify",
                "--out",
                "--threads",
                "--training",
                "--views",
            ][..],
        ),
        (
            "predict",
            &[
                "--batch-size",
                "--format",
                "--max-pixels",
                "--null",
                "--precision",
                "--sort-into",
                "--threads",
                "--threshold",
                "--top-k",
                "--views",
                "--weights",
            ],
        ),
    ] {
        let help = evaluator(0, &words([command, "--help"])).stdout;
        // An option begins its line; others are only spoken of.
        let begins = help.lines().filter_map(|line| {
            let line = line.trim_start();
            let long = line.strip_prefix("-").filter(|rest| !rest.starts_with('-'));
            let name = long.and_then(|rest| rest.get(3..)).unwrap_or(line).split([' ', '.', '=']).next()?;
            name.starts_with("--").then_some(name)
        });
        let expected: BTreeSet<&str> = general.iter().chain(options).copied().collect();
        assert_eq!(begins.collect::<BTreeSet<_>>(), expected, "{command}: {help}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    convbase_core::write_artifact(&file, b"").unwrap();
    let mut arguments = words(["evaluate", "--features", "no/such", "--checkpoint", "no/such", "--out"]);
    arguments.push(file.join("report").into());
    let expected = format!("cannot write `{}`: ", file.join("report/metrics.json").display());
    assert!(error_of(&evaluator(1, &arguments)).starts_with(&expected));
    // And a run that cannot be done leaves no folder behind.
    let out = folder.path().join("a/report");
    *arguments.last_mut().unwrap() = out.into();
    evaluator(1, &arguments);
    assert!(!folder.path().join("a").exists());
}

#[test]
fn a_device_that_is_not_there_is_no_reason_to_use_another() {
    let arguments =
        words(["evaluate", "--features", "a", "--checkpoint", "b", "--out", "c", "--device", "cuda:99"]);
    assert!(error_of(&evaluator(1, &arguments)).starts_with("device: expected "));
}

#[test]
fn logs_are_quiet_or_json_when_asked() {
    let features = Store::of(&[("cats", 5), ("dogs", 5)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let head = checkpoint(out.path(), &spec(), &["cats", "dogs"], 8);
    let report = out.path().join("report");
    let run = |more: &[&str]| {
        let mut arguments = words(["evaluate", "--features"]);
        arguments.extend([features.path().into(), "--checkpoint".into(), head.clone().into()]);
        arguments.extend(["--out".into(), report.clone().into()]);
        arguments.extend(more.iter().map(Into::into));
        evaluator(0, &arguments)
    };
    let said = run(&["-q"]);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", ""));
    let said = run(&["--log-format", "json"]);
    let lines: Vec<Value> = said.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let metrics = metrics(&report);
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["test_accuracy"], &last["test_loss"]),
        (&metrics["test_accuracy"], &metrics["test_loss"])
    );
}
