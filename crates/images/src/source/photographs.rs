//! The photographs under a folder: sorted, relative, links followed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use convbase_core::ClassesError;

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
    walk(folder, "", &mut found, &mut Vec::new())?;
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
    let error = |path: &Path, source| DatasetError::List { path: path.to_owned(), source };
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(|source| error(folder, source))? {
        let entry = entry.map_err(|source| error(folder, source))?;
        let Ok(name) = entry.file_name().into_string() else {
            return Err(DatasetError::NotUnicode { path: entry.path() });
        };
        if name.starts_with('.') {
            continue;
        }
        // A link that leads nowhere counts as a file: the decoder will reject and record it.
        let is_folder = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
        if is_folder { folders.push(name) } else { files.push(name) }
    }
    folders.sort();
    files.sort();
    Ok((folders, files))
}

/// `prefix` is empty or ends with `/`; `above` holds the real folders that lead here.
fn walk(
    root: &Path,
    prefix: &str,
    found: &mut Photographs,
    above: &mut Vec<PathBuf>,
) -> Result<(), DatasetError> {
    let path = root.join(prefix);
    let real = fs::canonicalize(&path).map_err(|source| DatasetError::List { path: path.clone(), source })?;
    if above.contains(&real) {
        return Err(DatasetError::Loop { path });
    }
    let (folders, files) = list(&path)?;
    for name in files {
        if is_image_name(&name) {
            found.paths.push(format!("{prefix}{name}"));
        } else {
            found.others += 1;
        }
    }
    above.push(real);
    for name in folders {
        walk(root, &format!("{prefix}{name}/"), found, above)?;
    }
    above.pop();
    Ok(())
}
