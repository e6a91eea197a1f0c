//! One epoch of training.

use serde::{Deserialize, Serialize};

use crate::head::{BackEnd, Dropout, Step};
use crate::learner::Learner;
use crate::randomness::seed_for;
use crate::{MinibatchError, Rows};

/// Means over samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    /// Mean cross-entropy, class weights included.
    pub loss: f64,
    /// Share of samples that were right.
    pub accuracy: f64,
}

/// How an epoch is trained.
#[derive(Debug)]
pub struct TrainingOptions {
    /// Samples per step; the last step of an epoch may have fewer.
    pub batch_size: usize,
    /// Share of hidden units that each step leaves out.
    pub dropout: f64,
    /// Decides the order of the rows and the dropout, together with epoch and step.
    pub seed: u64,
    /// The weight of each class's loss, `[classes]`.
    pub class_weights: Option<Vec<f64>>,
}

/// An epoch between two steps: how far it is, and the sums over the samples so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BegunEpoch {
    /// Steps that were made.
    pub steps: u64,
    /// Their samples.
    samples: u64,
    /// Samples that were right.
    correct: u64,
    /// The sum of the losses, as the bits of a 64-bit float: decimal digits might not read back the same.
    loss_bits: u64,
}

/// Totals over samples.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) loss: f64,
    /// Samples that were right.
    pub(crate) correct: u64,
    pub(crate) samples: u64,
}

impl Totals {
    /// Adds one sample.
    pub(crate) fn add(&mut self, loss: f64, is_right: bool) {
        self.loss += loss;
        self.correct += u64::from(is_right);
        self.samples += 1;
    }

    pub(crate) fn means(&self) -> Means {
        let samples = self.samples as f64;
        Means { loss: self.loss / samples, accuracy: self.correct as f64 / samples }
    }
}

impl BegunEpoch {
    /// What cannot be gone on from: sums that no steps make.
    pub(crate) fn problem(&self) -> Option<String> {
        // Beyond this a count is no whole number any more where it becomes a mean.
        const MOST: u64 = 1 << 53;
        let Self { steps, samples, correct, .. } = *self;
        let is_right = correct <= samples && samples <= MOST && (steps == 0) == (samples == 0);
        (!is_right).then(|| {
            format!("begun: expected sums of {steps} steps, found {correct} of {samples} samples right")
        })
    }

    fn new(steps: u64, totals: Totals) -> Self {
        let Totals { loss, correct, samples } = totals;
        Self { steps, samples, correct, loss_bits: loss.to_bits() }
    }

    fn totals(&self) -> Totals {
        Totals { loss: f64::from_bits(self.loss_bits), correct: self.correct, samples: self.samples }
    }
}

/// Trains epoch `epoch` from the step it was left at, the rows in an order of its own. `None` when `stop` said yes
/// before a step.
pub(crate) fn train_epoch<B: BackEnd>(
    learner: &mut Learner<B>,
    epoch: u32,
    begun: &mut BegunEpoch,
    rows: &Rows,
    options: &TrainingOptions,
    mut stop: impl FnMut() -> bool,
) -> Result<Option<Means>, MinibatchError> {
    let order = rows.epoch(options.seed, epoch);
    let batch_size = options.batch_size.max(1);
    let mut sums = learner.head.sums(begun.totals())?;
    for (step, views) in (0_u64..).zip(order.chunks(batch_size)) {
        if step < begun.steps {
            continue;
        }
        if stop() {
            *begun = BegunEpoch::new(step, B::totals(&sums)?);
            return Ok(None);
        }
        let how = Step {
            dropout: Dropout { share: options.dropout, seed: seed_for(options.seed, epoch, step) },
            class_weights: options.class_weights.as_deref(),
        };
        let minibatch = rows.gather_views(views.iter().copied())?;
        learner.head.step(&mut learner.optimizer, &minibatch, &how, &mut sums)?;
    }
    let totals = B::totals(&sums)?;
    *begun = BegunEpoch::new(order.len().div_ceil(batch_size) as u64, totals);
    Ok(Some(totals.means()))
}
