//! The photographs under a folder: sorted, relative, links followed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use convbase_core::ClassesError;
use walkdir::WalkDir;

/// A folder that is no labelled image folder.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A folder or file could not be listed.
    #[error("cannot list `{}`", path.display())]
    List {
        /// What could not be listed.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder has no sub-folders.
    #[error("`{}`: expected one folder per class, found none", path.display())]
    NoClasses {
        /// The folder.
        path: PathBuf,
    },
    /// No photograph was found under any class.
    #[error("`{}`: expected photographs ({}) under {classes}, found none", path.display(), SUFFIXES.join(" "))]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// The class folders that were looked into.
        classes: String,
    },
    /// The class list is not valid.
    #[error("`{}`", path.display())]
    Classes {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: ClassesError,
    },
    /// A name cannot be written into a manifest.
    #[error("`{}`: expected a name in UTF-8", path.display())]
    NotUnicode {
        /// The file or folder.
        path: PathBuf,
    },
    /// A link leads back to a folder it lies in.
    #[error("`{}`: expected no link back to a folder above", path.display())]
    Loop {
        /// The link.
        path: PathBuf,
    },
}

/// What counts as a photograph, in any case.
const SUFFIXES: [&str; 8] = ["jpg", "jpeg", "png", "bmp", "gif", "webp", "tif", "tiff"];

/// The photographs under a folder and its sub-folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Photographs {
    /// Relative to the folder, with `/` between their parts, sorted by their bytes.
    pub paths: Vec<String>,
    /// Files that are none.
    pub others: usize,
}

/// Finds the photographs under `folder`: files with a known suffix whose name, like that of the folders they lie in,
/// does not begin with a dot. Links are followed.
pub fn photographs(folder: &Path) -> Result<Photographs, DatasetError> {
    let mut found = Photographs::default();
    for entry in walk(folder, usize::MAX) {
        let Entry { path, is_folder } = entry?;
        let is_photograph = path.rsplit('/').next().is_some_and(is_image_name);
        match (is_folder, is_photograph) {
            (true, _) => {}
            (false, true) => found.paths.push(path),
            (false, false) => found.others += 1,
        }
    }
    found.paths.sort();
    Ok(found)
}

/// Whether a file of this name counts as a photograph: its suffix is known and it does not begin with a dot.
pub(super) fn is_image_name(name: &str) -> bool {
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix.to_ascii_lowercase());
    !name.starts_with('.') && suffix.is_some_and(|suffix| SUFFIXES.contains(&suffix.as_str()))
}

/// The names of a folder's folders and files, each sorted, without those that begin with a dot.
pub(super) fn list(folder: &Path) -> Result<(Vec<String>, Vec<String>), DatasetError> {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in walk(folder, 1) {
        let Entry { path, is_folder } = entry?;
        if is_folder { folders.push(path) } else { files.push(path) }
    }
    folders.sort();
    files.sort();
    Ok((folders, files))
}

/// A folder or file below another.
struct Entry {
    /// Relative, with `/` between its parts.
    path: String,
    /// Whether it is a folder, or a link to one.
    is_folder: bool,
}

/// What lies below `root`, so many folders deep, without names that begin with a dot.
fn walk(root: &Path, depth: usize) -> impl Iterator<Item = Result<Entry, DatasetError>> {
    // Sorted, so that of several things that are wrong the same one is told each time.
    let walk = WalkDir::new(root).follow_links(true).max_depth(depth).sort_by_file_name();
    let entries = walk.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.path()));
    entries.filter_map(move |entry| match entry {
        Ok(entry) if entry.depth() == 0 => None,
        Ok(entry) => Some(relative(root, entry.path(), entry.file_type().is_dir())),
        Err(error) => unwalked(root, error).transpose(),
    })
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
    // A link that leads nowhere counts as a file: the decoder will reject and record it.
    let is_link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
    if error.depth() > 0 && is_link {
        return relative(root, &path, false).map(Some);
    }
    Err(DatasetError::List { path, source: error.into() })
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn relative(root: &Path, path: &Path, is_folder: bool) -> Result<Entry, DatasetError> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts = below.iter().map(OsStr::to_str).collect::<Option<Vec<&str>>>();
    match parts {
        Some(parts) => Ok(Entry { path: parts.join("/"), is_folder }),
        None => Err(DatasetError::NotUnicode { path: path.to_owned() }),
    }
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;
    use convbase_core::write_artifact;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            write_artifact(&root.path().join(file), b"x").unwrap();
        }
        root
    }

    #[test]
    fn links_that_lead_nowhere_are_listed_so_that_they_are_rejected_by_name() {
        let root = folder(&["a/1.jpg", "b.jpg", "notes.txt"]);
        symlink("gone", root.path().join("a/0.jpg")).unwrap();
        symlink("itself.png", root.path().join("itself.png")).unwrap();
        symlink("gone", root.path().join(".hidden.jpg")).unwrap();
        symlink(root.path(), root.path().join("a/.loop")).unwrap();
        symlink(root.path().join("b.jpg"), root.path().join("c.jpg")).unwrap();
        let found = photographs(root.path()).unwrap();
        assert_eq!(found.paths, ["a/0.jpg", "a/1.jpg", "b.jpg", "c.jpg", "itself.png"]);
        assert_eq!(found.others, 1);
        let (folders, files) = list(root.path()).unwrap();
        assert_eq!(folders, ["a"]);
        assert_eq!(files, ["b.jpg", "c.jpg", "itself.png", "notes.txt"]);
    }

    #[test]
    fn a_folder_may_be_a_link_and_may_begin_with_a_dot() {
        let root = folder(&[".deep/er/1.jpg"]);
        symlink(root.path().join(".deep"), root.path().join(".link")).unwrap();
        for name in [".deep", ".link"] {
            assert_eq!(photographs(&root.path().join(name)).unwrap().paths, ["er/1.jpg"]);
        }
    }

    #[test]
    fn names_that_no_manifest_can_hold_are_refused() {
        let root = folder(&["a/1.jpg"]);
        let name = OsStr::from_bytes(b"b\xff.jpg");
        // Some file systems take no such name either.
        if write_artifact(&root.path().join("a").join(name), b"x").is_err() {
            println!("skipped: the file system takes UTF-8 names alone");
            return;
        }
        let error = photographs(root.path()).unwrap_err();
        assert!(matches!(&error, DatasetError::NotUnicode { path } if path.ends_with(name)), "{error}");
    }

    #[test]
    fn every_loop_is_found_wherever_it_leads_back_to() {
        let root = folder(&["a/b/1.jpg"]);
        for target in ["a", "a/b", ""] {
            let link = root.path().join("a/b/again");
            symlink(root.path().join(target), &link).unwrap();
            let error = photographs(&root.path().join("a")).unwrap_err().to_string();
            assert!(error.ends_with("expected no link back to a folder above"), "{target}: {error}");
            fs::remove_file(link).unwrap();
        }
        assert_eq!(photographs(root.path()).unwrap().paths, ["a/b/1.jpg"]);
    }
}
