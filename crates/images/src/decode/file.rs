//! Reading a file that may be none.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::DecodeError;

/// Fails where something else than a file lies there, or nothing. It is not opened.
pub fn expect_file(path: &Path) -> Result<(), DecodeError> {
    regular(&fs::metadata(path).map_err(DecodeError::Read)?)
}

fn regular(metadata: &Metadata) -> Result<(), DecodeError> {
    other_kind(metadata).map_or(Ok(()), |kind| Err(DecodeError::NoFile(kind)))
}

/// All bytes of a file of at most `most`. A pipe or a device is not opened: reading it might never end, or do something.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, DecodeError> {
    expect_file(path)?;
    let file = open(path).map_err(DecodeError::Read)?;
    // Once more, of what was opened: another may have come to lie there.
    let metadata = file.metadata().map_err(DecodeError::Read)?;
    regular(&metadata)?;
    // A file with holes can be larger than its disk.
    let too_large = |found| DecodeError::TooLarge { most, found };
    let length = metadata.len();
    let mut bytes = Vec::new();
    if length > most || bytes.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX)).is_err() {
        return Err(too_large(length));
    }
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(DecodeError::Read)?;
    if read as u64 > most { Err(too_large(read as u64)) } else { Ok(bytes) }
}

/// What lies there where it is no file.
fn other_kind(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Some("a pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Some("a device");
        }
    }
    Some("something else")
}

/// Opens a file without waiting for somebody to write into it, should it have become a pipe.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    match File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        // A file that another process holds a lease on: it is given up in a while.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => File::open(path),
        opened => opened,
    }
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}
