//! Lists of photographs that are left out of a listing: one path a line, for people and programs.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::escaped;

/// Photographs that are not to be listed.
///
/// The file is text in UTF-8, lines ending in LF or CR LF. Each line is a path as a listing has it: relative to the image
/// folder, `/` between its parts, its class first. Blank lines and lines that begin with `#` say nothing. A line that
/// begins with `"` is a path as a JSON string: so are paths written that begin with `#`, `"` or white space, end in white
/// space, or hold control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exclusions(BTreeSet<String>);

/// A file that is no such list.
#[derive(Debug, thiserror::Error)]
pub enum ExclusionsError {
    /// It could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no text.
    #[error("`{}`: line {line}: expected a list of paths, one a line, in UTF-8, found bytes that are no text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// A line is no path.
    #[error("`{}`: line {line}: expected a path without control characters, found `{found}`", path.display())]
    ControlCharacter {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The beginning of the line.
        found: String,
    },
    /// A line begins with a quote and is no JSON string.
    #[error("`{}`: line {line}: expected a path, or a JSON string", path.display())]
    Quoted {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Exclusions {
    /// Reads a list.
    pub fn open(path: &Path) -> Result<Self, ExclusionsError> {
        let bytes =
            fs::read(path).map_err(|source| ExclusionsError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(path, &bytes)
    }

    fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, ExclusionsError> {
        // Some editors begin a text with a mark of its encoding.
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut paths = BTreeSet::new();
        for (line, bytes) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            let path = || path.to_owned();
            let Ok(text) = str::from_utf8(bytes) else {
                return Err(ExclusionsError::NotText { path: path(), line });
            };
            let text = text.strip_suffix('\r').unwrap_or(text);
            if text.trim().is_empty() || text.starts_with('#') {
                continue;
            }
            if text.starts_with('"') {
                let read = serde_json::from_str(text);
                paths.insert(read.map_err(|source| ExclusionsError::Quoted {
                    path: path(),
                    line,
                    source,
                })?);
            } else if text.contains(char::is_control) {
                let found = escaped(&text.chars().take(60).collect::<String>()).into_owned();
                return Err(ExclusionsError::ControlCharacter { path: path(), line, found });
            } else {
                paths.insert(text.to_owned());
            }
        }
        Ok(Self(paths))
    }

    /// The line of a path, with its line feed.
    #[expect(clippy::expect_used, reason = "a text can be written as JSON")]
    pub fn line(path: &str) -> String {
        let begins_otherwise =
            path.starts_with(['#', '"', '\u{feff}']) || path.trim() != path || path.is_empty();
        if begins_otherwise || path.contains(char::is_control) {
            return serde_json::to_string(path).expect("a text can be written as JSON") + "\n";
        }
        format!("{path}\n")
    }

    /// Lines that say something to people alone.
    pub fn comment(text: &str) -> String {
        text.lines().map(|line| format!("# {}\n", escaped(line))).collect()
    }

    /// Whether a photograph is left out.
    pub fn contains(&self, path: &str) -> bool {
        self.0.contains(path)
    }

    /// The paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<String> for Exclusions {
    fn from_iter<I: IntoIterator<Item = String>>(paths: I) -> Self {
        Self(paths.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<Vec<String>, String> {
        let list = Exclusions::from_bytes(Path::new("list.txt"), bytes).map_err(|error| error.to_string())?;
        Ok(list.paths().map(str::to_owned).collect())
    }

    #[test]
    fn comments_and_blank_lines_say_nothing_and_lines_end_as_they_like() {
        let text = b"\xef\xbb\xbf# doubtful\n\ncats/b b.jpg\r\n  \ncats/a.jpg\ncats/a.jpg";
        assert_eq!(read(text).unwrap(), ["cats/a.jpg", "cats/b b.jpg"]);
        assert_eq!(read(b"").unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_no_list_is_refused_with_its_line() {
        let error = |bytes: &[u8]| read(bytes).unwrap_err();
        let not_text = "`list.txt`: line 2: expected a list of paths, one a line, in UTF-8, found bytes that are no text";
        assert_eq!(error(b"a.jpg\n\x89PNG\n"), not_text);
        assert_eq!(
            error(b"a\0b.jpg"),
            "`list.txt`: line 1: expected a path without control characters, found `a\\u{0}b.jpg`"
        );
        assert_eq!(error(b"\n\n\"a.jpg"), "`list.txt`: line 3: expected a path, or a JSON string");
        assert!(
            Exclusions::open(Path::new("/no/list"))
                .unwrap_err()
                .to_string()
                .starts_with("cannot read `/no/list`")
        );
    }

    proptest! {
        #[test]
        fn every_path_survives_the_way_through_a_line(
            paths in prop::collection::btree_set("[a#\" \n\r\t/ü\u{0}\u{feff}\u{85}]{1,8}", 0..6),
            remark in "[a\n\r#]{0,9}",
        ) {
            let text: String = Exclusions::comment(&remark)
                + &paths.iter().map(|path| Exclusions::line(path)).collect::<String>();
            prop_assert_eq!(read(text.as_bytes()).unwrap(), paths.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&bytes);
        }
    }
}
