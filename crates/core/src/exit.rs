//! How an error leaves a program: one line with its causes, the hints, and an exit code.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;

use crate::escaped;
use crate::spec::named;

/// How a program ended that met no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done. Exit code 0.
    Done,
    /// The work was done and found something wrong, which has been said already. Exit code 1.
    Findings,
    /// A signal asked to stop, and the program did so where it can go on. Exit code 75 (`EX_TEMPFAIL` of sysexits).
    Interrupted,
}

named! {
    /// How messages and a final error are written to stderr.
    LogFormat, "log format", {
        /// Lines for people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

impl Outcome {
    /// The exit code of a program that was interrupted.
    pub const INTERRUPTED: u8 = 75;
}

/// An error with a remedy. Shown as the error itself; the hint is printed after the whole chain.
#[derive(Debug)]
pub struct Hinted {
    error: Box<dyn Error + Send + Sync>,
    hint: String,
}

impl Hinted {
    /// Adds a remedy, one line, to an error.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>, hint: impl Into<String>) -> Self {
        Self { error: error.into(), hint: hint.into() }
    }
}

impl fmt::Display for Hinted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, formatter)
    }
}

impl Error for Hinted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// Adds a hint to the error of a result.
pub trait WithHint<T> {
    /// Keeps the error's text and causes and adds a remedy, one line.
    fn hint<H: Into<String>>(self, hint: impl FnOnce() -> H) -> Result<T, Hinted>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> WithHint<T> for Result<T, E> {
    fn hint<H: Into<String>>(self, hint: impl FnOnce() -> H) -> Result<T, Hinted> {
        self.map_err(|error| Hinted::new(error, hint()))
    }
}

/// What was to be printed could not be.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to stdout")]
pub struct StdoutError(#[from] io::Error);

/// Prints a failure to stderr and gives the exit code. `program` begins the line for people, and is a field of the
/// line for programs.
///
/// A closed stdout (`extractor inspect | head`) is the reader's choice and no failure.
pub fn code<E>(program: &str, format: LogFormat, result: Result<Outcome, E>) -> ExitCode
where
    E: AsRef<dyn Error + Send + Sync>,
{
    let error = match &result {
        Ok(Outcome::Done) => return ExitCode::SUCCESS,
        Ok(Outcome::Findings) => return ExitCode::FAILURE,
        Ok(Outcome::Interrupted) => return ExitCode::from(Outcome::INTERRUPTED),
        Err(error) => error.as_ref(),
    };
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    // Nothing is left to be done when stderr is closed as well.
    let text = match format {
        LogFormat::Text => describe(program, error),
        LogFormat::Json => describe_json(program, error),
    };
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::FAILURE
}

/// An error and its causes, outermost first.
pub fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// An error and its causes on one line. Other libraries' errors may span several lines, which are joined; a name in them
/// cannot forge another line, nor reach the terminal.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let join = |text: String| text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let causes: Vec<String> = chain(error).map(|cause| join(cause.to_string())).collect();
    escaped(&causes.join(": ")).into_owned()
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    chain(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn describe(program: &str, error: &(dyn Error + 'static)) -> String {
    let hints: String = hints(error).map(|hint| format!("hint: {hint}\n")).collect();
    format!("{program}: {}\n{hints}", one_line(error))
}

fn describe_json(program: &str, error: &(dyn Error + 'static)) -> String {
    let hints: Vec<&str> = hints(error).collect();
    let line = json!({"level": "ERROR", "program": program, "message": one_line(error), "hints": hints});
    format!("{line}\n")
}

fn hints<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a str> {
    chain(error).filter_map(|cause| match cause.downcast_ref::<Hinted>() {
        Some(hinted) => Some(hinted.hint.as_str()),
        None => cause.downcast_ref::<io::Error>().and_then(remedy),
    })
}

/// EMFILE, the same number on every Unix; the standard library has no kind for it.
const TOO_MANY_OPEN_FILES: i32 = 24;

/// What helps wherever a file is met.
fn remedy(error: &io::Error) -> Option<&'static str> {
    if error.raw_os_error() == Some(TOO_MANY_OPEN_FILES) {
        return Some("raise the number of files that a process may have open: `ulimit -n 1024`");
    }
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("free some space and run the same command again: what is finished is kept")
        }
        // Linux says ENOMEM as well when a process maps more files than it may. Without a number it is Rust's own.
        io::ErrorKind::OutOfMemory if error.raw_os_error().is_some() => Some(
            "each shard of an open store is one memory map, of which a process may have so many as \
             `sysctl vm.max_map_count` says: raise it, or make larger shards with `--shard-size`",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open `a.npy`")]
    struct Outer(#[source] io::Error);

    fn outer() -> Outer {
        Outer(io::Error::new(io::ErrorKind::NotFound, "no such file"))
    }

    #[test]
    fn the_chain_is_one_line_and_the_hint_follows_it() {
        let error = Err::<(), _>(outer()).hint(|| "run `extractor extract`").unwrap_err();
        let expected = "trainer: cannot open `a.npy`: no such file\nhint: run `extractor extract`\n";
        assert_eq!(describe("trainer", &error), expected);
        let line: serde_json::Value = serde_json::from_str(&describe_json("trainer", &error)).unwrap();
        assert_eq!(line["message"], "cannot open `a.npy`: no such file");
        assert_eq!(line["hints"], json!(["run `extractor extract`"]));
    }

    #[test]
    fn a_full_disk_has_a_remedy_wherever_it_is_met() {
        let text = describe("trainer", &Outer(io::ErrorKind::StorageFull.into()));
        assert!(
            text.ends_with(
                "\nhint: free some space and run the same command again: what is finished is kept\n"
            )
        );
        assert!(!describe("trainer", &outer()).contains("hint"));
    }

    #[test]
    fn too_many_memory_maps_have_a_remedy_that_names_the_limit() {
        let no_memory = 12;
        let text = describe("trainer", &Outer(io::Error::from_raw_os_error(no_memory)));
        assert!(text.contains("\nhint: ") && text.contains("vm.max_map_count"), "{text}");
        assert!(!describe("trainer", &Outer(io::ErrorKind::OutOfMemory.into())).contains("hint"));
    }

    #[test]
    fn too_many_open_files_have_a_remedy() {
        let text = describe("trainer", &Outer(io::Error::from_raw_os_error(TOO_MANY_OPEN_FILES)));
        assert!(text.ends_with("may have open: `ulimit -n 1024`\n"), "{text}");
    }

    #[test]
    fn causes_of_several_lines_are_joined() {
        let error = Outer(io::Error::other("syntax error:\n  --> 1:7\n  expected EOI\n"));
        assert_eq!(one_line(&error), "cannot open `a.npy`: syntax error: --> 1:7 expected EOI");
    }

    #[test]
    fn a_closed_pipe_is_found_anywhere_in_the_chain() {
        assert!(is_broken_pipe(&Outer(io::ErrorKind::BrokenPipe.into())));
        assert!(!is_broken_pipe(&outer()));
    }
}
