//! What is said of each photograph, and what becomes of it.

use std::io::{self, StdoutLock, Write};
use std::path::Path;

use anyhow::bail;
use convbase_core::exit::{Outcome, StdoutError, one_line};
use convbase_nn::{Checkpoint, Embedded, Head};
use tracing::{info, warn};

use super::decision::Decision;
use super::line::{Lines, Said};
use super::listing::Chunk;
use super::progress::Progress;
use super::sorted_folders::{CopyError, SortedFolders};

/// Prints what the head says of features, one line per photograph, in order, and sorts the photographs where that is
/// asked for.
pub(super) struct Answers<'a> {
    lines: Lines<'a>,
    classes: &'a [String],
    head: &'a Head,
    /// Views of each photograph, whose probabilities are averaged.
    views: usize,
    threshold: Option<f64>,
    folders: Option<SortedFolders>,
    progress: &'a Progress,
    /// `None` where nobody reads any more and photographs are still to be sorted.
    stdout: Option<StdoutLock<'static>>,
    /// How many of the chunk's refused paths have their line.
    refused: usize,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    predicted: usize,
    uncertain: usize,
    unreadable: usize,
    not_copied: usize,
}

impl<'a> Answers<'a> {
    pub(super) fn new(
        lines: Lines<'a>,
        checkpoint: &'a Checkpoint,
        views: usize,
        threshold: Option<f64>,
        folders: Option<SortedFolders>,
        progress: &'a Progress,
    ) -> Self {
        Self {
            lines,
            classes: checkpoint.metadata().classes.names(),
            head: checkpoint.head(),
            views,
            threshold,
            folders,
            progress,
            stdout: Some(io::stdout().lock()),
            refused: 0,
            counts: Counts::default(),
        }
    }

    pub(super) fn begin(&mut self) -> Result<(), StdoutError> {
        let header = self.lines.header();
        self.write(&header)
    }

    /// Photographs of a chunk that were computed.
    pub(super) fn print(&mut self, chunk: &Chunk, embedded: Embedded) -> anyhow::Result<()> {
        let classes = self.classes.len();
        let probabilities = match &embedded.features[..] {
            [] => Vec::new(), // None of them is readable.
            features => means(&self.head.probabilities_of(features)?, self.views, classes),
        };
        let mut rows = probabilities.chunks_exact(classes);
        let count = embedded.images.len();
        for (position, image) in embedded.positions.zip(embedded.images) {
            self.print_refused(chunk, position)?;
            let path = &chunk.images[position];
            match image.map(|_| rows.next()) {
                Ok(Some(probabilities)) => self.print_classes(path, chunk.depths[position], probabilities)?,
                Ok(None) => bail!("`{}`: expected probabilities, found none", path.display()),
                Err(error) => {
                    self.counts.unreadable += 1;
                    let line = self.lines.line(&path.to_string_lossy(), &Said::Unreadable(one_line(&error)));
                    self.write(&line)?;
                }
            }
        }
        self.progress.count(count);
        Ok(())
    }

    /// What stands behind the last photograph of a chunk.
    pub(super) fn end_chunk(&mut self, chunk: &Chunk) -> anyhow::Result<()> {
        self.print_refused(chunk, chunk.images.len())?;
        self.refused = 0;
        Ok(())
    }

    /// Says how many there were of what.
    pub(super) fn end(mut self) -> anyhow::Result<Outcome> {
        self.write("")?;
        self.progress.clear();
        let Counts { predicted, uncertain, unreadable, not_copied } = self.counts;
        let uncertain =
            self.threshold.map_or_else(String::new, |_| format!("{uncertain} of them uncertain, "));
        info!("{predicted} photographs predicted, {uncertain}{unreadable} unreadable");
        if let Some(folders) = &self.folders {
            let copied = predicted - not_copied;
            info!("{copied} photographs copied into `{}`, {not_copied} not", folders.path().display());
        }
        if not_copied > 0 {
            warn!("{not_copied} photographs were not copied: rename them, or sort them into another folder");
        }
        Ok(if unreadable + not_copied == 0 { Outcome::Done } else { Outcome::Findings })
    }

    fn print_classes(&mut self, path: &Path, depth: usize, probabilities: &[f64]) -> anyhow::Result<()> {
        let decision = Decision::new(probabilities, self.threshold)?;
        self.counts.predicted += 1;
        self.counts.uncertain += usize::from(decision.class().is_none());
        let copied = match &mut self.folders {
            Some(folders) => {
                folders.copy(path, depth, decision.class().map(|class| self.classes[class].as_str()))
            }
            None => Ok(()),
        };
        let problem = match copied {
            Ok(()) => None,
            Err(CopyError::Write(error)) => return Err(error.into()),
            Err(error) => {
                self.counts.not_copied += 1;
                Some(one_line(&error))
            }
        };
        let line = self.lines.line(&path.to_string_lossy(), &Said::Classes { decision, problem });
        Ok(self.write(&line)?)
    }

    /// A line with an error for each path that no photograph has, up to a photograph's place.
    fn print_refused(&mut self, chunk: &Chunk, position: usize) -> Result<(), StdoutError> {
        while let Some((before, refused)) = chunk.refused.get(self.refused)
            && *before <= position
        {
            self.refused += 1;
            self.counts.unreadable += 1;
            self.progress.count(1);
            let line = self.lines.line(&refused.path, &Said::Unreadable(refused.error.clone()));
            self.write(&line)?;
        }
        Ok(())
    }

    /// A reader who has gone away ends the printing; copies are still to be made.
    fn write(&mut self, text: &str) -> Result<(), StdoutError> {
        let Some(stdout) = &mut self.stdout else { return Ok(()) };
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.folders.is_some() => {
                self.stdout = None;
                Ok(())
            }
            written => Ok(written?),
        }
    }
}

/// The means [photographs, classes] of probabilities [photographs, views, classes].
fn means(probabilities: &[f64], views: usize, classes: usize) -> Vec<f64> {
    let mean = |views: &[f64], class: usize| {
        let numbers = views.iter().skip(class).step_by(classes);
        numbers.sum::<f64>() / (views.len() / classes) as f64
    };
    let photographs = probabilities.chunks_exact(views * classes);
    photographs.flat_map(|views| (0..classes).map(move |class| mean(views, class))).collect()
}
