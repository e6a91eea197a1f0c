//! Convolutions one after another.

use std::sync::{Mutex, PoisonError};
use std::thread;

use convbase_bases::Plan;
use convbase_core::{ImageSize, Precision};
use half::bf16;
use pulp::Arch;

use super::first::FirstConvolution;
use super::layer::{Convolution, FEWEST_TILES, Scratch};
use super::map::Map;
use super::transform::TILE;
use super::{chain, panel_values};
use crate::vectors::vector_instructions;

/// Images that go through the small maps of the later convolutions together, whose weights outweigh the maps.
const GROUP: usize = 8;

/// The convolutions from images in bytes to the map of the last layer.
#[derive(Debug)]
pub(crate) struct Network {
    height: usize,
    width: usize,
    first: FirstConvolution,
    convolutions: Vec<Convolution>,
    /// The convolution from which on images go together.
    grouped: usize,
    /// What passes that ended left for those to come: each pass that runs has one of its own.
    workspaces: Mutex<Vec<Workspace>>,
}

/// The memory of a pass.
#[derive(Debug)]
struct Workspace {
    frame: Vec<f32>,
    /// What enters each convolution, and what leaves the last.
    maps: Vec<Map>,
    scratch: Scratch,
}

/// A convolution's weights [outputs, inputs, 3, 3] and bias `[outputs]`, and whether a pool follows it.
#[derive(Debug, Clone)]
pub(crate) struct ConvolutionWeights {
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) pools: bool,
}

impl ConvolutionWeights {
    fn round_to_bf16(&mut self) {
        self.weights.iter_mut().chain(&mut self.bias).for_each(round_to_bf16);
    }
}

fn round_to_bf16(value: &mut f32) {
    *value = bf16::from_f32(*value).to_f32();
}

impl Network {
    /// Takes a plan that is a chain of what these kernels compute. `None` for every other plan, and where the processor
    /// lacks the vectors.
    pub(crate) fn new(plan: &Plan, precision: Precision) -> Option<Self> {
        let arch = vector_instructions()?;
        let convolutions = chain::convolutions(plan, panel_values(arch))?;
        Self::on(arch, plan.size(), chain::scaled_bytes(plan.scaling()), convolutions, precision)
    }

    /// For images of `size`, and what each of their bytes becomes. The first convolution has no pool. `None` where there
    /// is no convolution.
    pub(super) fn on(
        arch: Arch,
        size: ImageSize,
        mut scaled: [[f32; 256]; 3],
        mut convolutions: Vec<ConvolutionWeights>,
        precision: Precision,
    ) -> Option<Self> {
        if precision == Precision::BFloat16 {
            scaled.as_flattened_mut().iter_mut().for_each(round_to_bf16);
            convolutions.iter_mut().for_each(ConvolutionWeights::round_to_bf16);
        }
        let (first, others) = convolutions.split_first()?;
        let first = FirstConvolution::new(arch, first, scaled, precision);
        let convolutions: Vec<Convolution> = thread::scope(|scope| {
            let prepared: Vec<_> =
                others.iter().map(|one| scope.spawn(|| Convolution::new(arch, one, precision))).collect();
            let joined = prepared.into_iter().map(|thread| thread.join());
            joined.map(|one| one.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        let (height, width) = (size.height() as usize, size.width() as usize);
        let mut sides = (height, width);
        let mut grouped = 0;
        for convolution in &convolutions {
            if sides.0.div_ceil(TILE) * sides.1.div_ceil(TILE) < FEWEST_TILES {
                break;
            }
            sides = (convolution.output_side(sides.0), convolution.output_side(sides.1));
            grouped += 1;
        }
        Some(Self { height, width, first, convolutions, grouped, workspaces: Mutex::default() })
    }

    /// Height, width and channels of the last map.
    pub(crate) fn output_shape(&self) -> [usize; 3] {
        let side =
            |side| self.convolutions.iter().fold(side, |side, convolution| convolution.output_side(side));
        let channels = self.convolutions.last().map_or(self.first.outputs(), Convolution::outputs);
        [side(self.height), side(self.width), channels]
    }

    /// The maps [images, height, width, channels] of images in bytes [images, height, width, 3], on this thread.
    pub(crate) fn forward(&self, pixels: &[u8]) -> Vec<f32> {
        let kept = || self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let mut workspace = kept().pop().unwrap_or_else(|| self.workspace());
        let mut values = Vec::new();
        for pixels in pixels.chunks(GROUP * self.height * self.width * 3) {
            self.group(pixels, &mut workspace, &mut values);
        }
        kept().push(workspace);
        values
    }

    fn workspace(&self) -> Workspace {
        let (mut height, mut width) = (self.height, self.width);
        let images = |index| if index < self.grouped { 1 } else { GROUP };
        let mut maps = vec![Map::new(images(0), height, width, self.first.outputs())];
        for (index, convolution) in self.convolutions.iter().enumerate() {
            (height, width) = (convolution.output_side(height), convolution.output_side(width));
            maps.push(Map::new(images(index + 1), height, width, convolution.outputs()));
        }
        Workspace { frame: Vec::new(), maps, scratch: Scratch::default() }
    }

    /// Adds the maps of at most [`GROUP`] images to `values`.
    fn group(&self, pixels: &[u8], workspace: &mut Workspace, values: &mut Vec<f32>) {
        let Workspace { frame, maps, scratch } = workspace;
        let mut images = 0;
        for pixels in pixels.chunks_exact(self.height * self.width * 3) {
            let at = |index: usize| if index < self.grouped { 0 } else { images };
            self.first.forward(pixels, frame, &mut maps[0], at(0));
            for (index, convolution) in self.convolutions[..self.grouped].iter().enumerate() {
                let [input, output] = &mut maps[index..index + 2] else { continue };
                convolution.forward(input, 1, scratch, output, at(index + 1));
            }
            images += 1;
        }
        for (index, convolution) in self.convolutions.iter().enumerate().skip(self.grouped) {
            let [input, output] = &mut maps[index..index + 2] else { continue };
            convolution.forward(input, images, scratch, output, 0);
        }
        for image in 0..images {
            maps[self.convolutions.len()].rows(image).for_each(|row| values.extend_from_slice(row));
        }
    }
}
