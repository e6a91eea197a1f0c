//! How long operators take, and what they do in that time.

use std::time::{Duration, Instant};

use super::layout::Layout;
use super::program::{GROUP, Operator, Program, Step};

/// What one operator does for an image, and how long that takes.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorTime {
    /// The layer whose map it makes.
    pub layer: String,
    /// Which kind of operator.
    pub operator: &'static str,
    /// How long it takes, in seconds.
    pub seconds: f64,
    /// Multiplications with additions by its weights; those of Winograd's transforms are not counted.
    pub multiply_adds: u64,
    /// Bytes that are read and written at least once: maps, and a share of the weights where images share them.
    pub bytes: u64,
}

/// The time that each step took so far, where anybody asks.
#[derive(Debug, Default)]
pub(super) struct Clock {
    begun: Option<Instant>,
    /// Of each step; empty where nobody asks.
    spent: Vec<Duration>,
}

impl Clock {
    pub(super) fn new(steps: usize) -> Self {
        Self { begun: None, spent: vec![Duration::ZERO; steps] }
    }

    pub(super) fn start(&mut self) {
        self.begun = (!self.spent.is_empty()).then(Instant::now);
    }

    pub(super) fn stop(&mut self, step: usize) {
        if let Some(begun) = self.begun.take() {
            self.spent[step] += begun.elapsed();
        }
    }

    /// What each step of `program` took for one of so many images.
    pub(super) fn times(&self, program: &Program, images: usize) -> Vec<OperatorTime> {
        let together =
            program.segments.get(program.together).map_or(program.steps.len(), |first| first.steps.start);
        let time = |(index, (step, spent)): (usize, (&Step, &Duration))| {
            let sharing = if index < together { 1 } else { images.min(GROUP) };
            let values = |value: usize| {
                let layout = &program.maps[value].layout;
                layout.height * layout.width * layout.channels
            };
            let maps: usize = step.inputs.iter().chain([&step.output]).map(|&value| values(value)).sum();
            let to = &program.maps[step.output].layout;
            let values = maps + step.operator.weights() / sharing;
            OperatorTime {
                layer: step.layer.clone(),
                operator: step.operator.name(),
                seconds: spent.as_secs_f64() / images as f64,
                multiply_adds: (step.operator.weights() * step.operator.uses(to)) as u64,
                bytes: (size_of::<f32>() * values) as u64,
            }
        };
        program.steps.iter().zip(&self.spent).enumerate().map(time).collect()
    }
}

impl Operator {
    fn name(&self) -> &'static str {
        match self {
            Self::Products(products) if products.window().kernel == [1, 1] => "products of pixels",
            Self::Products(_) => "products of windows",
            Self::Strassen(_) => "products of pixels, Strassen",
            Self::Quantised(quantised) if quantised.window().kernel == [1, 1] => "products of pixels, 8 bits",
            Self::Quantised(_) => "products of windows, 8 bits",
            Self::Winograd(_) => "Winograd",
            Self::Depthwise(_) => "depthwise",
            Self::Pool(_) => "pool",
            Self::Pointwise(_) => "pointwise",
        }
    }

    /// Values that its maps are multiplied with.
    pub(super) fn weights(&self) -> usize {
        match self {
            Self::Products(products) => products.weights(),
            Self::Strassen(strassen) => strassen.weights(),
            Self::Quantised(quantised) => quantised.weights(),
            Self::Winograd(winograd) => winograd.weights(),
            Self::Depthwise(depthwise) => depthwise.weights(),
            Self::Pool(_) | Self::Pointwise(_) => 0,
        }
    }

    /// How often each is multiplied for a map of this layout: for every tile, every pair of pixels or every pixel.
    pub(super) fn uses(&self, to: &Layout) -> usize {
        match self {
            Self::Winograd(winograd) => winograd.tiles(),
            Self::Strassen(strassen) => strassen.pairs(to),
            _ => to.height * to.width,
        }
    }
}
