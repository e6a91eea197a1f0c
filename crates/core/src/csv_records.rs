//! Records of comma-separated values (RFC 4180), lines ending in a line feed: written and read back.

use csv::{ReaderBuilder, StringRecord, WriterBuilder};

/// One record with its line feed, fields quoted where they have to be and nowhere else.
pub fn csv_line<Field: AsRef<str>>(fields: impl IntoIterator<Item = Field>) -> String {
    csv_lines([fields])
}

/// Records, one after another.
#[expect(clippy::expect_used, reason = "a vector takes every byte, and text between commas stays text")]
pub(crate) fn csv_lines<Field: AsRef<str>>(
    records: impl IntoIterator<Item = impl IntoIterator<Item = Field>>,
) -> String {
    // How long records should be is for who makes them to say.
    let mut writer = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for record in records {
        for field in record {
            writer.write_field(field.as_ref()).expect("memory takes every field");
        }
        writer.write_record(None::<&[u8]>).expect("memory takes every record");
    }
    let bytes = writer.into_inner().expect("memory takes everything");
    String::from_utf8(bytes).expect("text between commas and quotes stays text")
}

/// A record that is not written as [`csv_line`] writes it. Lines are counted from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OddRecord {
    pub(crate) line: usize,
    /// The beginning of what stands there.
    pub(crate) found: String,
}

/// The records of a text, each with the line on which it begins. Lines may end in LF or CR LF.
///
/// The reader of the `csv` crate takes nearly anything: blank lines, quotes inside a field, a quote that is never
/// closed, a last line without an end. Each of them may be a file cut short or changed, so that every record has to be
/// what the writer would make of its fields.
pub(crate) fn csv_records(text: &str) -> impl Iterator<Item = Result<(usize, Vec<String>), OddRecord>> {
    // Records of other lengths than the first are the caller's finding, who knows what they should be.
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let (mut from, mut line) = (0, 1_usize);
    std::iter::from_fn(move || {
        let is_record = reader.read_record(&mut record);
        let mut to = reader.position().byte() as usize;
        // The reader ends a record after a carriage return, and takes the line feed with the next one.
        let (before, after) = text.split_at_checked(to)?;
        if before.ends_with('\r') && after.starts_with('\n') {
            to = to.saturating_add(1);
        }
        let written = text.get(from..to).unwrap_or_default();
        let begins_on = line;
        (from, line) = (to, line.saturating_add(written.matches('\n').count()));
        let odd = || OddRecord { line: begins_on, found: written.chars().take(60).collect() };
        match is_record {
            Ok(true) => {}
            // Blank lines at the end are no record, and nothing that the writer made.
            Ok(false) => return (!written.is_empty()).then(|| Err(odd())),
            Err(_) => return Some(Err(odd())),
        }
        let canonical = csv_line(&record);
        let is_written_so = written == canonical
            || written
                .strip_suffix("\r\n")
                .is_some_and(|fields| canonical.strip_suffix('\n') == Some(fields));
        Some(if is_written_so {
            Ok((begins_on, record.iter().map(str::to_owned).collect()))
        } else {
            Err(odd())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Records = Result<Vec<(usize, Vec<String>)>, OddRecord>;

    /// What the programs wrote before a library did.
    fn by_hand(fields: &[String]) -> String {
        let quote = |field: &String| {
            let quoted = || format!("\"{}\"", field.replace('"', "\"\""));
            if field.contains([',', '"', '\n', '\r']) { quoted() } else { field.clone() }
        };
        fields.iter().map(quote).collect::<Vec<_>>().join(",") + "\n"
    }

    #[test]
    fn a_field_is_quoted_where_it_must_be_and_nowhere_else() {
        assert_eq!(csv_line(["a b", "", "#'ü", "1,2"]), "a b,,#'ü,\"1,2\"\n");
        assert_eq!(
            csv_line(["say \"x\"", "two\nlines", "\r", ""]),
            "\"say \"\"x\"\"\",\"two\nlines\",\"\r\",\n"
        );
    }

    #[test]
    fn records_know_the_line_they_begin_on_whatever_ends_the_lines() {
        let text = "a,b\n\"two\nlines\",1\r\nlast,\n";
        let records = csv_records(text).collect::<Records>().unwrap();
        let lines: Vec<usize> = records.iter().map(|record| record.0).collect();
        assert_eq!(lines, [1, 2, 4]);
        assert_eq!(records[1].1, ["two\nlines", "1"]);
        assert_eq!(records[2].1, ["last", ""]);
    }

    #[test]
    fn what_the_writer_does_not_make_is_refused_with_its_line() {
        for odd in
            ["p\"q,1\n", "\"p\"q,1\n", "\"p\",1\n", "p\rq,1\n", "\"p,1\n", "p,1", "\n", "\r\n", "\n\np,1\n"]
        {
            let text = format!("a,b\n{odd}");
            let error = csv_records(&text).collect::<Records>().unwrap_err();
            assert_eq!(error.line, 2, "{odd:?}");
            assert!(odd.starts_with(&error.found), "{odd:?}: {error:?}");
        }
        assert_eq!(csv_records("\u{feff}a,b\n").collect::<Records>().unwrap_err().line, 1);
    }

    proptest! {
        #[test]
        fn bytes_are_those_of_rfc_4180_and_read_back(
            records in prop::collection::vec(prop::collection::vec("[a-c,\"\r\n #'ü犬\t]{0,6}", 2..5), 0..6),
        ) {
            let text = csv_lines(&records);
            prop_assert_eq!(&text, &records.iter().map(|record| by_hand(record)).collect::<String>());
            let read: Vec<Vec<String>> =
                csv_records(&text).map(|record| record.unwrap().1).collect();
            prop_assert_eq!(read, records);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[pab,\"\r\n01ü\u{feff}]{0,60}") {
            let _ = csv_records(&text).take(100).count();
        }
    }
}
