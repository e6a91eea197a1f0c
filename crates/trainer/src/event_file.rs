//! `events.out.tfevents.convbase`: the history as TensorBoard reads it, appended to epoch by epoch.

mod event;
mod record;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use convbase_core::{EpochRecord, History, write_artifact};

use event::Event;
use record::framed;

/// TensorBoard takes every file whose name holds `tfevents`. Its own writers put a clock and a host's name there.
const NAME: &str = "events.out.tfevents.convbase";

/// An event file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub(crate) struct EventFileError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// An event file that is appended to.
#[derive(Debug)]
pub(crate) struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Begins the event file of a run, or goes on with the one that is there: with the epochs of `history` and nothing
    /// behind them. What a killed run left of a later epoch, half a record or a whole one, is cut off.
    pub(crate) fn begin(folder: &Path, history: &History) -> anyhow::Result<Self> {
        let path = folder.join(NAME);
        let begun = begun(history);
        let error = |source| EventFileError { path: path.clone(), source };
        let found = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found.map_err(error)?),
        };
        let goes_on = found.is_some_and(|found| found.starts_with(&begun));
        if !goes_on {
            write_artifact(&path, &begun)?;
        }
        // Another file of that name would not be seen by who is watching this one, so it is kept and cut.
        let file = OpenOptions::new().append(true).open(&path).map_err(error)?;
        file.set_len(begun.len() as u64).map_err(error)?;
        Ok(Self { path, file })
    }

    /// Appends an epoch, at once and not when a buffer is full.
    pub(crate) fn append(&self, record: &EpochRecord) -> Result<(), EventFileError> {
        let written = (&self.file).write_all(&framed(&Event::of_epoch(record)));
        written.map_err(|source| EventFileError { path: self.path.clone(), source })
    }
}

/// The bytes of a file with these epochs.
fn begun(history: &History) -> Vec<u8> {
    let epochs = history.records().iter().map(Event::of_epoch);
    std::iter::once(Event::version()).chain(epochs).flat_map(|event| framed(&event)).collect()
}

#[cfg(test)]
mod tests;
