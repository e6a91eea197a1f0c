//! What a head says of stored features and of photographs.

use tch::Tensor;

use crate::minibatch::Minibatch;
use crate::training::Sums;
use crate::{ConvBase, EngineError, Head, Means, MinibatchError, Rows, TorchError};

/// Rows per pass where nothing is learned: large enough for the processor, small enough for memory.
const EVALUATION_BATCH: usize = 256;

/// The means over rows, without dropout and class weights. `stop` is asked before each pass; `None` when it said yes.
pub fn evaluate(head: &Head, rows: &Rows, stop: impl Fn() -> bool) -> Result<Option<Means>, MinibatchError> {
    let mut sums = Sums::new(rows.device())?;
    let mut stopped = false;
    each_minibatch(rows, |minibatch| {
        stopped = stop();
        if stopped {
            return Ok(false);
        }
        let logits = head.logits_of(&minibatch.features, 0.0)?;
        let losses = head.losses(&logits, &minibatch.labels)?;
        sums.add(&losses, &head.correct(&logits, &minibatch.labels)?, minibatch.labels.numel())?;
        Ok(true)
    })?;
    Ok(if stopped { None } else { Some(sums.means()?) })
}

/// The probabilities of all classes for all rows, row-major [rows, classes].
pub fn probabilities(head: &Head, rows: &Rows) -> Result<Vec<f64>, MinibatchError> {
    let mut logits = Vec::new();
    each_minibatch(rows, |minibatch| {
        logits.push(head.logits_of(&minibatch.features, 0.0)?);
        Ok(true)
    })?;
    if logits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(head.probabilities(&Tensor::f_cat(&logits, 0)?)?)
}

/// Hands on minibatches in order until `each` says that it wants no more.
fn each_minibatch(
    rows: &Rows,
    mut each: impl FnMut(&Minibatch) -> Result<bool, TorchError>,
) -> Result<(), MinibatchError> {
    let _guard = tch::no_grad_guard();
    let positions: Vec<usize> = (0..rows.len()).collect();
    for positions in positions.chunks(EVALUATION_BATCH) {
        if !each(&rows.gather(positions)?)? {
            break;
        }
    }
    Ok(())
}

/// The probabilities of all classes for `batch` images, row-major [batch, classes], through conv base and head.
/// `pixels` is [batch, height, width, 3], as [`ConvBase::features`] takes it.
pub fn image_probabilities(
    conv_base: &ConvBase,
    head: &Head,
    pixels: &[u8],
    batch: usize,
) -> Result<Vec<f64>, EngineError> {
    if batch == 0 {
        return Ok(Vec::new());
    }
    let _guard = tch::no_grad_guard();
    let features = conv_base.features(pixels, batch)?; // [batch, features], in HWC order
    let features =
        Tensor::f_from_slice(&features)?.f_view([batch as i64, -1])?.f_to_device(conv_base.device())?;
    Ok(head.probabilities(&head.logits(&features, 0.0)?)?)
}
