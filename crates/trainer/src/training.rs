//! The epochs of one run: training, validation, and what is kept of them.

use std::thread;
use std::time::Duration;

use convbase_core::exit::Hinted;
use convbase_core::{EpochRecord, History};
use convbase_nn::{CheckpointMetadata, Means, Rows, TrainingOptions, TrainingState};
use tracing::{info, warn};

use crate::args::TrainingConfig;
use crate::event_file::EventFile;
use crate::progress::Progress;
use crate::run_folder::RunFolder;
use crate::saving::Saving;

/// Steps after which the state is saved within an epoch: what a killed run loses of a long one.
const STEPS_BETWEEN_SAVES: u32 = 500;
/// Time between the states that are saved after short epochs: what a killed run loses of them. A state is twice as
/// large as the head, and writing it can take as long as an epoch.
const TIME_BETWEEN_SAVES: Duration = Duration::from_secs(2);

/// What the epochs of a run work on.
pub(crate) struct Training<'a> {
    pub(crate) config: &'a TrainingConfig,
    /// Whether epochs are long enough to say how fast they are.
    pub(crate) tells_speed: bool,
    pub(crate) folder: &'a RunFolder,
    pub(crate) train: Rows<'a>,
    pub(crate) validation: Rows<'a>,
    pub(crate) options: TrainingOptions,
    /// Of every checkpoint, but for its figures.
    pub(crate) metadata: CheckpointMetadata,
    /// Where TensorBoard looks, if it is to.
    pub(crate) events: Option<EventFile>,
}

impl Training<'_> {
    /// Trains what is left of the epochs and gives whether a signal ended it before the last one.
    pub(crate) fn run(&self, state: &mut TrainingState, history: &mut History) -> anyhow::Result<bool> {
        let progress = Progress::new(self.config, state.epoch, self.train.len(), self.tells_speed);
        let interrupted = self.run_epochs(state, history, &progress)?;
        progress.finish();
        if interrupted {
            warn!(
                "`{}`: interrupted after epoch {}, step {}; go on with `--resume`",
                self.folder.path().display(),
                state.epoch,
                state.begun.steps
            );
        }
        Ok(interrupted)
    }

    fn run_epochs(
        &self,
        state: &mut TrainingState,
        history: &mut History,
        progress: &Progress,
    ) -> anyhow::Result<bool> {
        thread::scope(|scope| {
            let mut saving = Saving::new(scope);
            while state.epoch < self.config.epochs {
                if is_out_of_patience(history, self.config.patience) {
                    let epochs = epochs_since_best(history);
                    progress.suspended(|| info!("no lower validation loss for {epochs} epochs: stopping"));
                    break;
                }
                let Some((trained, validated)) = self.epoch(state, &mut saving, progress)? else {
                    saving.finish()?;
                    self.folder.save_last(state)?;
                    return Ok(true);
                };
                let epoch = state.epoch + 1;
                if !(trained.loss.is_finite() && validated.loss.is_finite()) {
                    saving.finish()?;
                    return Err(diverged(self.folder, history, epoch, trained.loss, validated.loss));
                }
                let record = EpochRecord {
                    epoch,
                    loss: trained.loss,
                    accuracy: trained.accuracy,
                    val_loss: validated.loss,
                    val_accuracy: validated.accuracy,
                };
                history.push(record)?;
                state.finish_epoch();
                let is_best = history.best().is_some_and(|best| best.epoch == epoch);
                self.save(&mut saving, state, history, is_best.then_some(record))?;
                progress.add(&record, is_best);
            }
            saving.finish()?;
            if !saving.has_state() {
                self.folder.save_last(state)?;
            }
            Ok(false)
        })
    }

    /// Trains the begun epoch to its end and validates it. `None` when a signal asks to stop.
    fn epoch(
        &self,
        state: &mut TrainingState,
        saving: &mut Saving,
        progress: &Progress,
    ) -> anyhow::Result<Option<(Means, Means)>> {
        let mut asked = 0;
        let trained = loop {
            let stop = || {
                asked += 1;
                progress.step(self.options.batch_size);
                self.config.interrupt.is_set() || asked % (STEPS_BETWEEN_SAVES + 1) == 0
            };
            if let Some(means) = state.train_epoch(&self.train, &self.options, stop)? {
                break means;
            }
            if self.config.interrupt.is_set() {
                return Ok(None);
            }
            saving.finish()?;
            self.folder.save_last(state)?;
        };
        Ok(self.validated(state)?.map(|validated| (trained, validated)))
    }

    /// What a state makes of the validation rows. `None` when a signal asks to stop.
    pub(crate) fn validated(&self, state: &TrainingState) -> anyhow::Result<Option<Means>> {
        Ok(state.evaluate(&self.validation, || self.config.interrupt.is_set())?)
    }

    /// Writes what an epoch left while the next one is trained.
    fn save<'scope>(
        &'scope self,
        saving: &mut Saving<'scope, '_>,
        state: &TrainingState,
        history: &History,
        best: Option<EpochRecord>,
    ) -> anyhow::Result<()> {
        let history = history.clone();
        let with_state = saving.is_due(TIME_BETWEEN_SAVES);
        let state = if with_state || best.is_some() { Some(state.snapshot()?) } else { None };
        saving.begin(with_state, move || {
            if let (Some(EpochRecord { epoch, val_loss, val_accuracy, .. }), Some(state)) = (best, &state) {
                let metadata = CheckpointMetadata { epoch, val_loss, val_accuracy, ..self.metadata.clone() };
                self.folder.save_best(state, &metadata)?;
            }
            self.folder.save_history(&history)?;
            if let (Some(events), Some(record)) = (&self.events, history.records().last()) {
                events.append(record)?;
            }
            // The state comes last: whatever interrupts this, what it speaks of is there.
            match state {
                Some(state) if with_state => self.folder.save_last(&state),
                _ => Ok(()),
            }
        })
    }
}

fn epochs_since_best(history: &History) -> u32 {
    let last = history.records().last().map_or(0, |record| record.epoch);
    last - history.best().map_or(0, |best| best.epoch)
}

fn is_out_of_patience(history: &History, patience: Option<u32>) -> bool {
    patience.is_some_and(|patience| epochs_since_best(history) >= patience)
}

fn diverged(folder: &RunFolder, history: &History, epoch: u32, loss: f64, val_loss: f64) -> anyhow::Error {
    // The curves up to here are worth having, and failing to draw them would hide the reason.
    if let Err(error) = folder.save_curves(history) {
        warn!("{error:#}");
    }
    let kept = match history.best() {
        Some(best) => format!("the best so far, of epoch {}, is kept", best.epoch),
        None => "there is no checkpoint yet".to_owned(),
    };
    let path = folder.path().display();
    let error = anyhow::anyhow!(
        "`{path}`: epoch {epoch}: expected finite losses, found loss {loss} and val_loss {val_loss}; {kept}"
    );
    Hinted::new(error, "lower `--learning-rate`; `extractor verify` finds features that are not finite")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_counts_epochs_since_the_lowest_validation_loss() {
        let mut history = History::new();
        for (epoch, val_loss) in [(1, 0.5), (2, 0.4), (3, 0.4), (4, 0.6)] {
            history
                .push(EpochRecord { epoch, loss: 1.0, accuracy: 0.5, val_loss, val_accuracy: 0.5 })
                .unwrap();
        }
        assert_eq!(epochs_since_best(&history), 2);
        assert!(is_out_of_patience(&history, Some(2)));
        assert!(!is_out_of_patience(&history, Some(3)));
        assert!(!is_out_of_patience(&history, None));
    }
}
