//! What a head says of stored features and of photographs.

use crate::head::{BackEnd, Computed};
use crate::minibatch::ViewOf;
use crate::training::Totals;
use crate::{Head, Means, MinibatchError, Rows};

/// Rows per pass where nothing is learned: large enough for the processor, small enough for memory.
const EVALUATION_BATCH: usize = 256;

/// The means over rows, without dropout and class weights. `stop` is asked before each pass; `None` when it said yes.
pub fn evaluate(head: &Head, rows: &Rows, stop: impl Fn() -> bool) -> Result<Option<Means>, MinibatchError> {
    match &head.computed {
        Computed::Host(head) => measure(head, rows, stop),
        Computed::Torch(head) => measure(head, rows, stop),
    }
}

/// The same in one back end.
pub(crate) fn measure<B: BackEnd>(
    head: &B,
    rows: &Rows,
    stop: impl Fn() -> bool,
) -> Result<Option<Means>, MinibatchError> {
    let mut sums = head.sums(Totals::default())?;
    for positions in passes(rows) {
        if stop() {
            return Ok(None);
        }
        head.measure(&rows.gather(&positions)?, &mut sums)?;
    }
    Ok(Some(B::totals(&sums)?.means()))
}

/// The probabilities of all classes for all photographs, row-major [photographs, classes]. Features that are not finite
/// are an error: what a head makes of them may look like any other answer.
pub fn probabilities(head: &Head, rows: &Rows) -> Result<Vec<f64>, MinibatchError> {
    let mut probabilities = Vec::new();
    for positions in passes(rows) {
        let themselves = positions.iter().map(|&position| ViewOf { position, view: 0 });
        probabilities.extend(head.probabilities(&rows.gather_finite(themselves)?.rows())?);
    }
    Ok(probabilities)
}

/// The same, each the mean over the views of a photograph.
pub fn mean_probabilities(head: &Head, rows: &Rows) -> Result<Vec<f64>, MinibatchError> {
    let mut means = Vec::new();
    for positions in passes(rows) {
        let mut sums = Vec::new();
        for view in 0..rows.views() {
            let views = positions.iter().map(|&position| ViewOf { position, view });
            let probabilities = head.probabilities(&rows.gather_finite(views)?.rows())?;
            sums.resize(probabilities.len(), 0.0);
            sums.iter_mut().zip(&probabilities).for_each(|(sum, number): (&mut f64, _)| *sum += number);
        }
        means.extend(sums.into_iter().map(|sum| sum / rows.views() as f64));
    }
    Ok(means)
}

/// The positions of each pass over all rows, in order.
fn passes(rows: &Rows) -> impl Iterator<Item = Vec<usize>> {
    let count = rows.len();
    (0..count)
        .step_by(EVALUATION_BATCH)
        .map(move |start| (start..count.min(start + EVALUATION_BATCH)).collect())
}
