//! Steps that run in turns, a band of rows each, so that the maps between them stay near.

use std::ops::Range;

use super::layout::Layout;
use super::placement::Place;
use super::program::Step;
use super::window::Window;

/// Steps that run in turns, a band of rows each: each reads what the one before it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) steps: Range<usize>,
    /// Rows of the last step's maps.
    pub(super) band: usize,
}

/// Runs of steps whose maps between them take more than `bytes`, in bands of which these maps take at most so many, and
/// the room for them.
pub(super) fn segments(
    steps: &[Step],
    layouts: &mut [Layout],
    places: &[Place],
    alone: usize,
    bytes: usize,
) -> Vec<Segment> {
    let mut readers = vec![0; layouts.len()];
    steps.iter().flat_map(|step| &step.inputs).for_each(|&input| readers[input] += 1);
    let mut segments: Vec<Segment> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let goes_on = |segment: &Segment| {
            let before = &steps[index - 1];
            let between = layouts[before.output];
            segment.steps.end == index
                && index < alone
                && step.inputs[0] == before.output
                && readers[before.output] == 1
                && places[before.output].root == before.output
                && before.operator.window().is_some()
                && step.operator.window().is_some()
                && size_of::<f32>() * between.values(1) > bytes
                // Every band fetches the weights anew.
                && before.operator.weights().max(step.operator.weights()) < between.values(1)
        };
        match segments.last_mut() {
            Some(segment) if goes_on(segment) => segment.steps.end += 1,
            _ => segments.push(Segment { steps: index..index + 1, band: layouts[step.output].height }),
        }
    }
    for segment in segments.iter_mut().filter(|segment| segment.steps.len() > 1) {
        let steps = &steps[segment.steps.clone()];
        let height = layouts[steps[steps.len() - 1].output].height;
        let between = &steps[..steps.len() - 1];
        let taken = |layouts: &[Layout]| -> usize {
            between.iter().map(|step| size_of::<f32>() * layouts[step.output].values(1)).sum()
        };
        segment.band = 1;
        for band in 1..=height {
            let slots = slots(steps, layouts, band);
            let mut tried = layouts.to_vec();
            between.iter().zip(&slots).for_each(|(step, slots)| tried[step.output].slots = *slots);
            if band > 1 && taken(&tried) > bytes {
                break;
            }
            segment.band = band;
        }
        let slots = slots(steps, layouts, segment.band);
        between.iter().zip(slots).for_each(|(step, slots)| layouts[step.output].slots = slots);
    }
    segments
}

/// The most rows of each map between steps that are there at the same time.
fn slots(steps: &[Step], layouts: &[Layout], band: usize) -> Vec<usize> {
    let mut slots = vec![1; steps.len() - 1];
    let mut done = vec![0; steps.len()];
    let height = layouts[steps[steps.len() - 1].output].height;
    for start in (0..height).step_by(band) {
        let ends = ends(steps, |step| layouts[step.output].height, (start + band).min(height));
        for (index, slots) in slots.iter_mut().enumerate() {
            let read = read(
                &steps[index + 1],
                done[index + 1]..ends[index + 1],
                layouts[steps[index].output].height,
            );
            *slots = (*slots).max(ends[index].max(read.end) - read.start.min(ends[index]));
        }
        done = ends;
    }
    slots
}

/// Up to which row each step's map must be there for that of the last step to be there up to row `end`.
pub(super) fn ends(steps: &[Step], height: impl Fn(&Step) -> usize, end: usize) -> Vec<usize> {
    let mut ends = vec![end; steps.len()];
    for index in (1..steps.len()).rev() {
        ends[index - 1] = read(&steps[index], 0..ends[index], height(&steps[index - 1])).end;
    }
    ends
}

/// The rows of a map of `height` that a step reads for `rows` of its own.
fn read(step: &Step, rows: Range<usize>, height: usize) -> Range<usize> {
    step.operator.window().unwrap_or(Window::ONE).rows(rows, height)
}
