//! From a plan to operators, in the order and in the memory in which they run.

use std::borrow::Cow;
use std::ops::Range;

use convbase_bases::{Convolution, Plan};
use convbase_core::Precision;
use half::bf16;
use pulp::Arch;
use rayon::prelude::*;

use super::activation::Finish;
use super::depthwise::Depthwise;
use super::fusion::{Kind, Node, nodes};
use super::layout::{FILL, Layout};
use super::placement::{Lifetime, Place, join, layouts, share};
use super::pointwise::Pointwise;
use super::pool::Pool;
use super::products::Products;
use super::transform::TILE;
use super::window::Window;
use super::winograd::{FEWEST_TILES, Winograd};

/// Images that go through small maps together, whose weights outweigh the maps.
pub(super) const GROUP: usize = 8;

/// Bytes of the maps between operators that run row by row: they stay in the second cache of every processor, beside
/// their weights.
const BAND: usize = 192 * 1024;

/// Channels of what enters and of what leaves from which on the fewest multiplications make up for the transforms.
const WINOGRAD_CHANNELS: usize = 32;

/// Operators, and where their maps lie.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) segments: Vec<Segment>,
    /// The first segment that sees images together.
    pub(super) together: usize,
    /// Of each value.
    pub(super) maps: Vec<Map>,
    /// Of each piece of memory, in values.
    pub(super) pieces: Vec<usize>,
    pub(super) output: usize,
}

/// Where a value's maps lie.
#[derive(Debug, Clone)]
pub(super) struct Map {
    pub(super) layout: Layout,
    pub(super) piece: usize,
    /// How many images there is room for.
    pub(super) images: usize,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) operator: Operator,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
    /// Whether nobody before it wrote the map that it writes.
    pub(super) is_first: bool,
}

#[derive(Debug)]
pub(super) enum Operator {
    Products(Products),
    Winograd(Winograd),
    Depthwise(Depthwise),
    Pool(Pool),
    Pointwise(Pointwise),
}

/// Steps that run in turns, a band of rows each: each reads what the one before it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) steps: Range<usize>,
    /// Rows of the last step's maps.
    pub(super) band: usize,
}

impl Operator {
    /// The window that moves over the rows of what enters; `None` for what cannot run row by row.
    pub(super) fn window(&self) -> Option<Window> {
        match self {
            Self::Products(products) => Some(products.window()),
            Self::Depthwise(depthwise) => Some(depthwise.window()),
            Self::Pool(pool) => Some(pool.window()),
            Self::Winograd(_) | Self::Pointwise(_) => None,
        }
    }

    /// Pixels of zeros that are read on the left of a row and on its right.
    fn around(&self, width: usize, outputs: usize) -> [usize; 2] {
        match self {
            Self::Products(_) | Self::Depthwise(_) => {
                let window = self.window().unwrap_or(Window::ONE);
                [window.before[1], window.behind(outputs, width)]
            }
            Self::Winograd(winograd) => [winograd.left(), winograd.behind(width)],
            Self::Pool(_) | Self::Pointwise(_) => [0, 0],
        }
    }
}

impl Program {
    /// `None` where a step is not one of what is computed here.
    pub(super) fn new(arch: Arch, plan: &Plan, precision: Precision) -> Option<Self> {
        let size = plan.size();
        let image = [size.height() as usize, size.width() as usize, 3];
        let shapes: Vec<[usize; 3]> =
            std::iter::once(image).chain(plan.steps().iter().map(|step| step.shape)).collect();
        let by_tiles = |convolution: &Convolution| {
            let channels = convolution.inputs.min(convolution.outputs);
            Winograd::fits(arch, convolution) && channels >= WINOGRAD_CHANNELS
        };
        let (nodes, places) = join(nodes(plan, by_tiles), &shapes)?;
        let output = plan.steps().len();
        // Images of three channels are read by products alone as they are.
        let first_pixel = if nodes.iter().all(|node| takes_any_pixel(node)) { 3 } else { FILL };
        let pixel = |value: usize| match places[value].root {
            0 => first_pixel,
            root => shapes[root][2].next_multiple_of(FILL),
        };
        let prepared = nodes.par_iter().map(|node| {
            let layout = Layout::new(shapes[node.inputs[0]], pixel(node.inputs[0]));
            operator(arch, node, &layout, precision, by_tiles)
        });
        let operators: Vec<Operator> = prepared.collect::<Option<_>>()?;
        let mut steps: Vec<Step> = Vec::new();
        let mut around = vec![[0; 2]; shapes.len()];
        for (node, operator) in nodes.into_iter().zip(operators) {
            let input = node.inputs[0];
            let reads = operator.around(shapes[input][1], node.shape[1]);
            let zeros = &mut around[places[input].root];
            *zeros = [zeros[0].max(reads[0]), zeros[1].max(reads[1])];
            let root = |value: usize| places[value].root;
            let is_first = steps.iter().all(|step| root(step.output) != root(node.value));
            steps.push(Step { operator, inputs: node.inputs, output: node.value, is_first });
        }
        let mut layouts = layouts(&shapes, &around, first_pixel);
        let alone = alone(&steps, &layouts);
        let segments = segments(&steps, &mut layouts, &places, alone);
        let together = segments.iter().take_while(|segment| segment.steps.end <= alone).count();
        let (maps, pieces) = Self::maps(&steps, &segments, &layouts, &places, alone);
        Some(Self { steps, segments, together, maps, pieces, output })
    }

