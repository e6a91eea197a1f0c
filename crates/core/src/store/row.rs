//! `rows-*.jsonl`: what became of every listed image of a shard, in listing order.

mod line;

use serde::Serialize;

use crate::{Classes, DecodedImage, Label};
use line::{Contradiction, Line};

/// One listed image, or one view of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowRecord {
    /// Relative to the image folder, with `/` between its parts.
    pub path: String,
    /// The position of its class in the manifest.
    pub label: Label,
    /// The name of its class.
    pub class: String,
    /// Whether it became a row.
    #[serde(flatten)]
    pub status: RowStatus,
}

/// Whether a listed image became a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum RowStatus {
    /// It did.
    Ok {
        /// Its row in the shard's arrays.
        row: usize,
        /// Which of its views the row is, where the store holds several; 0 is the photograph itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        view: Option<usize>,
        /// The photograph; features that came from elsewhere have none.
        #[serde(flatten)]
        photograph: Option<DecodedImage>,
    },
    /// It did not.
    Rejected {
        /// Why, one line.
        error: String,
    },
}

/// Rows that contradict the manifest or one another.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// A line is no record.
    #[error("line {line}")]
    Parse {
        /// From 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A record is not what it should be.
    #[error("line {line}: {field}: expected {expected}, found {found}")]
    Field {
        /// From 1.
        line: usize,
        /// What is wrong.
        field: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl RowRecord {
    /// Whether the image became a row.
    pub fn is_row(&self) -> bool {
        matches!(self.status, RowStatus::Ok { .. })
    }

    /// Whether it is the first line of its image: in a store of views, an image has a line for each of them.
    pub fn is_first(&self) -> bool {
        !matches!(self.status, RowStatus::Ok { view: Some(1..), .. })
    }

    /// The view that must come next of the same image, of so many.
    fn next_view(&self, views: usize) -> Option<usize> {
        match self.status {
            RowStatus::Ok { view: Some(view), .. } => view.checked_add(1).filter(|next| *next < views),
            _ => None,
        }
    }

    /// Writes records, one line each.
    #[expect(
        clippy::expect_used,
        reason = "a vector takes every byte, and texts and numbers can be written as JSON"
    )]
    pub(super) fn to_lines(records: &[Self]) -> Vec<u8> {
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, record).expect("text and numbers go into memory without error");
            lines.push(b'\n');
        }
        lines
    }

    /// Reads records and checks that labels fit the classes, rows count up from 0, paths are sorted and relative, and
    /// each image that became rows has all of its `views` (1: none is named) one after the other.
    pub(super) fn from_lines(bytes: &[u8], classes: &Classes, views: usize) -> Result<Vec<Self>, RowsError> {
        let mut records: Vec<Self> = Vec::new();
        let mut rows = 0_usize;
        for (line_number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
            let line: Line = serde_json::from_slice(line)
                .map_err(|source| RowsError::Parse { line: line_number, source })?;
            let record =
                line.check(classes, views, rows, records.last()).map_err(|(field, expected, found)| {
                    RowsError::Field { line: line_number, field, expected, found }
                })?;
            rows = if record.is_row() { rows.saturating_add(1) } else { rows };
            records.push(record);
        }
        match records.last().and_then(|last| Some((last.next_view(views)?, &last.path))) {
            None => Ok(records),
            Some((view, path)) => Err(RowsError::Field {
                line: records.len().saturating_add(1),
                field: "view",
                expected: format!("{view} of `{path}`"),
                found: "the end of the file".to_owned(),
            }),
        }
    }
}

impl RowRecord {
    /// Holds the line against the one before it: the next view of the same image, or a later image.
    fn check_view(&self, views: usize, previous: Option<&Self>) -> Result<(), Contradiction> {
        let told = |view: Option<usize>| view.map_or("none".to_owned(), |view| view.to_string());
        let begun = previous.and_then(|previous| Some((previous.next_view(views)?, previous)));
        if let Some((next, previous)) = begun {
            // Images are told apart by their paths: what else the lines of one say of it must agree.
            let expected = format!("{next} of `{}`", previous.path);
            return match &self.status {
                _ if self.path != previous.path => Err(("view", expected, format!("`{}`", self.path))),
                RowStatus::Rejected { .. } => Err(("view", expected, "a rejected image".to_owned())),
                RowStatus::Ok { view, .. } if *view != Some(next) => Err(("view", expected, told(*view))),
                status if !status.is_of_the_photograph(&previous.status) || self.label != previous.label => {
                    Err(("photograph", "as in the line before".to_owned(), "another".to_owned()))
                }
                RowStatus::Ok { .. } => Ok(()),
            };
        }
        // The order is what makes the listing's digest the same on every machine.
        if let Some(previous) = previous.filter(|previous| previous.path >= self.path) {
            return Err(("path", format!("one after `{}`", previous.path), self.path.clone()));
        }
        let first = (views > 1).then_some(0);
        match self.status {
            RowStatus::Ok { view, .. } if view != first => Err(("view", told(first), told(view))),
            _ => Ok(()),
        }
    }
}

