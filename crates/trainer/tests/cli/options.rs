//! What the options make of the head and its training.

use super::support::*;

/// Names and shapes of the best head's tensors, by name.
fn tensors(run: &std::path::Path) -> Vec<(String, Vec<usize>)> {
    let bytes = std::fs::read(run.join("best.safetensors")).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let header = &rest[..usize::try_from(u64::from_le_bytes(*length)).unwrap()];
    let header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let tensors = header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__");
    let shape = |entry: &serde_json::Value| serde_json::from_value(entry["shape"].clone()).unwrap();
    let mut tensors: Vec<_> = tensors.map(|(name, entry)| (name.clone(), shape(entry))).collect();
    tensors.sort();
    tensors
}

fn named(tensors: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
    let mut named: Vec<_> =
        tensors.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect();
    named.sort();
    named
}

#[test]
fn every_optimizer_learns_what_is_easy() {
    let features = Store::default().in_folder();
    for (optimizer, rate) in [("rmsprop", "0.01"), ("adam", "0.01"), ("sgd", "0.1")] {
        let out = tempfile::tempdir().unwrap();
        let options = ["--optimizer", optimizer, "--learning-rate", rate, "--epochs", "12"];
        fit(0, features.path(), out.path(), options);
        let history = history(out.path());
        let (first, best) = (history.records()[0], history.best().unwrap());
        assert!(best.val_loss < first.val_loss, "{optimizer}: {history:?}");
        assert_eq!(best.val_accuracy, 1.0, "{optimizer}: {history:?}");
        assert_eq!(config(out.path())["optimizer"], optimizer);
    }
}

#[test]
fn a_head_without_hidden_units_is_linear() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    fit(0, features.path(), out.path(), ["--hidden", "0", "--dropout", "0", "--epochs", "8"]);
    assert_eq!(tensors(out.path()), named(&[("output.weight", &[1, LENGTH]), ("output.bias", &[1])]));
    assert_eq!(history(out.path()).best().unwrap().val_accuracy, 1.0);
}

#[test]
fn three_classes_have_an_output_each_and_are_learned() {
    let classes = &["birds", "cats", "dogs"];
    let features =
        Store { classes, rows: rows(&[("birds", 14), ("cats", 14), ("dogs", 14)], 0), ..Store::default() }
            .in_folder();
    let out = tempfile::tempdir().unwrap();
    fit(0, features.path(), out.path(), ["--epochs", "12", "--dropout", "0"]);
    let expected = named(&[
        ("dense.weight", &[8, LENGTH]),
        ("dense.bias", &[8]),
        ("output.weight", &[3, 8]),
        ("output.bias", &[3]),
    ]);
    assert_eq!(tensors(out.path()), expected);
    assert_eq!(history(out.path()).best().unwrap().val_accuracy, 1.0);
    let ln3 = 3_f64.ln();
    assert!((history(out.path()).records()[0].loss - ln3).abs() < ln3, "a softmax begins near ln 3");
}

#[test]
fn balanced_classes_weigh_a_rare_class_more_and_change_nothing_where_all_are_equal() {
    let run = |cats: usize, weight: &str| {
        let features =
            Store { rows: rows(&[("cats", cats), ("dogs", 10)], 0), ..Store::default() }.in_folder();
        let out = tempfile::tempdir().unwrap();
        fit(0, features.path(), out.path(), ["--class-weight", weight]);
        assert_eq!(config(out.path())["class_weight"], weight);
        history(out.path())
    };
    assert_eq!(run(10, "none"), run(10, "balanced"));
    assert_ne!(run(30, "none"), run(30, "balanced"));
}

#[test]
fn activation_dropout_and_batch_size_change_the_training() {
    let features = Store::default().in_folder();
    let run = |options: [&str; 2]| {
        let out = tempfile::tempdir().unwrap();
        fit(0, features.path(), out.path(), options);
        files(out.path()).remove("history.csv").unwrap()
    };
    let plain = run(["--activation", "relu"]);
    for options in
        [["--activation", "none"], ["--dropout", "0"], ["--batch-size", "5"], ["--learning-rate", "0.02"]]
    {
        assert_ne!(run(options), plain, "{options:?}");
    }
    // A batch may be larger than the data.
    run(["--batch-size", "65536"]);
}

#[test]
fn patience_stops_after_so_many_epochs_without_a_lower_loss() {
    let features = Store { rows: rows(&[("cats", 12), ("dogs", 12)], 3), ..Store::default() }.in_folder();
    let out = tempfile::tempdir().unwrap();
    let options = ["--epochs", "200", "--optimizer", "sgd", "--learning-rate", "2", "--patience", "2"];
    let said = fit(0, features.path(), out.path(), options);
    let history = history(out.path());
    let best = history.best().unwrap().epoch;
    assert_eq!(history.records().last().unwrap().epoch, best + 2);
    assert!(history.len() < 200);
    assert!(said.stderr.contains("no lower validation loss for 2 epochs: stopping"), "{}", said.stderr);
}
