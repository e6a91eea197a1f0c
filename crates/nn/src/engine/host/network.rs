//! Images through a program.

use std::sync::{Mutex, PoisonError};

use aligned_vec::{AVec, avec};
use convbase_bases::Plan;
use convbase_core::Precision;
use half::bf16;
use pulp::Arch;

use super::bands::{Segment, ends};
use super::cache::second_cache;
use super::chunks::Places;
use super::layout::{Extent, Source, Target};
use super::profile::{Clock, OperatorTime};
use super::program::{GROUP, Operator, Program, Step};
use super::{quantised, strassen, winograd};
use crate::vectors::vector_instructions;

/// A plan's operators, from images in bytes to the map of the last layer.
#[derive(Debug)]
pub(crate) struct Network {
    program: Program,
    /// What each byte of red, green and blue becomes.
    scaled: [[f32; 256]; 3],
    height: usize,
    width: usize,
    output_shape: [usize; 3],
    precision: Precision,
    /// What passes that ended left for those to come: each pass that runs has one of its own.
    workspaces: Mutex<Vec<Workspace>>,
}

/// The memory of a pass.
#[derive(Debug, Default)]
struct Workspace {
    pieces: Vec<AVec<f32>>,
    places: Places,
    whole: quantised::Scratch,
    halves: strassen::Scratch,
    taps: Vec<usize>,
    scratch: winograd::Scratch,
    clock: Clock,
}

impl Network {
    /// `None` for a plan with a step that is not computed here, and where the processor lacks the vectors.
    pub(crate) fn new(plan: &Plan, precision: Precision) -> Option<Self> {
        Self::on(vector_instructions()?, plan, precision, second_cache())
    }

    /// On these vectors, with a second cache of `cache` bytes.
    pub(super) fn on(arch: Arch, plan: &Plan, precision: Precision, cache: usize) -> Option<Self> {
        let program = Program::new(arch, plan, precision, cache)?;
        let mut scaled = scaled_bytes(plan.scaling());
        if precision == Precision::BFloat16 {
            let round = |value: &mut f32| *value = bf16::from_f32(*value).to_f32();
            scaled.as_flattened_mut().iter_mut().for_each(round);
        }
        let (height, width) = (plan.size().height() as usize, plan.size().width() as usize);
        let output_shape = plan.output_shape();
        Some(Self { program, scaled, height, width, output_shape, precision, workspaces: Mutex::default() })
    }

    /// Height, width and channels of the last map.
    pub(crate) fn output_shape(&self) -> [usize; 3] {
        self.output_shape
    }

    /// Whether convolutions are computed in 8 bits.
    pub(crate) fn is_int8(&self) -> bool {
        self.precision == Precision::Int8
    }

    /// Values of all maps that a pass holds, whatever its images, and of what lies between transforms.
    pub(crate) fn pass_values(&self) -> usize {
        let scratch = self.program.steps.iter().map(|step| match &step.operator {
            Operator::Winograd(winograd) => winograd.scratch_values(GROUP),
            _ => 0,
        });
        self.program.pieces.iter().sum::<usize>() + scratch.max().unwrap_or(0)
    }

    /// The maps [images, height, width, channels] of images in bytes [images, height, width, 3], on this thread.
    pub(crate) fn forward(&self, pixels: &[u8]) -> Vec<f32> {
        self.pass(pixels, Clock::default()).0
    }

    /// The maps of images, and the clock that ran meanwhile.
    fn pass(&self, pixels: &[u8], clock: Clock) -> (Vec<f32>, Clock) {
        let kept = || self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let mut workspace = kept().pop().unwrap_or_else(|| self.workspace());
        workspace.clock = clock;
        let mut values = Vec::new();
        for pixels in pixels.chunks(GROUP * self.height * self.width * 3) {
            self.group(pixels, &mut workspace, &mut values);
        }
        let clock = std::mem::take(&mut workspace.clock);
        kept().push(workspace);
        (values, clock)
    }

    /// How long each operator takes for images in bytes, an image on average, in the order in which they run.
    pub(crate) fn profile(&self, pixels: &[u8]) -> Vec<OperatorTime> {
        let images = pixels.len() / (self.height * self.width * 3);
        let clock = Clock::new(self.program.steps.len());
        let (_, clock) = self.pass(pixels, clock);
        clock.times(&self.program, images)
    }

    fn workspace(&self) -> Workspace {
        let pieces = self.program.pieces.iter().map(|&size| avec![0.0; size]).collect();
        Workspace { pieces, ..Workspace::default() }
    }