impl RowStatus {
    fn is_of_the_photograph(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ok { photograph, .. }, Self::Ok { photograph: other, .. }) => photograph == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;
    use crate::exit::one_line;
    use proptest::prelude::*;

    fn classes() -> Classes {
        Classes::new(vec!["cats".into(), "dogs".into()]).unwrap()
    }

    fn row(path: &str, row: usize) -> RowRecord {
        let photograph = DecodedImage { width: 4, height: 3, sha256: Digest::of(path.as_bytes()) };
        let status = RowStatus::Ok { row, view: None, photograph: Some(photograph) };
        RowRecord { path: path.into(), label: classes().label("cats").unwrap(), class: "cats".into(), status }
    }

    #[test]
    fn records_look_as_the_format_says() {
        let mut rejected = row("cats/b.jpg", 0);
        rejected.status = RowStatus::Rejected { error: "no".into() };
        let lines = RowRecord::to_lines(&[row("cats/a.jpg", 0), rejected]);
        let digest = Digest::of(b"cats/a.jpg").hex();
        let expected = format!(
            "{{\"path\":\"cats/a.jpg\",\"label\":0,\"class\":\"cats\",\"status\":\"ok\",\"row\":0,\"width\":4,\
             \"height\":3,\"sha256\":\"{digest}\"}}\n{{\"path\":\"cats/b.jpg\",\"label\":0,\"class\":\"cats\",\
             \"status\":\"rejected\",\"error\":\"no\"}}\n"
        );
        assert_eq!(String::from_utf8(lines).unwrap(), expected);
    }

