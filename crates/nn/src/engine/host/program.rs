//! From a plan to operators, in the order and in the memory in which they run.

use std::borrow::Cow;
use std::ops::Range;

use convbase_bases::{Convolution, Plan};
use convbase_core::Precision;
use half::bf16;
use pulp::Arch;
use rayon::prelude::*;

use super::activation::Finish;
use super::bands::{Segment, segments};
use super::depthwise::Depthwise;
use super::fusion::{Kind, Node, nodes};
use super::layout::{FILL, Layout};
use super::placement::{Lifetime, Place, join, layouts, share};
use super::pointwise::Pointwise;
use super::pool::Pool;
use super::products::Products;
use super::quantised::Quantised;
use super::strassen::Strassen;
use super::window::Window;
use super::winograd::Winograd;

/// Images that go through small maps together, whose weights outweigh the maps.
pub(super) const GROUP: usize = 8;

/// Uses that make up for fetching a weight: it comes while others are multiplied.
const FEWEST_USES: usize = 96;

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
    /// The layer whose map it makes.
    pub(super) layer: String,
    pub(super) operator: Operator,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
    /// Whether nobody before it wrote the map that it writes.
    pub(super) is_first: bool,
}

#[derive(Debug)]
pub(super) enum Operator {
    Products(Products),
    Strassen(Strassen),
    Quantised(Quantised),
    Winograd(Winograd),
    Depthwise(Depthwise),
    Pool(Pool),
    Pointwise(Pointwise),
}

impl Operator {
    /// The window that moves over the rows of what enters; `None` for what cannot run row by row.
    pub(super) fn window(&self) -> Option<Window> {
        match self {
            Self::Products(products) => Some(products.window()),
            Self::Strassen(strassen) => strassen.window(),
            Self::Quantised(quantised) => Some(quantised.window()),
            Self::Depthwise(depthwise) => Some(depthwise.window()),
            Self::Pool(pool) => Some(pool.window()),
            Self::Winograd(_) | Self::Pointwise(_) => None,
        }
    }

    /// Pixels of zeros that are read on the left of a row and on its right.
    fn around(&self, width: usize, outputs: usize) -> [usize; 2] {
        match self {
            Self::Products(_) | Self::Quantised(_) | Self::Depthwise(_) => {
                let window = self.window().unwrap_or(Window::ONE);
                [window.before[1], window.behind(outputs, width)]
            }
            Self::Winograd(winograd) => [winograd.left(), winograd.behind(width)],
            Self::Strassen(_) | Self::Pool(_) | Self::Pointwise(_) => [0, 0],
        }
    }
}

impl Program {
    /// For a second cache of `cache` bytes; `None` where a step is not one of what is computed here.
    pub(super) fn new(arch: Arch, plan: &Plan, precision: Precision, cache: usize) -> Option<Self> {
        let size = plan.size();
        let image = [size.height() as usize, size.width() as usize, 3];
        let shapes: Vec<[usize; 3]> =
            std::iter::once(image).chain(plan.steps().iter().map(|step| step.shape)).collect();
        let by_tiles = |convolution: &Convolution| {
            let channels = convolution.inputs.min(convolution.outputs);
            precision != Precision::Int8 && Winograd::fits(arch, convolution) && channels >= WINOGRAD_CHANNELS
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
            let layer = plan.steps()[node.value - 1].layer.clone();
            steps.push(Step { layer, operator, inputs: node.inputs, output: node.value, is_first });
        }
        let mut layouts = layouts(&shapes, &around, first_pixel);
        let alone = alone(&steps, &layouts);
        // The rest of the cache is for weights, and for what enters and leaves.
        let segments = segments(&steps, &mut layouts, &places, alone, cache / 4 * 3);
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
            let sides = [node.shape[0], node.shape[1]];
            if by_tiles(convolution) {
                Operator::Winograd(Winograd::new(arch, &rounded, sides, *halves, finish))
            } else if groups == 1 && precision == Precision::Int8 && node.inputs[0] != 0 {
                Operator::Quantised(Quantised::new(arch, convolution, layout, finish)?)
            } else if precision == Precision::Float32 && Strassen::fits(convolution, sides) {
                Operator::Strassen(Strassen::new(arch, convolution, sides, finish))
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

/// The steps before those that see images together: so many that the least bytes come from beyond the caches. A step
/// that sees images alone fetches its weights for each, one that sees them together leaves no map near for the next.
fn alone(steps: &[Step], layouts: &[Layout]) -> usize {
    let weights = |step: &Step| step.operator.weights();
    let uses = |step: &Step| step.operator.uses(&layouts[step.output]);
    let maps = |step: &Step| -> usize {
        let values = step.inputs.iter().chain([&step.output]);
        values.map(|&value| layouts[value].height * layouts[value].width * layouts[value].channels).sum()
    };
    let fetched = |alone: usize| -> usize {
        let (apart, together) = steps.split_at(alone);
        apart.iter().filter(|step| uses(step) < FEWEST_USES).map(weights).sum::<usize>()
            + together.iter().map(|step| weights(step) / GROUP + maps(step)).sum::<usize>()
    };
    (0..=steps.len()).min_by_key(|&alone| fetched(alone)).unwrap_or(0)
}