    /// Adds the maps of at most [`GROUP`] images to `values`.
    fn group(&self, pixels: &[u8], workspace: &mut Workspace, values: &mut Vec<f32>) {
        let (alone, together) = self.program.segments.split_at(self.program.together);
        let mut images = 0;
        for (image, pixels) in pixels.chunks_exact(self.height * self.width * 3).enumerate() {
            self.enter(pixels, image, workspace);
            alone.iter().for_each(|segment| self.run(segment, image, 1, workspace));
            images = image + 1;
        }
        together.iter().for_each(|segment| self.run(segment, 0, images, workspace));
        let output = &self.program.maps[self.program.output];
        let [height, width, channels] = self.output_shape;
        for (image, row) in (Extent { images, rows: 0..height }).rows() {
            let start = output.layout.row(image, row as isize);
            let row = &workspace.pieces[output.piece]
                [start..start + width * output.layout.pixel - output.layout.first];
            row.chunks(output.layout.pixel).for_each(|pixel| values.extend_from_slice(&pixel[..channels]));
        }
    }

    /// An image's bytes, scaled, as a map.
    fn enter(&self, pixels: &[u8], image: usize, workspace: &mut Workspace) {
        let map = &self.program.maps[0];
        let layout = map.layout;
        let values = &mut workspace.pieces[map.piece];
        layout.clear(values, map.images);
        let image = image % map.images;
        for (row, pixels) in pixels.chunks_exact(self.width * 3).enumerate() {
            let start = layout.row(image, row as isize);
            let row = &mut values[start..start + self.width * layout.pixel];
            for (bytes, values) in pixels.as_chunks::<3>().0.iter().zip(row.chunks_exact_mut(layout.pixel)) {
                let (values, rest) = values.split_at_mut(3);
                for ((value, byte), scaled) in values.iter_mut().zip(bytes).zip(&self.scaled) {
                    *value = scaled[usize::from(*byte)];
                }
                rest.fill(0.0);
            }
        }
    }

    /// Runs a segment for `images` images from `image` on.
    fn run(&self, segment: &Segment, image: usize, images: usize, workspace: &mut Workspace) {
        let Program { steps, maps, .. } = &self.program;
        let (first, steps) = (segment.steps.start, &steps[segment.steps.clone()]);
        for step in steps.iter().filter(|step| step.is_first) {
            let map = &maps[step.output];
            map.layout.clear(&mut workspace.pieces[map.piece], map.images);
        }
        let height = |step: &Step| maps[step.output].layout.height;
        let last = steps.last().map_or(0, height);
        let mut done = vec![0; steps.len()];
        for start in (0..last).step_by(segment.band) {
            let ends = ends(steps, height, (start + segment.band).min(last));
            for (((step, &start), &end), index) in steps.iter().zip(&done).zip(&ends).zip(first..) {
                let extent = Extent { images, rows: start..end };
                workspace.clock.start();
                self.step(step, image, &extent, workspace);
                workspace.clock.stop(index);
            }
            done = ends;
        }
    }

    /// Computes rows of what one step writes.
    fn step(&self, step: &Step, image: usize, extent: &Extent, workspace: &mut Workspace) {
        let maps = &self.program.maps;
        let Workspace { pieces, places, whole, halves, taps, scratch, .. } = workspace;
        // What is read lies elsewhere: it lives on while this is written.
        let to = &maps[step.output];
        let mut written = std::mem::replace(&mut pieces[to.piece], avec![]);
        let source = |&value: &usize| {
            let from = &maps[value];
            Source { layout: from.layout, values: &pieces[from.piece], image: image % from.images }
        };
        let output = &mut Target { layout: to.layout, values: &mut written, image: image % to.images };
        let inputs: Vec<Source> = step.inputs.iter().map(source).collect();
        match &step.operator {
            Operator::Products(products) => {
                products.forward(inputs[0], inputs.get(1).copied(), output, extent, places);
            }
            Operator::Strassen(strassen) => {
                strassen.forward(inputs[0], inputs.get(1).copied(), output, extent, halves);
            }
            Operator::Quantised(quantised) => {
                quantised.forward(inputs[0], inputs.get(1).copied(), output, extent, whole);
            }
            Operator::Winograd(winograd) => winograd.forward(inputs[0], output, extent.images, scratch),
            Operator::Depthwise(depthwise) => depthwise.forward(inputs[0], output, extent, taps),
            Operator::Pool(pool) => pool.forward(inputs[0], output, extent),
            Operator::Pointwise(pointwise) => pointwise.forward(&inputs, output, extent),
        }
        pieces[to.piece] = written;
    }
}

/// What each byte of red, green and blue becomes, in float32 as the frameworks compute it, for a mean and a divisor.
fn scaled_bytes((mean, divisor): ([f64; 3], [f64; 3])) -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| {
        std::array::from_fn(|byte| (byte as f32 - mean[channel] as f32) / divisor[channel] as f32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_what_the_frameworks_make_of_them() {
        let scaled = scaled_bytes(([123.68, 116.779, 103.939], [1.0; 3]));
        assert_eq!(scaled.map(|channel| channel[0]), [-123.68, -116.779, -103.939]);
        let scaled = scaled_bytes(([127.5; 3], [127.5; 3]));
        assert_eq!((scaled[0][0], scaled[2][255]), (-1.0, 1.0));
    }
}