    /// Where the maps of every value lie, and how large each piece of memory is.
    fn maps(
        steps: &[Step],
        segments: &[Segment],
        layouts: &[Layout],
        places: &[Place],
        alone: usize,
    ) -> (Vec<Map>, Vec<usize>) {
        let values = layouts.len();
        let mut lifetimes: Vec<Lifetime> = vec![0..=0; values];
        let mut is_written = vec![false; values];
        is_written[0] = true;
        for segment in segments {
            let Range { start, end } = segment.steps;
            for step in &steps[segment.steps.clone()] {
                let root = places[step.output].root;
                if !std::mem::replace(&mut is_written[root], true) {
                    lifetimes[root] = start..=end - 1;
                }
                for &value in step.inputs.iter().chain([&step.output]) {
                    let root = places[value].root;
                    lifetimes[root] = *lifetimes[root].start()..=end - 1;
                }
            }
        }
        let last = places[steps.last().map_or(0, |step| step.output)].root;
        lifetimes[last] = *lifetimes[last].start()..=steps.len();
        let mut images = vec![1; values];
        for root in 0..values {
            let (start, end) = (*lifetimes[root].start(), *lifetimes[root].end());
            if start < alone && end >= alone {
                // Written image by image, read when all of them are there.
                lifetimes[root] = 0..=end;
            }
            images[root] = if end >= alone { GROUP } else { 1 };
        }
        let size = |root: usize| if is_written[root] { layouts[root].values(images[root]) } else { 0 };
        let (of_map, pieces) = share(&lifetimes, &(0..values).map(size).collect::<Vec<_>>());
        let map = |value: usize| {
            let Place { root, first } = places[value];
            let channels = layouts[value].channels;
            let layout = Layout { channels, first, ..layouts[root] };
            Map { layout, piece: of_map[root], images: images[root] }
        };
        ((0..values).map(map).collect(), pieces)
    }
}

/// Whether a node reads pixels that are not filled up, where it reads the images.
fn takes_any_pixel(node: &Node) -> bool {
    let is_product = matches!(node.kind, Kind::Convolution { convolution, .. } if convolution.groups == 1);
    node.inputs.iter().all(|&input| input != 0) || (is_product && node.inputs == [0])
}

fn operator(
    arch: Arch,
    node: &Node,
    layout: &Layout,
    precision: Precision,
    by_tiles: impl Fn(&Convolution) -> bool,
) -> Option<Operator> {
    Some(match &node.kind {
        Kind::Convolution { convolution, activation, halves } => {
            let rounded = rounded(convolution, precision);
            let finish = Finish { activation: *activation, precision };
            let Convolution { inputs, outputs, groups, .. } = **convolution;
            if by_tiles(convolution) {
                let sides = [node.shape[0], node.shape[1]];
                Operator::Winograd(Winograd::new(arch, &rounded, sides, *halves, finish))
            } else if groups == 1 {
                Operator::Products(Products::new(arch, &rounded, layout, finish))
            } else if groups == inputs && groups == outputs {
                Operator::Depthwise(Depthwise::new(arch, &rounded, finish))
            } else {
                return None;
            }
        }
        Kind::Pool(pool, kind) => Operator::Pool(Pool::new(arch, pool, *kind, precision)),
        Kind::Pointwise { padding, affine, activation } => {
            let finish = Finish { activation: *activation, precision };
            Operator::Pointwise(match affine {
                Some((scale, shift)) => Pointwise::affine(arch, scale, shift, finish),
                None => Pointwise::new(arch, *padding, finish),
            })
        }
        Kind::Concatenate => return None,
    })
}

/// Weights and bias as they are multiplied.
fn rounded(convolution: &Convolution, precision: Precision) -> Cow<'_, Convolution> {
    let mut convolution = Cow::Borrowed(convolution);
    if precision == Precision::BFloat16 {
        let Convolution { weight, bias, .. } = convolution.to_mut();
        weight.iter_mut().chain(bias).for_each(|value| *value = bf16::from_f32(*value).to_f32());
    }
    convolution
}

/// The steps before those that see images together: the last of them reads maps that are large beside its weights.
fn alone(steps: &[Step], layouts: &[Layout]) -> usize {
    let is_large = |step: &Step| {
        let Layout { height, width, .. } = layouts[step.inputs[0]];
        height.div_ceil(TILE) * width.div_ceil(TILE) >= FEWEST_TILES
    };
    steps.iter().rposition(is_large).map_or(0, |last| last + 1)
}

/// Runs of steps whose maps between them are larger than a band, and for these the room that a band takes.
fn segments(steps: &[Step], layouts: &mut [Layout], places: &[Place], alone: usize) -> Vec<Segment> {
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
                && size_of::<f32>() * between.values(1) > BAND
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
        let bytes = |layouts: &[Layout]| -> usize {
            between.iter().map(|step| size_of::<f32>() * layouts[step.output].values(1)).sum()
        };
        segment.band = 1;
        for band in 1..=height {
            let slots = slots(steps, layouts, band);
            let mut tried = layouts.to_vec();
            between.iter().zip(&slots).for_each(|(step, slots)| tried[step.output].slots = *slots);
            if band > 1 && bytes(&tried) > BAND {
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
