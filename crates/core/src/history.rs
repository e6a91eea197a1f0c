//! What the trainer leaves behind of each epoch: `history.csv`.

use serde::{Deserialize, Serialize};

use crate::csv_records::{csv_lines, csv_records};

const COLUMNS: [&str; 5] = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"];

/// What is wrong with a history. Lines are counted from one; the header is the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The first line does not name the columns.
    #[error("line 1: expected {:?}, found {found:?}", COLUMNS.join(","))]
    Header {
        /// The line.
        found: String,
    },
    /// A line that is longer or shorter than the header.
    #[error("line {line}: expected {expected} columns, found {found}", expected = COLUMNS.len())]
    Columns {
        /// The line.
        line: usize,
        /// The columns found.
        found: usize,
    },
    /// A value that is no finite number.
    #[error("line {line}, column {column}: expected a finite number, found {found:?}")]
    Number {
        /// The line.
        line: usize,
        /// The name of the column.
        column: &'static str,
        /// The value found.
        found: String,
    },
    /// An epoch that is missing, repeated or no number.
    #[error("line {line}, column epoch: expected {expected}, found {found:?}")]
    Epoch {
        /// The line.
        line: usize,
        /// The epoch that comes next.
        expected: usize,
        /// The epoch found.
        found: String,
    },
    /// A blank line, or quotes where none belong.
    #[error("line {line}: expected numbers with commas between them, found {found:?}")]
    Record {
        /// The line.
        line: usize,
        /// The beginning of what stands there.
        found: String,
    },
    /// A file cut short: the last line does not end.
    #[error("line {line}: expected a newline at the end, found the end of the file")]
    Unfinished {
        /// The line.
        line: usize,
    },
}

/// One line of a [`History`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from one.
    pub epoch: u32,
    /// The mean training loss over the epoch.
    pub loss: f64,
    /// The share of training samples that were right during the epoch.
    pub accuracy: f64,
    /// The mean validation loss after the epoch.
    pub val_loss: f64,
    /// The share of validation samples that are right after the epoch.
    pub val_accuracy: f64,
}

/// The epochs of one training run, consecutive from one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    records: Vec<EpochRecord>,
}

impl History {
    /// A history without epochs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the epoch that comes next, and refuses any other.
    ///
    /// Losses may be infinite or no number, so that a run that diverged can be written down;
    /// [`History::from_csv`] refuses to go on from it.
    pub fn push(&mut self, record: EpochRecord) -> Result<(), HistoryError> {
        let expected = self.next_epoch();
        if u32::try_from(expected) != Ok(record.epoch) {
            let (line, found) = (expected.saturating_add(1), record.epoch.to_string());
            return Err(HistoryError::Epoch { line, expected, found });
        }
        self.records.push(record);
        Ok(())
    }

    fn next_epoch(&self) -> usize {
        self.records.len().saturating_add(1)
    }

    /// All epochs, in order.
    pub fn records(&self) -> &[EpochRecord] {
        &self.records
    }

    /// The number of epochs.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no epoch has ended yet.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The epoch with the lowest validation loss, the first one on ties; `None` where none is finite.
    pub fn best(&self) -> Option<&EpochRecord> {
        // `min_by` keeps the first of equals; among finite numbers `total_cmp` differs from `<` at -0.0 only,
        // which adding 0.0 turns into 0.0.
        let finite = self.records.iter().filter(|record| record.val_loss.is_finite());
        finite.min_by(|left, right| (left.val_loss + 0.0).total_cmp(&(right.val_loss + 0.0)))
    }

    /// The bytes of `history.csv`; numbers are the shortest that read back as the same `f64`.
    pub fn to_csv(&self) -> String {
        let header = COLUMNS.map(str::to_owned);
        // `{:?}` is the shortest form that reads back, with an exponent where that is shorter by far.
        let number = |number: f64| format!("{number:?}");
        let rows = self.records.iter().map(|record| {
            let EpochRecord { epoch, loss, accuracy, val_loss, val_accuracy } = *record;
            [epoch.to_string(), number(loss), number(accuracy), number(val_loss), number(val_accuracy)]
        });
        csv_lines(std::iter::once(header).chain(rows))
    }

    /// Reads what [`History::to_csv`] wrote. Lines may end in LF or CR LF, and the last one must: a number
    /// cut short is still a number.
    pub fn from_csv(text: &str) -> Result<Self, HistoryError> {
        let header = text.lines().next().unwrap_or_default();
        if header != COLUMNS.join(",") {
            return Err(HistoryError::Header { found: header.to_owned() });
        }
        if !text.ends_with('\n') {
            return Err(HistoryError::Unfinished { line: text.lines().count() });
        }
        let mut history = Self::new();
        for record in csv_records(text).skip(1) {
            let (line, fields) =
                record.map_err(|odd| HistoryError::Record { line: odd.line, found: odd.found })?;
            history.push(parse_record(line, &fields, history.next_epoch())?)?;
        }
        Ok(history)
    }
}

