//! Losses that are no numbers.

use convbase_core::Preprocess;
use convbase_nn::{Checkpoint, Device};

use super::support::*;

#[test]
fn a_loss_that_overflows_ends_the_run_with_its_epoch_and_keeps_the_best() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let options = [
        "--optimizer",
        "sgd",
        "--learning-rate",
        "1e12",
        "--batch-size",
        "64",
        "--dropout",
        "0",
        "--activation",
        "none",
        "--epochs",
        "30",
    ];
    let said = fit(1, features.path(), out.path(), options);
    let history = history(out.path());
    let epoch = history.len() + 1;
    assert!((2..30).contains(&epoch), "{history:?}");
    let [.., error, hint] = said.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", said.stderr) };
    let start =
        format!("trainer: `{}`: epoch {epoch}: expected finite losses, found loss ", out.path().display());
    assert!(error.starts_with(&start), "{error}");
    let best = history.best().unwrap().epoch;
    assert!(error.ends_with(&format!("; the best so far, of epoch {best}, is kept")), "{error}");
    assert!(hint.starts_with("hint: lower `--learning-rate`"), "{hint}");
    let checkpoint = Checkpoint::load(&out.path().join("best.safetensors"), Device::Cpu).unwrap();
    assert_eq!(checkpoint.metadata().epoch, best);
    assert!(files(out.path()).contains_key("curves.svg"), "the epochs up to there are drawn");
}

#[test]
fn features_that_are_not_finite_end_the_first_epoch_without_a_checkpoint() {
    let mut made = Store { preprocess: Preprocess::Torch, ..Store::default() };
    made.rows[15].1[3] = f32::NAN;
    let (features, out) = (made.in_folder(), tempfile::tempdir().unwrap());
    let said = fit(1, features.path(), out.path(), []);
    let error = said.stderr.lines().find(|line| line.starts_with("trainer: ")).unwrap();
    assert!(error.contains("epoch 1: expected finite losses, found loss NaN"), "{error}");
    assert!(error.ends_with("; there is no checkpoint yet"), "{error}");
    let found: Vec<String> = files(out.path()).into_keys().collect();
    assert!(!found.contains(&"best.safetensors".to_owned()), "{found:?}");
}
