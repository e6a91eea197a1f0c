//! The only place that creates files. A file appears under its name when it is whole, or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

/// A file that is being written. Dropped before [`finish`](Artifact::finish), it leaves nothing behind.
#[derive(Debug)]
pub struct Artifact {
    path: PathBuf,
    file: BufWriter<Temporary>,
    /// Behind the file, which has to be gone before they are.
    made: MadeFolders,
}

/// Folders that were made for a file. They go again when they hold nothing in the end.
#[derive(Debug)]
struct MadeFolders(Vec<PathBuf>);

impl MadeFolders {
    /// Makes a folder and those that are missing above it.
    fn make(folder: &Path) -> io::Result<Self> {
        let missing = folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists());
        let missing = missing.map(Path::to_owned).collect();
        fs::create_dir_all(folder)?;
        Ok(Self(missing))
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        // The innermost comes first. A folder that is not empty stays, as do those above it.
        self.0.iter().take_while(|folder| fs::remove_dir(folder).is_ok()).for_each(|_| ());
    }
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct ArtifactError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl ArtifactError {
    fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

/// The temporary file. tempfile's own `Write` names it in errors, where its name says nothing to anybody.
#[derive(Debug)]
struct Temporary(NamedTempFile);

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_file_mut().flush()
    }
}

impl Seek for Temporary {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.as_file_mut().seek(position)
    }
}

impl Artifact {
    /// Begins a file that will be called `path`, in a temporary file beside it whose name begins with a dot.
    /// Missing parent folders are made.
    pub fn create(path: &Path) -> Result<Self, ArtifactError> {
        let made = MadeFolders::make(parent(path)).map_err(|source| ArtifactError::new(path, source))?;
        Self::begin(path, made)
    }

    /// The same in a folder that has to be there: one whose disk went away is not made again where it was mounted.
    pub fn create_in_place(path: &Path) -> Result<Self, ArtifactError> {
        Self::begin(path, MadeFolders(Vec::new()))
    }

    fn begin(path: &Path, made: MadeFolders) -> Result<Self, ArtifactError> {
        let error = |source| ArtifactError::new(path, source);
        let folder = parent(path);
        // Short of the longest name by more than is put around it: else a file could have a name and its beginning none.
        let name = path.file_name().unwrap_or(OsStr::new("artifact")).to_string_lossy();
        let name = name.split_at_checked(name.floor_char_boundary(200)).map_or("", |(start, _)| start);
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".{name}.");
        builder.prefix(&prefix).suffix(".tmp");
        #[cfg(unix)]
        {
            // tempfile's own default keeps the file from everybody else; an artifact is as open as the umask says.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        loop {
            let file = builder.tempfile_in(folder).map_err(|source| error(source.kind().into()))?;
            // The lock says that the file's writer is alive. Where the file system knows no locks, abandoned files
            // are not recognised and stay.
            let locked = file.as_file().lock();
            // Between creation and lock a clean-up may have taken the file away: then another is begun.
            if locked.is_err() || file.path().exists() {
                return Ok(Self {
                    path: path.to_owned(),
                    file: BufWriter::with_capacity(1 << 18, Temporary(file)),
                    made,
                });
            }
        }
    }

    /// The name that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands on in pieces, from the beginning, what was written so far.
    pub fn read_back(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), ArtifactError> {
        let path = self.path.clone();
        let mut read = || -> io::Result<()> {
            self.file.seek(SeekFrom::Start(0))?;
            let mut buffer = vec![0; 1 << 18];
            loop {
                match self.file.get_mut().0.as_file_mut().read(&mut buffer)? {
                    0 => return Ok(()),
                    count => each(buffer.get(..count).unwrap_or_default()),
                }
            }
        };
        read().map_err(|source| ArtifactError::new(&path, source))
    }

    /// Flushes, syncs and gives the file its name, replacing an earlier file of that name.
    pub fn finish(self) -> Result<(), ArtifactError> {
        // The folders that were made hold the file in the end, so that dropping them takes none away.
        let Self { path, file, made: _made } = self;
        let result = (|| {
            let Temporary(file) = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            // The name itself is safe only when the folder is on disk too.
            sync_folder(parent(&path))
        })();
        result.map_err(|source| ArtifactError::new(&path, source))
    }

    /// Like [`finish`](Self::finish), but leaves a file of that name as it is, and says whether there was none.
    pub fn finish_new(self) -> Result<bool, ArtifactError> {
        let Self { path, file, made: _made } = self;
        let result = (|| {
            let Temporary(file) = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            match file.persist_noclobber(&path) {
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
                Err(error) => return Err(error.error),
                Ok(_) => {}
            }
            sync_folder(parent(&path))?;
            Ok(true)
        })();
        result.map_err(|source| ArtifactError::new(&path, source))
    }

    /// Turns an error of `Write` on this file into one that names the file.
    pub fn error(&self, source: io::Error) -> ArtifactError {
        ArtifactError::new(&self.path, source)
    }
}

impl Write for Artifact {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Artifact {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// Removes the temporary files that writers which are no longer alive left in a folder, and gives their number.
///
/// A living writer holds a lock on its file, here or on another machine that shares the folder.
pub fn remove_abandoned(folder: &Path) -> Result<usize, ArtifactError> {
    let error = |source| ArtifactError::new(folder, source);
    let mut removed = 0_usize;
    for entry in fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        let is_temporary = path.file_name().and_then(OsStr::to_str).is_some_and(|name| {
            name.starts_with('.') && name.ends_with(".tmp") && name.matches('.').count() >= 3
        });
        // A file that vanished meanwhile was finished or removed by somebody else.
        if is_temporary
            && let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
            && fs::remove_file(&path).is_ok()
        {
            removed = removed.saturating_add(1);
        }
    }
    Ok(removed)
}

/// Writes a whole file at once.
pub fn write_artifact(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    write_whole(Artifact::create(path)?, bytes)
}

/// The same in a folder that has to be there.
pub(crate) fn write_in_place(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    write_whole(Artifact::create_in_place(path)?, bytes)
}

fn write_whole(mut artifact: Artifact, bytes: &[u8]) -> Result<(), ArtifactError> {
    artifact.write_all(bytes).map_err(|source| artifact.error(source))?;
    artifact.finish()
}

/// Writes a value as indented JSON with a newline at the end.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), ArtifactError> {
    let text = to_json(value).map_err(|source| ArtifactError::new(path, source.into()))?;
    write_artifact(path, &text)
}

/// The same in a folder that has to be there.
pub(crate) fn write_json_in_place<T: Serialize>(path: &Path, value: &T) -> Result<(), ArtifactError> {
    let text = to_json(value).map_err(|source| ArtifactError::new(path, source.into()))?;
    write_in_place(path, &text)
}

/// A value as indented JSON with a newline at the end.
pub(crate) fn to_json<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// Waits until the names in a folder are on disk, where the file system can do that.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if !knows_no_folder_sync(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Some file systems, on networks and in user space, sync files only and refuse a folder (EINVAL, ENOTSUP, ENOSYS). The
/// file itself is whole then; only a crash of the machine could lose its name.
fn knows_no_folder_sync(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
