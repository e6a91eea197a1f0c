//! The quoting of RFC 4180, in both directions.

use std::fmt::Write as _;

use super::ReportError;

/// Appends a field, quoted where it has to be.
pub fn push_csv_field(csv: &mut String, field: &str) {
    if field.contains([',', '"', '\n', '\r']) {
        let _ = write!(csv, "\"{}\"", field.replace('"', "\"\"")); // a `String` takes everything
    } else {
        csv.push_str(field);
    }
}

/// The records of an RFC 4180 text, each with the line on which it begins. Lines may end in LF or CR LF, and
/// the last one must: a file cut short could otherwise pass with a shorter number at its end.
pub(super) struct CsvRecords<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> CsvRecords<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    fn record(&mut self) -> Result<(usize, Vec<String>), ReportError> {
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix('\n').or(self.rest.strip_prefix("\r\n")) {
                self.rest = rest;
                self.line += 1;
                return Ok((line, fields));
            } else {
                let found =
                    self.rest.chars().next().map_or("the end of the file".to_owned(), |c| format!("{c:?}"));
                let expected = "a comma or the end of the line";
                return Err(ReportError::CsvSyntax { line: self.line, expected, found });
            }
        }
    }

    fn field(&mut self) -> Result<String, ReportError> {
        let Some(mut quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '"', '\r', '\n']).unwrap_or(self.rest.len());
            let (field, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(field.to_owned());
        };
        let mut field = String::new();
        loop {
            let Some((before, after)) = quoted.split_once('"') else {
                let (expected, found) = ("a closing quote", "the end of the file".to_owned());
                return Err(ReportError::CsvSyntax { line: self.line, expected, found });
            };
            field.push_str(before);
            self.line += before.matches('\n').count();
            self.rest = after;
            match after.strip_prefix('"') {
                Some(after_pair) => quoted = after_pair,
                None => return Ok(field),
            }
            field.push('"');
        }
    }
}

impl Iterator for CsvRecords<'_> {
    type Item = Result<(usize, Vec<String>), ReportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() { None } else { Some(self.record()) }
    }
}