fn parse_record(line: usize, fields: &[String], epoch: usize) -> Result<EpochRecord, HistoryError> {
    let columns = || HistoryError::Columns { line, found: fields.len() };
    let [number_of_epoch, loss, accuracy, val_loss, val_accuracy]: &[String; COLUMNS.len()] =
        fields.try_into().map_err(|_| columns())?;
    let number = |column: &'static str, field: &String| {
        let value = field.parse().ok().filter(|value: &f64| value.is_finite());
        value.ok_or(HistoryError::Number { line, column, found: field.clone() })
    };
    let wrong_epoch = |_| HistoryError::Epoch { line, expected: epoch, found: number_of_epoch.clone() };
    Ok(EpochRecord {
        epoch: number_of_epoch.parse().map_err(wrong_epoch)?,
        loss: number("loss", loss)?,
        accuracy: number("accuracy", accuracy)?,
        val_loss: number("val_loss", val_loss)?,
        val_accuracy: number("val_accuracy", val_accuracy)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn history(val_losses: &[f64]) -> History {
        let mut history = History::new();
        for (epoch, &val_loss) in (1..).zip(val_losses) {
            history
                .push(EpochRecord { epoch, loss: 0.5, accuracy: 1.0, val_loss, val_accuracy: 1e-7 })
                .unwrap();
        }
        history
    }

    #[test]
    fn numbers_are_written_in_their_shortest_form() {
        let expected =
            "epoch,loss,accuracy,val_loss,val_accuracy\n1,0.5,1.0,0.1,1e-7\n2,0.5,1.0,-0.25,1e-7\n";
        assert_eq!(history(&[0.1, -0.25]).to_csv(), expected);
    }

    #[test]
    fn the_best_epoch_is_the_first_at_the_lowest_finite_validation_loss() {
        let best = |losses: &[f64]| history(losses).best().map(|record| record.epoch);
        assert_eq!(best(&[0.3, 0.2, 0.2, 0.4]), Some(2));
        assert_eq!(best(&[f64::NAN, f64::NEG_INFINITY, 0.2]), Some(3));
        assert_eq!(best(&[0.0, -0.0]), Some(1));
        assert_eq!(best(&[f64::NAN, f64::INFINITY]), None);
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn epochs_can_neither_be_skipped_nor_repeated() {
        let mut history = history(&[0.3]);
        let again = history.records()[0];
        let error = history.push(again).unwrap_err();
        assert_eq!(error.to_string(), "line 3, column epoch: expected 2, found \"1\"");
        assert!(history.push(EpochRecord { epoch: 3, ..again }).is_err());
        assert_eq!((history.len(), history.is_empty()), (1, false));
    }

    #[test]
    fn every_finding_names_its_line_with_expected_and_found() {
        let attacks = [
            ("", r#"line 1: expected "epoch,loss,accuracy,val_loss,val_accuracy", found """#),
            (
                "epoch,loss\n",
                r#"line 1: expected "epoch,loss,accuracy,val_loss,val_accuracy", found "epoch,loss""#,
            ),
            ("1,1,1,1\n", "line 2: expected 5 columns, found 4"),
            ("1,1,1,1,1,1\n", "line 2: expected 5 columns, found 6"),
            ("1,1,1,1,1\n\n", r#"line 3: expected numbers with commas between them, found "\n""#),
            (
                "\"1\",1,1,1,1\n",
                r#"line 2: expected numbers with commas between them, found "\"1\",1,1,1,1\n""#,
            ),
            ("1,1,1,NaN,1\n", r#"line 2, column val_loss: expected a finite number, found "NaN""#),
            ("1,1,1e999,1,1\n", r#"line 2, column accuracy: expected a finite number, found "1e999""#),
            ("1, 1,1,1,1\n", r#"line 2, column loss: expected a finite number, found " 1""#),
            ("0,1,1,1,1\n", r#"line 2, column epoch: expected 1, found "0""#),
            ("one,1,1,1,1\n", r#"line 2, column epoch: expected 1, found "one""#),
            ("1,1,1,1,1\n3,1,1,1,1\n", r#"line 3, column epoch: expected 2, found "3""#),
            ("1,1,1,1,1\n2,1,1,1,0.9", "line 3: expected a newline at the end, found the end of the file"),
        ];
        for (index, (text, message)) in attacks.into_iter().enumerate() {
            let text = if index < 2 { text.to_owned() } else { format!("{}\n{text}", COLUMNS.join(",")) };
            assert_eq!(History::from_csv(&text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn carriage_returns_at_the_ends_of_lines_are_no_trouble() {
        let expected = history(&[0.3, 0.2]);
        assert_eq!(History::from_csv(&expected.to_csv().replace('\n', "\r\n")), Ok(expected));
    }

    fn finite() -> impl Strategy<Value = f64> {
        any::<f64>().prop_filter("finite", |value| value.is_finite())
    }

    proptest! {
        #[test]
        fn a_history_reads_back_as_it_was(
            rows in prop::collection::vec((finite(), finite(), finite(), finite()), 0..50),
        ) {
            let mut history = History::new();
            for (epoch, (loss, accuracy, val_loss, val_accuracy)) in (1..).zip(rows) {
                history.push(EpochRecord { epoch, loss, accuracy, val_loss, val_accuracy }).unwrap();
            }
            let read = History::from_csv(&history.to_csv());
            prop_assert_eq!(read.as_ref(), Ok(&history));
            prop_assert_eq!(read.unwrap().to_csv(), history.to_csv());
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[0-9,.e\\-\r\nNa]{0,60}") {
            let _ = History::from_csv(&text);
            let _ = History::from_csv(&format!("{}\n{text}", COLUMNS.join(",")));
        }
    }
}