    #[test]
    fn records_that_contradict_the_classes_or_one_another_are_refused() {
        let refused = |records: &[RowRecord], part: &str| {
            let lines = RowRecord::to_lines(records);
            let error = RowRecord::from_lines(&lines, &classes(), 1).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        let (dogs, more) = (classes().label("dogs").unwrap(), ["a", "b", "c"].map(str::to_owned).to_vec());
        let third = Classes::new(more).unwrap().label("c").unwrap();
        refused(&[RowRecord { label: dogs, ..row("a", 0) }], "line 1: class: expected dogs, found cats");
        refused(&[RowRecord { label: third, ..row("a", 0) }], "line 1: label: expected 0 to 1, found 2");
        for class in ["", "a known label", "birds"] {
            let part = format!("class: expected cats, found {class}");
            refused(&[RowRecord { class: class.to_owned(), ..row("a", 0) }], &part);
        }
        refused(&[row("a", 1)], "row: expected 0, found 1");
        refused(&[row("b", 0), row("a", 1)], "line 2: path: expected one after `b`, found a");
        refused(&[row("../a", 0)], "path: expected a path inside the image folder, found ../a");
        refused(&[row("/a", 0)], "path: expected a path inside the image folder, found /a");
        assert!(RowRecord::from_lines(b"{}\n", &classes(), 1).is_err());
    }

    #[test]
    fn lines_with_other_fields_than_their_status_has_are_refused() {
        let refused = |line: &str, part: &str| {
            let error = one_line(&RowRecord::from_lines(line.as_bytes(), &classes(), 1).unwrap_err());
            assert!(error.contains(part), "{line}: {error}");
        };
        let digest = Digest::of(b"").hex();
        let photograph = format!(r#""width":4,"height":3,"sha256":"{digest}""#);
        let with = |rest: &str| format!(r#"{{"path":"a","label":0,"class":"cats","status":{rest}}}"#);
        let read = with(&format!(r#""ok","row":0,{photograph}"#));
        assert!(RowRecord::from_lines(read.as_bytes(), &classes(), 1).is_ok());
        refused(&read.replace("height", "heigct"), "unknown field `heigct`");
        refused(&read.replace("height", "width"), "duplicate field `width`");
        refused(&read.replace(":4", ":-4"), "invalid value");
        refused(&read.replace(":4", ":null"), "invalid type: null");
        refused(&read.replace("path\":\"a", "path\":\"a\\u0000"), "a path inside the image folder");
        refused(&read.replace("\"path\"", "\u{feff}\"path\""), "key must be a string");
        refused(&format!("\u{feff}{read}"), "expected value");
        refused(&with(r#""ok","row":0,"width":4"#), "height: expected a value, found none");
        refused(&with(r#""ok","view":0"#), "row: expected a value, found none");
        refused(&with(r#""ok","row":0,"error":"no""#), "error: expected none, found no");
        refused(&with(r#""rejected""#), "error: expected a value, found none");
        refused(&with(r#""rejected","error":"no","row":0"#), "row: expected none, found 0");
        refused(&with(r#""maybe""#), "unknown variant `maybe`");
        refused(&with(&format!(r#""rejected","error":{}1"#, "[".repeat(100_000))), "invalid type: sequence");
    }

    fn view(path: &str, row: usize, view: usize) -> RowRecord {
        let mut record = self::row(path, row);
        if let RowStatus::Ok { view: named, .. } = &mut record.status {
            *named = Some(view);
        }
        record
    }

    #[test]
    fn views_of_a_photograph_lie_together_and_look_as_the_format_says() {
        let rejected = RowRecord { status: RowStatus::Rejected { error: "no".into() }, ..row("b", 0) };
        let records = [view("a", 0, 0), view("a", 1, 1), rejected, view("c", 2, 0), view("c", 3, 1)];
        let lines = RowRecord::to_lines(&records);
        assert_eq!(RowRecord::from_lines(&lines, &classes(), 2).unwrap(), records);
        let text = String::from_utf8(lines).unwrap();
        assert!(text.contains("\"status\":\"ok\",\"row\":1,\"view\":1,\"width\":4,"), "{text}");
        assert_eq!(records.map(|record| record.is_first()), [true, false, true, true, false]);
    }

    #[test]
    fn views_that_are_missing_doubled_or_in_another_order_are_refused() {
        let refused = |records: &[RowRecord], views: usize, part: &str| {
            let lines = RowRecord::to_lines(records);
            let error = RowRecord::from_lines(&lines, &classes(), views).unwrap_err().to_string();
            assert!(error.ends_with(part), "{error}");
        };
        refused(&[view("a", 0, 0)], 1, "line 1: view: expected none, found 0");
        refused(&[row("a", 0)], 2, "line 1: view: expected 0, found none");
        refused(&[view("a", 0, 1)], 2, "line 1: view: expected 0, found 1");
        refused(&[view("a", 0, 0)], 2, "line 2: view: expected 1 of `a`, found the end of the file");
        refused(&[view("a", 0, 0), view("b", 1, 1)], 2, "line 2: view: expected 1 of `a`, found `b`");
        refused(&[view("a", 0, 0), view("a", 1, 2)], 3, "line 2: view: expected 1 of `a`, found 2");
        refused(&[view("a", 0, 0), view("a", 1, 0)], 2, "line 2: view: expected 1 of `a`, found 0");
        refused(
            &[view("a", 0, 0), view("a", 1, 1), view("a", 2, 2)],
            2,
            "line 3: path: expected one after `a`, found a",
        );
        refused(&[view("a", 0, usize::MAX)], 2, "found 18446744073709551615");
        let rejected = RowRecord { status: RowStatus::Rejected { error: "no".into() }, ..row("a", 0) };
        refused(&[view("a", 0, 0), rejected], 2, "line 2: view: expected 1 of `a`, found a rejected image");
        let mut other = view("a", 1, 1);
        other.status = RowStatus::Ok { row: 1, view: Some(1), photograph: None };
        refused(
            &[view("a", 0, 0), other],
            2,
            "line 2: photograph: expected as in the line before, found another",
        );
    }

    proptest! {
        #[test]
        fn any_path_and_error_survive(names in prop::collection::btree_set("[^/.\0][^/\0]{0,8}", 1..6), error in ".*") {
            let records: Vec<_> = names
                .iter()
                .enumerate()
                .map(|(index, name)| {
                    match index % 3 {
                        0 => return row(name, index / 3 * 2),
                        1 => {
                            let status = RowStatus::Ok { row: index / 3 * 2 + 1, view: None, photograph: None };
                            return RowRecord { status, ..row(name, 0) };
                        }
                        _ => {}
                    }
                    RowRecord { status: RowStatus::Rejected { error: error.clone() }, ..row(name, 0) }
                })
                .collect();
            let lines = RowRecord::to_lines(&records);
            prop_assert_eq!(RowRecord::from_lines(&lines, &classes(), 1).unwrap(), records);
        }
    }
}
