use proptest::prelude::*;
use prost::Message;

use super::*;

fn record(epoch: u32, numbers: [f64; 4]) -> EpochRecord {
    let [loss, accuracy, val_loss, val_accuracy] = numbers;
    EpochRecord { epoch, loss, accuracy, val_loss, val_accuracy }
}

fn history(rows: &[[f64; 4]]) -> History {
    let mut history = History::new();
    for (epoch, numbers) in (1..).zip(rows) {
        history.push(record(epoch, *numbers)).unwrap();
    }
    history
}

/// The messages of a file, whose records must follow on each other without a gap.
fn events(mut bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let data = &rest[4..][..u64::from_le_bytes(*length) as usize];
        let event = Event::decode(data).unwrap();
        assert_eq!(framed(&event), bytes[..data.len() + 16]);
        bytes = &bytes[data.len() + 16..];
        events.push(event);
    }
    assert!(bytes.is_empty());
    events
}

#[test]
fn the_bytes_are_those_of_tensorboards_own_writer() {
    // `tests/golden/make_events.py` makes the file.
    let golden = include_bytes!("../../tests/golden/events.out.tfevents.convbase");
    let history = history(&[[0.693, 0.5, 0.7, 0.0], [1e-7, 1.0, 123_456.789, 0.9583]]);
    assert_eq!(begun(&history), golden);
}

#[test]
fn what_lies_behind_the_history_is_cut_off_and_what_lacks_or_differs_is_written() {
    let rows = [[0.7, 0.5, 0.8, 0.25], [0.5, 0.75, 0.6, 0.5], [0.25, 1.0, 0.75, 0.5]];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let (whole, begun) = (begun(&history(&rows)), begun(&history(&rows[..2])));
    let mut other = begun.clone();
    other[40] ^= 1;
    let half = &whole[..begun.len() + 5];
    for left in
        [None, Some(&b""[..]), Some(&begun[..30]), Some(&begun), Some(half), Some(&whole), Some(&other)]
    {
        match left {
            Some(bytes) => write_artifact(&path, bytes).unwrap(),
            None => assert!(!path.exists()),
        }
        let file = EventFile::begin(folder.path(), &history(&rows[..2])).unwrap();
        assert_eq!(fs::read(&path).unwrap(), begun, "{left:?}");
        file.append(&record(3, rows[2])).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole, "{left:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    fs::create_dir(&path).unwrap();
    let error = EventFile::begin(folder.path(), &History::new()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write `{}`", path.display()));
}

proptest! {
    #[test]
    fn every_epoch_is_read_back_as_float32(rows in prop::collection::vec(any::<[f64; 4]>(), 0..20)) {
        let history = history(&rows);
        let events = events(&begun(&history));
        let expected: Vec<Event> =
            std::iter::once(Event::version()).chain(history.records().iter().map(Event::of_epoch)).collect();
        // As text, in which a NaN is like any other.
        prop_assert_eq!(format!("{events:?}"), format!("{expected:?}"));
    }
}
