//! Files of one process. What is tested takes paths, as the programs do.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

/// A folder of this process, in the folder for temporary files: whoever starts many should remove that.
pub fn scratch() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder for temporary files")).path()
}

/// Writes a file into the folder.
pub fn put(name: &str, bytes: &[u8]) -> PathBuf {
    let path = scratch().join(name);
    fs::write(&path, bytes).expect("room for a small file");
    path
}

/// Several files in one input: each but the last behind its length in two bytes. Whatever the bytes are, there are so
/// many parts; those that are missing are empty.
pub fn parts<const COUNT: usize>(mut bytes: &[u8]) -> [&[u8]; COUNT] {
    let mut parts = [&[][..]; COUNT];
    for (index, part) in parts.iter_mut().enumerate() {
        *part = match bytes {
            [low, high, rest @ ..] if index + 1 < COUNT => {
                let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
                let (part, after) = rest.split_at(length);
                bytes = after;
                part
            }
            _ => std::mem::take(&mut bytes),
        };
    }
    parts
}

/// The input that [`parts`] takes apart.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if index + 1 < parts.len() {
            let length = u16::try_from(part.len()).expect("a part of at most 65,535 bytes");
            bytes.extend(length.to_le_bytes());
        }
        bytes.extend(*part);
    }
    bytes
}
