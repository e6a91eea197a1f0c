//! Photographs that cannot be read for a reason that lies in the machine: they may be whole, and are no rejects.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use convbase_core::exit::Hinted;
use convbase_images::DecodeError;

/// EMFILE and ENFILE, the same numbers on every Unix; the standard library has no kind for them.
const TOO_MANY_OPEN_FILES: [i32; 2] = [24, 23];

/// A photograph that the machine failed to read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{}`", path.display())]
struct MachineFailure {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// What ends the run, where a photograph failed for want of descriptors or memory, or because its disk went away: to count
/// it as rejected would say that it is broken.
pub(crate) fn machine_failure(path: &Path, error: &DecodeError) -> Option<Hinted> {
    let DecodeError::Read(cause) = error else { return None };
    let hint = hint(path, cause)?;
    // An error cannot be copied, but the system's number says all of it.
    let source = cause.raw_os_error().map_or_else(|| cause.kind().into(), io::Error::from_raw_os_error);
    Some(Hinted::new(MachineFailure { path: path.to_owned(), source }, hint))
}

fn hint(path: &Path, cause: &io::Error) -> Option<&'static str> {
    if cause.raw_os_error().is_some_and(|code| TOO_MANY_OPEN_FILES.contains(&code)) {
        return Some("fewer `--decode-threads` open fewer files at once; finished shards are kept");
    }
    match cause.kind() {
        ErrorKind::OutOfMemory => Some("fewer `--decode-threads` need less memory; finished shards are kept"),
        ErrorKind::NotFound if path.parent().is_some_and(Path::exists) => None,
        ErrorKind::NotFound
        | ErrorKind::StaleNetworkFileHandle
        | ErrorKind::NotConnected
        | ErrorKind::TimedOut
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown => Some(
            "the folder of photographs went away in mid-run: bring it back and run the same command again; finished \
             shards are kept",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use convbase_core::exit::one_line;

    fn failure(path: &Path, code: i32) -> Option<String> {
        let error = DecodeError::Read(io::Error::from_raw_os_error(code));
        machine_failure(path, &error).map(|failure| one_line(&failure))
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_lies_in_the_machine_is_told_from_what_lies_in_the_photograph() {
        let folder = tempfile::tempdir().unwrap();
        let (here, gone) = (folder.path().join("a.png"), folder.path().join("class/a.png"));
        // Linux' numbers.
        let [enoent, eio, enomem, eacces, enfile, emfile, estale] = [2, 5, 12, 13, 23, 24, 116];
        for code in [enomem, enfile, emfile, estale] {
            assert!(failure(&here, code).unwrap().starts_with("cannot read `"), "{code}");
        }
        for code in [enoent, eio, eacces] {
            assert_eq!(failure(&here, code), None, "{code}");
        }
        assert!(failure(&gone, enoent).is_some(), "the whole class is gone");
        assert!(machine_failure(&here, &DecodeError::Empty).is_none());
    }
}
