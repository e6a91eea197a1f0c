//! Names of files as they may be shown: nothing in them reaches a terminal or ends a line of a log.

use std::borrow::Cow;
use std::path::Path;

/// Characters that change how the text around them is shown, beside control characters: separators of lines, and what
/// turns the direction of writing (Unicode, `Bidi_Control`).
const MISLEADING: [char; 13] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{202a}', '\u{202b}', '\u{202c}',
    '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2069}',
];

/// A text with such characters written out, as Rust writes them in a string: `\n`, `\u{1b}`. Others stay as they are.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let written = |character: char| {
        let (escape, plain) = if is_escaped(character) {
            (Some(character.escape_default()), None)
        } else {
            (None, Some(character))
        };
        escape.into_iter().flatten().chain(plain)
    };
    Cow::Owned(text.chars().flat_map(written).collect())
}

/// A path, with bytes that are no UTF-8 written as `\xff` and each backslash beside them doubled, so that two different
/// names never look the same; see [`escaped`] for the rest.
pub fn escaped_path(path: &Path) -> String {
    if let Some(text) = path.to_str() {
        return escaped(text).into_owned();
    }
    let mut shown = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        shown.push_str(&escaped(&chunk.valid().replace('\\', "\\\\")));
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    shown
}

fn is_escaped(character: char) -> bool {
    character.is_control() || MISLEADING.contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_forge_a_line_or_reach_a_terminal_is_written_out() {
        assert_eq!(escaped("cats/große Katze 1.jpg"), "cats/große Katze 1.jpg");
        assert_eq!(
            escaped("a\n INFO ok\x1b[2J\u{9b}\u{202e}gpj"),
            "a\\n INFO ok\\u{1b}[2J\\u{9b}\\u{202e}gpj"
        );
        assert!(MISLEADING.iter().all(|character| !escaped(&character.to_string()).contains(*character)));
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_told_apart() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let shown = |name: &[u8]| escaped_path(Path::new(OsStr::from_bytes(name)));
        assert_eq!(shown(b"a\\b.jpg"), "a\\b.jpg");
        assert_eq!(shown(b"b\xff.jpg"), "b\\xff.jpg");
        assert_eq!(shown(b"\xff\\xff\n"), "\\xff\\\\xff\\n");
    }
}
