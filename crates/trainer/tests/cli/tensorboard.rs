//! What `--tensorboard` leaves for TensorBoard, read here with nothing of what wrote it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::resume::stop;
use super::support::*;

pub const NAME: &str = "events.out.tfevents.convbase";

/// CRC-32C bit by bit (RFC 3720), turned and moved as TFRecord says.
fn masked(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The data of each record of a file that is nothing but whole records.
fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        assert_eq!(number(&bytes[8..]), masked(&bytes[..8]));
        let data = &bytes[12..12 + length];
        assert_eq!(number(&bytes[12 + length..]), masked(data));
        records.push(data.to_vec());
        bytes = &bytes[16 + length..];
    }
    records
}

/// Protobuf's fields: numbers and their bytes. Lengths and varints here are all below 128.
fn fields(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut fields = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        let (skipped, length) = match tag & 7 {
            0 => (0, 1),
            1 => (0, 8),
            2 => (1, usize::from(rest[0])),
            5 => (0, 4),
            other => panic!("wire type {other}"),
        };
        fields.push((tag >> 3, &rest[skipped..][..length]));
        bytes = &rest[skipped + length..];
    }
    fields
}

/// Compares a run's event file with its history.
pub fn check(run: &Path) {
    let records = records(&fs::read(run.join(NAME)).unwrap());
    let history = history(run);
    assert_eq!(records.len(), 1 + history.len());
    assert_eq!(fields(&records[0]), [(3, &b"brain.Event:2"[..])]);
    for (data, record) in records[1..].iter().zip(history.records()) {
        let event = fields(data);
        assert_eq!(
            event[0],
            (1, &f64::from(record.epoch).to_le_bytes()[..]),
            "the time is the epoch's number"
        );
        assert_eq!(event[1], (2, &[record.epoch as u8][..]));
        let series = [
            ("loss", record.loss),
            ("accuracy", record.accuracy),
            ("val_loss", record.val_loss),
            ("val_accuracy", record.val_accuracy),
        ];
        assert_eq!((event[2].0, event.len()), (5, 3));
        let values = fields(event[2].1);
        assert_eq!(values.len(), series.len());
        for ((field, value), (tag, number)) in values.into_iter().zip(series) {
            let expected = [(1, tag.as_bytes()), (2, &(number as f32).to_le_bytes()[..])];
            assert_eq!((field, &fields(value)[..]), (1, &expected[..]));
        }
    }
}

#[test]
fn the_four_series_of_the_history_are_written_and_nothing_else_changes() {
    let (features, plain, out) =
        (Store::default().in_folder(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fit(0, features.path(), plain.path(), ["--epochs", "12"]);
    fit(0, features.path(), out.path(), ["--epochs", "12", "--tensorboard"]);
    check(out.path());
    let mut files_of_it = files(out.path());
    assert!(files_of_it.remove(NAME).is_some());
    assert!(files_of_it == files(plain.path()), "the option is no part of the run's configuration or result");
    assert!(!plain.path().join(NAME).exists());
}

#[test]
fn a_resumed_run_ends_with_the_event_file_of_one_that_was_never_interrupted() {
    const EPOCHS: [&str; 3] = ["--tensorboard", "--epochs", "120"];
    let features = Store::default().in_folder();
    let alone = tempfile::tempdir().unwrap();
    fit(0, features.path(), alone.path(), EPOCHS);
    check(alone.path());
    for (signal, code, left) in [("-TERM", Some(75), &b""[..]), ("-KILL", None, &b"half a rec"[..])] {
        let out = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_trainer"))
            .args(["fit", "-q", "--device", "cpu", "--hidden", "8", "--batch-size", "8"])
            .args(["--learning-rate", "0.01"])
            .args(EPOCHS)
            .arg("--features")
            .arg(features.path())
            .arg("--out")
            .arg(out.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(stop(child, out.path(), signal), code);
        let path = out.path().join(NAME);
        let bytes = [&fs::read(&path).unwrap(), left].concat();
        convbase_core::write_artifact(&path, &bytes).unwrap();
        let [a, b, c] = EPOCHS;
        fit(0, features.path(), out.path(), [a, b, c, "--resume"]);
        assert!(files(out.path()) == files(alone.path()), "{signal}: the resumed run differs");
    }
}

#[test]
fn the_option_may_come_with_a_resumption_and_may_be_left_out_of_one() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    fit(0, features.path(), out.path(), []);
    fit(0, features.path(), out.path(), ["--resume", "--tensorboard"]);
    check(out.path());
    let before = files(out.path());
    fit(0, features.path(), out.path(), ["--resume"]);
    assert!(files(out.path()) == before);
    // A repeated run begins its file again.
    fit(0, features.path(), out.path(), ["--tensorboard"]);
    assert!(files(out.path()) == before);
}

#[test]
fn an_event_file_that_cannot_be_written_is_named_before_anything_is_trained() {
    let (features, out) = (Store::default().in_folder(), tempfile::tempdir().unwrap());
    let path = out.path().join(NAME);
    fs::create_dir_all(&path).unwrap();
    let said = fit(1, features.path(), out.path(), ["--tensorboard"]);
    let error = said.stderr.lines().rfind(|line| line.starts_with("trainer: ")).unwrap();
    assert!(error.starts_with(&format!("trainer: cannot write `{}`: ", path.display())), "{}", said.stderr);
    assert!(!out.path().join("history.csv").exists());
}
