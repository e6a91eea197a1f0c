//! Photographs copied into one folder for each class.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use convbase_core::exit::Hinted;
use convbase_core::{Artifact, ArtifactError, Classes, escaped, lies_inside, remove_abandoned};

/// Where photographs go that have no prediction.
const UNCERTAIN: &str = "uncertain";

/// The longest name of a file on the file systems that are in use, in bytes.
const LONGEST_NAME: usize = 255;

/// A folder with one for each class, into which photographs are copied. Nothing that is there is touched.
pub(super) struct SortedFolders {
    folder: PathBuf,
    /// Those into which something was copied in this run.
    used: BTreeSet<PathBuf>,
}

/// A photograph that was not copied.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    #[error("not copied: `{}`: expected no file of this name, found one", .0.display())]
    Exists(PathBuf),
    #[error("not copied: cannot read the file again")]
    Read(#[source] io::Error),
    /// Of the disk that is written, so that others would fail too.
    #[error(transparent)]
    Write(#[from] ArtifactError),
}

impl SortedFolders {
    /// Sees to it that photographs can be copied: that every class can have a folder, and that the folder can be written.
    /// `may_be_uncertain` says that some photographs may have no prediction.
    pub(super) fn create(folder: &Path, classes: &Classes, may_be_uncertain: bool) -> anyhow::Result<Self> {
        for class in classes.names() {
            check_name(class, may_be_uncertain)?;
        }
        if folder.exists() && !folder.is_dir() {
            bail!("`--sort-into {}`: expected a folder, found a file", folder.display());
        }
        // Begun and dropped: a folder that cannot be written is known before anything is computed.
        Artifact::create(&folder.join(UNCERTAIN))?;
        Ok(Self { folder: folder.to_owned(), used: BTreeSet::new() })
    }

    /// The folder that holds those of the classes.
    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    /// Copies a photograph into the folder of its class, or of none, under the last `depth` parts of its path: two of one
    /// name in the folder that was given stay two. The copy appears whole, and only where there is nothing of its name.
    pub(super) fn copy(
        &mut self,
        photograph: &Path,
        depth: usize,
        class: Option<&str>,
    ) -> Result<(), CopyError> {
        let above = photograph.components().count().saturating_sub(depth);
        let name: PathBuf = photograph.components().skip(above).collect();
        let place = self.folder.join(class.unwrap_or(UNCERTAIN)).join(name);
        if fs::symlink_metadata(&place).is_ok() {
            return Err(CopyError::Exists(place));
        }
        let mut from = File::open(photograph).map_err(CopyError::Read)?;
        let mut copy = Artifact::create(&place)?;
        if let Some(folder) = place.parent()
            && self.used.insert(folder.to_owned())
        {
            remove_abandoned(folder)?;
        }
        transfer(&mut from, &mut copy)?;
        if copy.finish_new()? { Ok(()) } else { Err(CopyError::Exists(place)) }
    }
}

/// Copies bytes, and tells the two files apart that can fail.
fn transfer(from: &mut impl io::Read, copy: &mut Artifact) -> Result<(), CopyError> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => copy.write_all(&buffer[..count]).map_err(|source| copy.error(source))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CopyError::Read(error)),
        }
    }
}

/// A class is a folder's name as it is, or there is no sorting.
fn check_name(class: &str, may_be_uncertain: bool) -> anyhow::Result<()> {
    let found = match class {
        "." | ".." => "that of another folder".to_owned(),
        UNCERTAIN if may_be_uncertain => "that of the folder for photographs without a prediction".to_owned(),
        _ if class.contains('/') => "one with `/`".to_owned(),
        _ if class.len() > LONGEST_NAME => format!("{} bytes", class.len()),
        _ => return Ok(()),
    };
    let error = anyhow!(
        "class `{}`: expected a name that a folder of its own can have, at most {LONGEST_NAME} bytes, found {found}",
        escaped(class)
    );
    Err(Hinted::new(error, "leave out `--sort-into`: the predictions are printed").into())
}

/// Copies among the photographs of a folder would be photographs of the next run.
pub(super) fn refuse_inside(folder: &Path, images: &Path) -> anyhow::Result<()> {
    if !lies_inside(folder, images)? {
        return Ok(());
    }
    let error = anyhow!(
        "`--sort-into {}`: expected a folder outside of `{}`, found one inside",
        folder.display(),
        images.display()
    );
    Err(Hinted::new(error, "its copies would be predicted by the next run: give a folder beside it").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_folders_of_their_own_are_refused() {
        let long = "x".repeat(256);
        for name in [".", "..", "a/b", "/", "uncertain", &long] {
            assert!(check_name(name, true).is_err(), "{name}");
        }
        for name in ["cats", "große Katzen", "...", "a.b", "-", &long[1..]] {
            assert!(check_name(name, true).is_ok(), "{name}");
        }
        assert!(check_name(UNCERTAIN, false).is_ok());
    }
}
