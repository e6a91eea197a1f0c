use super::*;

fn record(epoch: u32, loss: f64, accuracy: f64, val_loss: f64, val_accuracy: f64) -> EpochRecord {
    EpochRecord { epoch, loss, accuracy, val_loss, val_accuracy }
}

/// A history as trainings have it: it falls, flattens, and jitters without a random number.
fn history(epochs: u32) -> Vec<EpochRecord> {
    (1..=epochs)
        .map(|epoch| {
            let progress = f64::from(epoch) / f64::from(epochs.max(32)) * 32.0;
            let jitter = (f64::from(epoch) * 12.9898).sin() * (f64::from(epoch) * 4.1414).cos();
            let loss = 0.13 + 0.55 * (-progress / 8.0).exp() + 0.012 * jitter;
            let val_loss = 0.2 + 0.4 * (-progress / 6.0).exp() + 0.001 * progress + 0.02 * jitter;
            let accuracy = 0.96 - 0.35 * (-progress / 7.0).exp() + 0.008 * jitter;
            record(epoch, loss, accuracy, val_loss, 0.915 - 0.22 * (-progress / 5.0).exp() - 0.012 * jitter)
        })
        .collect()
}

fn drawn(records: &[EpochRecord]) -> Rendered {
    let best = records
        .iter()
        .filter(|record| !record.val_loss.is_nan())
        .min_by(|left, right| left.val_loss.total_cmp(&right.val_loss));
    draw_records(records, best).unwrap()
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    assert_eq!(drawn(&history(32)), drawn(&history(32)));
}

#[test]
fn the_figure_names_its_axes_its_lines_and_the_best_epoch() {
    let records =
        [record(1, 0.7, 0.5, 0.6, 0.61), record(2, 0.5, 0.7, 0.4, 0.8125), record(3, 0.3, 0.9, 0.5, 0.82)];
    let svg = drawn(&records).svg;
    for text in ["Epoch", "Accuracy", "Loss", "Training", "Validation", "best epoch 2: 0.400"] {
        assert!(svg.lines().any(|line| line == text), "{text} is missing");
    }
    assert!(svg.contains("best epoch 2: 0.81"));
}

#[test]
fn ticks_are_whole_epochs() {
    for epochs in [1, 2, 3, 7, 32, 500] {
        let records = history(epochs);
        let ticks = epoch_ticks(&records);
        assert!((1..=9).contains(&ticks.len()), "{epochs}: {}", ticks.len());
        assert!(ticks.iter().all(|tick| tick.value.fract() == 0.0 && !tick.label.contains('.')));
        assert!(ticks.iter().all(|tick| (1.0..=f64::from(epochs)).contains(&tick.value)), "{epochs}");
    }
}

#[test]
fn an_empty_history_is_an_error() {
    let error = draw_records(&[], None).unwrap_err();
    assert_eq!(error.to_string(), "cannot draw curves: expected at least one epoch, found none");
}

#[test]
fn values_that_are_not_finite_leave_a_gap() {
    let mut records = history(9);
    records[0].loss = f64::INFINITY;
    records[4].val_loss = f64::NAN;
    records[5].accuracy = f64::NEG_INFINITY;
    assert_eq!(unbroken(&records, |record| record.val_loss).len(), 2);
    let svg = drawn(&records).svg;
    assert!(!svg.contains("NaN") && !svg.contains("inf"));

    let nothing = [record(1, f64::NAN, f64::NAN, f64::NAN, f64::NAN)];
    assert!(drawn(&nothing).svg.contains("Accuracy"));
}

#[test]
fn one_epoch_and_constant_values_are_drawn() {
    assert!(drawn(&[record(1, 0.5, 1.0, 0.5, 1.0)]).svg.contains("best epoch 1: 0.500"));
    let constant: Vec<_> = (1..=5).map(|epoch| record(epoch, 0.0, 0.5, 0.0, 0.5)).collect();
    assert!(drawn(&constant).svg.contains("best epoch 1: 0.000"));
}
