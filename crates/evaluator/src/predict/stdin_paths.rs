//! Paths, one after another, as `find` prints them.

use std::ffi::OsString;
use std::io::{self, BufRead, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Sixteen times what Linux takes as a path: what is longer is no list of paths.
const LONGEST: u64 = 1 << 16;

/// Why no path could be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StdinPathsError {
    #[error("cannot read paths from stdin")]
    Read(#[source] io::Error),
    #[error("stdin: expected paths of at most {LONGEST} bytes, found a longer one after {before} others")]
    TooLong { before: u64 },
}

/// Reads paths that end with a line feed, with or without a carriage return before it, or with a zero byte. Empty lines are
/// none.
pub(super) struct StdinPaths {
    stdin: Box<dyn BufRead>,
    end: u8,
    read: u64,
}

impl StdinPaths {
    /// Paths that end with a zero byte where `null` says so.
    pub(super) fn new(stdin: impl BufRead + 'static, null: bool) -> Self {
        Self { stdin: Box::new(stdin), end: if null { 0 } else { b'\n' }, read: 0 }
    }

    /// The next path; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<PathBuf>, StdinPathsError> {
        loop {
            let mut path = Vec::new();
            let mut limited = self.stdin.by_ref().take(LONGEST + 1);
            if limited.read_until(self.end, &mut path).map_err(StdinPathsError::Read)? == 0 {
                return Ok(None);
            }
            if path.last() == Some(&self.end) {
                path.pop();
            } else if path.len() as u64 > LONGEST {
                return Err(StdinPathsError::TooLong { before: self.read });
            }
            if self.end == b'\n' && path.last() == Some(&b'\r') {
                path.pop();
            }
            if !path.is_empty() {
                self.read += 1;
                return Ok(Some(OsString::from_vec(path).into()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paths(text: &[u8], null: bool) -> Vec<PathBuf> {
        let mut paths = StdinPaths::new(io::Cursor::new(text.to_vec()), null);
        std::iter::from_fn(|| paths.next().unwrap()).collect()
    }

    #[test]
    fn lines_are_paths_whatever_ends_them_and_empty_ones_are_none() {
        let expected = ["a b.jpg", " c/ü.png", "last"].map(PathBuf::from);
        assert_eq!(paths("a b.jpg\r\n\n c/ü.png\nlast".as_bytes(), false), expected);
        assert!(paths(b"", false).is_empty() && paths(b"\n\r\n", false).is_empty());
    }

    #[test]
    fn paths_that_end_with_a_zero_byte_may_hold_anything_else() {
        assert_eq!(paths(b"two\nlines\r\0\0x", true), ["two\nlines\r", "x"].map(PathBuf::from));
    }

    #[test]
    fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
        let mut endless = StdinPaths::new(io::BufReader::new(io::repeat(b'x')), false);
        let error = endless.next().unwrap_err().to_string();
        assert_eq!(error, "stdin: expected paths of at most 65536 bytes, found a longer one after 0 others");
    }

    proptest! {
        #[test]
        fn every_list_of_paths_is_read_back(names in prop::collection::vec("[^\0]{1,20}", 0..20)) {
            let text: String = names.iter().map(|name| format!("{name}\0")).collect();
            let expected: Vec<PathBuf> = names.into_iter().map(PathBuf::from).collect();
            prop_assert_eq!(paths(text.as_bytes(), true), expected);
        }
    }
}
