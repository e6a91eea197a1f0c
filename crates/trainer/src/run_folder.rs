//! The folder of a run: its configuration first, then history, best checkpoint and curves as they come.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use convbase_core::exit::{Hinted, WithHint};
use convbase_core::{Differences, History, differences, remove_abandoned, write_artifact, write_json};
use convbase_nn::{CheckpointError, CheckpointMetadata, Device, HeadShape, TorchError, TrainingState};
use serde::Serialize;
use serde_json::Value;
use tracing::info;

use crate::args::TrainingConfig;
use crate::curves::draw_curves;
use crate::event_file::EventFile;

/// What says which run a folder holds, written first.
const CONFIGURATION: &str = "config.json";

/// A run of another configuration lies in the folder.
#[derive(Debug, thiserror::Error)]
#[error("`{}` holds another run: {differences}", folder.display())]
struct OtherRun {
    folder: PathBuf,
    differences: Differences,
}

/// The folder that a run is written to.
#[derive(Debug)]
pub(crate) struct RunFolder {
    folder: PathBuf,
}

impl RunFolder {
    /// Writes the configuration, or checks that the one that is there is the same: an equal run is repeated, another
    /// one is not overwritten.
    pub(crate) fn create(out: &Path, run: &impl Serialize) -> anyhow::Result<Self> {
        let path = out.join(CONFIGURATION);
        if path.exists() {
            let bytes = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
            let found: Value = serde_json::from_slice(&bytes)
                .with_context(|| format!("`{}` is no configuration of a run", path.display()))?;
            let differences = differences(run, &found);
            if !differences.is_empty() {
                Err(OtherRun { folder: out.to_owned(), differences })
                    .hint(|| "give another `--out`, or remove the folder")?;
            }
        } else {
            write_json(&path, run)?;
        }
        remove_abandoned(out)?;
        Ok(Self { folder: out.to_owned() })
    }

    /// The best checkpoint's path.
    pub(crate) fn best(&self) -> PathBuf {
        self.folder.join("best.safetensors")
    }

    /// What a training begins with: what was left, if it is to be gone on with and there is something, else a fresh state.
    pub(crate) fn begin(
        &self,
        config: &TrainingConfig,
        shape: &HeadShape,
        device: Device,
        fresh: impl FnOnce() -> Result<TrainingState, TorchError>,
    ) -> anyhow::Result<(TrainingState, History)> {
        if config.resume
            && let Some(begun) = self.last(config, shape, device)?
        {
            info!("going on after epoch {}, step {}", begun.0.epoch, begun.0.begun.steps);
            return Ok(begun);
        }
        self.forget_last()?;
        Ok((fresh()?, History::new()))
    }

    /// What to go on from: the last state and the history of its finished epochs. `None` where there is no state yet.
    fn last(
        &self,
        config: &TrainingConfig,
        shape: &HeadShape,
        device: Device,
    ) -> anyhow::Result<Option<(TrainingState, History)>> {
        let path = self.folder.join("last.safetensors");
        if !path.exists() {
            return Ok(None);
        }
        let state = TrainingState::load(&path, shape, config.optimizer, config.learning_rate, device)
            .map_err(with_remedy)?;
        if state.epoch == 0 {
            return Ok(Some((state, History::new())));
        }
        let path = self.folder.join("history.csv");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let all = History::from_csv(&text).with_context(|| format!("`{}`", path.display()))?;
        // The history is written before the state: it may be one epoch ahead, which is trained again.
        let mut history = History::new();
        for record in all.records().iter().take_while(|record| record.epoch <= state.epoch) {
            history.push(*record)?;
        }
        ensure!(
            history.len() == state.epoch as usize,
            "`{}`: expected {} epochs, found {}",
            path.display(),
            state.epoch,
            history.len()
        );
        Ok(Some((state, history)))
    }

    /// The event file with the epochs of a history, where one is asked for.
    pub(crate) fn events(
        &self,
        config: &TrainingConfig,
        history: &History,
    ) -> anyhow::Result<Option<EventFile>> {
        config.tensorboard.then(|| EventFile::begin(&self.folder, history)).transpose()
    }

    /// Removes the state of an earlier run of this configuration, which is about to be repeated.
    fn forget_last(&self) -> anyhow::Result<()> {
        let path = self.folder.join("last.safetensors");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Fails where the run is no longer where it was begun: its disk went away, and what is written now would lie
    /// elsewhere.
    fn check_place(&self) -> anyhow::Result<()> {
        let path = self.folder.join(CONFIGURATION);
        ensure!(
            path.exists(),
            "`{}`: expected the configuration of this run, found none: the folder went away in mid-run",
            path.display()
        );
        Ok(())
    }

    /// Replaces the state that training goes on from.
    pub(crate) fn save_last(&self, state: &TrainingState) -> anyhow::Result<()> {
        self.check_place()?;
        Ok(state.save(&self.folder.join("last.safetensors"))?)
    }

    /// Replaces the best checkpoint.
    pub(crate) fn save_best(
        &self,
        state: &TrainingState,
        metadata: &CheckpointMetadata,
    ) -> anyhow::Result<()> {
        self.check_place()?;
        state.save_head(&self.best(), metadata).map_err(|error| match error {
            CheckpointError::NotFinite { .. } => Hinted::new(error, "lower `--learning-rate`").into(),
            _ => error.into(),
        })
    }

    /// Replaces the history.
    pub(crate) fn save_history(&self, history: &History) -> anyhow::Result<()> {
        self.check_place()?;
        Ok(write_artifact(&self.folder.join("history.csv"), history.to_csv().as_bytes())?)
    }

    /// Replaces the curves.
    pub(crate) fn save_curves(&self, history: &History) -> anyhow::Result<()> {
        let curves = draw_curves(history)?;
        self.check_place()?;
        write_artifact(&self.folder.join("curves.svg"), curves.svg.as_bytes())?;
        Ok(write_artifact(&self.folder.join("curves.png"), &curves.png)?)
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }
}

fn with_remedy(error: CheckpointError) -> anyhow::Error {
    let remedy = match &error {
        CheckpointError::OlderTraining { .. } => {
            "finish this run with the version that began it, or leave out `--resume` to begin it again"
        }
        _ => "leave out `--resume` to begin the run again",
    };
    Hinted::new(error, remedy).into()
}
