//! What lies below a folder: sorted, links followed, nothing passed over in silence.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use convbase_core::escaped_path;
use walkdir::{DirEntry, WalkDir};

use super::DatasetError;
use super::names::is_system_folder;
use super::own::holds_results;

/// Something below a folder.
#[derive(Debug)]
pub(super) struct Entry {
    /// Relative, with `/` between its parts; bytes that are no text are written out.
    pub(super) path: String,
    pub(super) kind: Kind,
    /// Whether its name is text, so that a manifest can hold it.
    pub(super) is_text: bool,
    pub(super) is_link: bool,
    /// A pipe, a device: something that is not even opened.
    pub(super) is_odd: bool,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    /// A file, or something that is none and lies where one is expected: the decoder tells which.
    File,
    /// A link to nothing.
    Dangling,
    /// A folder that a system made, which is not looked into.
    System,
    /// A folder with results of Convbase, which is not looked into.
    Results,
}

impl Entry {
    /// The last part of its path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Gives what lies below `root`, so many folders deep, without names that begin with a dot, in no order: to sort paths
/// takes less memory than to sort what is found of them. Folders by the names of `wanted` are looked into whatever they
/// are. Of several things that are wrong the first by its path is the error, so that it is the same one each time.
pub(super) fn walk(
    root: &Path,
    depth: usize,
    wanted: impl Fn(&OsStr) -> bool,
    mut each: impl FnMut(Entry),
) -> Result<(), DatasetError> {
    let mut errors = Vec::new();
    for entry in entries(root, depth, wanted) {
        match entry {
            Ok(entry) => each(entry),
            Err(error) => errors.push(error),
        }
    }
    errors.sort_by_key(|error| error.path().map(Path::to_owned));
    errors.into_iter().next().map_or(Ok(()), Err)
}

fn entries(
    root: &Path,
    depth: usize,
    wanted: impl Fn(&OsStr) -> bool,
) -> impl Iterator<Item = Result<Entry, DatasetError>> {
    let mut walk = WalkDir::new(root).follow_links(true).max_depth(depth).into_iter();
    std::iter::from_fn(move || {
        loop {
            let found = match walk.next()? {
                Err(error) => match unwalked(root, error) {
                    Ok(None) => continue,
                    Ok(Some(entry)) => Ok(entry),
                    Err(error) => Err(error),
                },
                Ok(entry) if entry.depth() == 0 => continue,
                Ok(entry) => {
                    let is_folder = entry.file_type().is_dir();
                    let kind = if is_folder { folder_kind(&entry, &wanted) } else { Kind::File };
                    if is_folder && (is_hidden(entry.path()) || kind != Kind::Folder) {
                        walk.skip_current_dir();
                    }
                    if is_hidden(entry.path()) {
                        continue;
                    }
                    let is_odd = !is_folder && !entry.file_type().is_file();
                    Ok(Entry { is_odd, ..relative(root, entry.path(), kind, entry.path_is_symlink()) })
                }
            };
            return Some(found);
        }
    })
}

fn folder_kind(entry: &DirEntry, wanted: impl Fn(&OsStr) -> bool) -> Kind {
    if wanted(entry.file_name()) {
        Kind::Folder
    } else if entry.file_name().to_str().is_some_and(is_system_folder) {
        Kind::System
    } else if holds_results(entry.path()) {
        Kind::Results
    } else {
        Kind::Folder
    }
}

/// What cannot be walked is an error, unless it is a link to nothing.
fn unwalked(root: &Path, error: walkdir::Error) -> Result<Option<Entry>, DatasetError> {
    let path = error.path().unwrap_or(root).to_owned();
    if error.depth() > 0 && is_hidden(&path) {
        return Ok(None);
    }
    if error.loop_ancestor().is_some() {
        return Err(DatasetError::Loop { path });
    }
    let is_link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
    if error.depth() > 0 && is_link {
        return Ok(Some(relative(root, &path, Kind::Dangling, true)));
    }
    Err(list_error(path, error.into()))
}

/// What was missing and why.
pub(super) fn list_error(path: PathBuf, source: io::Error) -> DatasetError {
    DatasetError::List { path, source }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn relative(root: &Path, path: &Path, kind: Kind, is_link: bool) -> Entry {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts = below.iter().map(OsStr::to_str).collect::<Option<Vec<&str>>>();
    let is_text = parts.is_some();
    let path = parts.map_or_else(|| escaped_path(below), |parts| parts.join("/"));
    Entry { path, kind, is_text, is_link, is_odd: kind == Kind::Dangling }
}
