//! The last layers of a base as part of a head: those that are trained on, behind the layer whose maps are stored.

use convbase_bases::{Behind, Operation, Step};
use serde::{Deserialize, Serialize};

use super::parameters::Layer;
use super::shape::NamedShape;
use crate::TorchError;
use crate::tensor_file::FloatTensor;

/// What a tail computes, without its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tail {
    /// [height, width, channels] of the stored map: value 0.
    map: [usize; 3],
    /// Step k makes value k + 1; the last one's is what the dense layers get.
    steps: Vec<Step>,
    /// How many of the first layers with numbers stay as they are.
    frozen: usize,
}

/// Layers that cannot be trained on.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// No layer behind the stored map has this name and numbers.
    #[error("layer to train from: expected one of {}, found `{found}`", layers.join(", "))]
    Layer {
        /// What was asked for.
        found: String,
        /// The layers with numbers.
        layers: Vec<String>,
    },
    /// The head has layers of a base already.
    #[error("expected a head that was trained on the base as it is, found one that was fine-tuned")]
    Twice,
    /// The layers do not end at what the head takes.
    #[error("{0}")]
    Shapes(String),
    /// A tensor could not be made.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

/// Weight and bias of a step that has some, which it then has no more.
fn take_numbers(step: &mut Step) -> Option<[Vec<f32>; 2]> {
    match &mut step.operation {
        Operation::Convolution(convolution) => {
            Some([&mut convolution.weight, &mut convolution.bias].map(std::mem::take))
        }
        Operation::Affine { scale, shift } => Some([scale, shift].map(std::mem::take)),
        _ => None,
    }
}

impl Tail {
    /// The tail and its numbers, of which those in front of the layer `from` stay as they are.
    pub(crate) fn new(
        behind: Behind,
        from: Option<&str>,
    ) -> Result<(Self, Vec<Layer<FloatTensor>>), TailError> {
        let Behind { map, mut steps } = behind;
        let numbers: Vec<[Vec<f32>; 2]> = steps.iter_mut().filter_map(take_numbers).collect();
        let mut tail = Self { map, steps, frozen: 0 };
        if let Some(from) = from {
            let named: Vec<&str> = tail.layers().map(|step| step.layer.as_str()).collect();
            let Some(frozen) = named.iter().position(|layer| *layer == from) else {
                let layers = named.into_iter().map(str::to_owned).collect();
                return Err(TailError::Layer { found: from.to_owned(), layers });
            };
            tail.frozen = frozen;
        }
        let tensor = |named: NamedShape, numbers| FloatTensor { size: named.size, numbers };
        let layers = tail.tensors().into_iter().zip(numbers).map(|(named, [weight, bias])| Layer {
            weight: tensor(named.weight, weight),
            bias: tensor(named.bias, bias),
        });
        let layers = layers.collect();
        Ok((tail, layers))
    }

    /// The steps with their numbers, which are one of `layers` for each that has some.
    pub(crate) fn with_numbers(&self, layers: Vec<Layer<FloatTensor>>) -> Vec<Step> {
        let mut layers = layers.into_iter();
        let mut steps = self.steps.clone();
        for step in &mut steps {
            let numbers = match &mut step.operation {
                Operation::Convolution(convolution) => Some((&mut convolution.weight, &mut convolution.bias)),
                Operation::Affine { scale, shift } => Some((scale, shift)),
                _ => None,
            };
            if let Some((weight, bias)) = numbers
                && let Some(layer) = layers.next()
            {
                (*weight, *bias) = (layer.weight.numbers, layer.bias.numbers);
            }
        }
        steps
    }

    /// [height, width, channels] of the stored map.
    pub(crate) fn map(&self) -> [usize; 3] {
        self.map
    }

    /// The steps.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many of the first layers with numbers stay as they are.
    pub(crate) fn frozen(&self) -> usize {
        self.frozen
    }

    /// The layers with numbers.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &Step> {
        let has_numbers =
            |step: &&Step| matches!(step.operation, Operation::Convolution(_) | Operation::Affine { .. });
        self.steps.iter().filter(has_numbers)
    }

    /// Names of the layers that are trained.
    pub fn trained(&self) -> impl Iterator<Item = &str> {
        self.layers().skip(self.frozen).map(|step| step.layer.as_str())
    }

    /// The layer whose map the dense layers get, and that map's shape.
    pub fn output(&self) -> Option<(&str, [usize; 3])> {
        self.steps.last().map(|step| (step.layer.as_str(), step.shape))
    }

    /// Name and size of every tensor: weight [outputs, inputs / groups, height, width] and bias of a convolution, scale
    /// and shift of a normalisation that no convolution took in.
    pub(crate) fn tensors(&self) -> Vec<Layer<NamedShape>> {
        let mut seen: Vec<&str> = Vec::new();
        self.layers()
            .map(|step| {
                let layer = step.layer.as_str();
                let before = seen.iter().filter(|name| **name == layer).count();
                seen.push(layer);
                // A separable convolution is two steps of one layer.
                let name = if before == 0 { layer.to_owned() } else { format!("{layer}.{before}") };
                let (weight, bias) = match &step.operation {
                    Operation::Convolution(convolution) => {
                        let inputs = convolution.inputs.checked_div(convolution.groups).unwrap_or(0);
                        let [height, width] = convolution.kernel;
                        (vec![convolution.outputs, inputs, height, width], vec![convolution.outputs])
                    }
                    _ => (vec![step.shape[2]], vec![step.shape[2]]),
                };
                let named = |part: &str, size| NamedShape { name: format!("{name}.{part}"), size };
                Layer { weight: named("weight", weight), bias: named("bias", bias) }
            })
            .collect()
    }

    /// What is wrong with a description that a file holds.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.steps.is_empty() {
            return Some("head.input.tail.steps: expected some, found none".to_owned());
        }
        // Each is held against what it is said to work on, before any of it is computed.
        let mut values = vec![self.map];
        for (index, step) in self.steps.iter().enumerate() {
            if let Some(problem) = step.problem(&values) {
                return Some(format!("head.input.tail.steps.{index}: {problem}"));
            }
            values.push(step.shape);
        }
        let layers = self.layers().count();
        (self.frozen > layers)
            .then(|| format!("head.input.tail.frozen: expected at most {layers}, found {}", self.frozen))
    }
}
