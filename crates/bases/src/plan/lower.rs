//! From layers to steps.

use super::affine::Affine;
use super::step::{Convolution, Operation, Pool, Step};
use crate::graph::{Activation, Graph, Node, Operator, Padding, Window};
use crate::weights::Weights;

/// Layers that become steps, first to last.
pub(super) struct Lowering<'a> {
    weights: &'a Weights,
    nodes: &'a [Node],
    /// Of each node's map.
    shapes: &'a [[usize; 3]],
    needed: &'a [bool],
    /// Which value is a node's map.
    values: Vec<usize>,
    /// Zeros that are still to be put around that value by the convolutions that read it.
    pending: Vec<Padding>,
    /// How many needed nodes read a node's map, and one more for the map that is asked for.
    uses: Vec<usize>,
    /// Whether the weights want blue first.
    blue_first: bool,
    steps: Vec<Step>,
}

impl<'a> Lowering<'a> {
    /// `shapes` and `needed` are those of the node at `last`, whose map is asked for.
    pub(super) fn new(
        graph: &'a Graph,
        weights: &'a Weights,
        shapes: &'a [[usize; 3]],
        needed: &'a [bool],
        last: usize,
        blue_first: bool,
    ) -> Self {
        let nodes = graph.nodes();
        let mut uses = vec![0; nodes.len()];
        uses[last] = 1;
        for (node, _) in nodes.iter().zip(needed).filter(|(_, needed)| **needed) {
            for &input in node.inputs() {
                uses[input] += 1;
            }
        }
        let (values, pending) = (vec![0; nodes.len()], vec![Padding::default(); nodes.len()]);
        Self { weights, nodes, shapes, needed, values, pending, uses, blue_first, steps: Vec::new() }
    }

    /// The steps; the last one makes the map that is asked for, because every other is one that it needs.
    pub(super) fn steps(mut self) -> Vec<Step> {
        for position in 0..self.nodes.len() {
            if self.needed[position] {
                self.values[position] = self.lower(position);
            }
        }
        self.steps
    }

    /// Makes the steps of a node, or none where an earlier one takes it in, and gives the value that is its map.
    fn lower(&mut self, position: usize) -> usize {
        let node = &self.nodes[position];
        match *node.operator() {
            Operator::Input => 0,
            Operator::Convolution { window, groups, bias, activation } => {
                let tensors = node.tensors();
                let bias =
                    if bias { self.weights.values(tensors.start + 1) } else { vec![0.0; node.channels()] };
                let weight = self.weights.values(tensors.start);
                self.convolution(position, window, groups, weight, bias, activation)
            }
            Operator::SeparableConvolution { window } => self.separable(position, window),
            Operator::Normalisation { epsilon, gamma } => self.normalisation(position, epsilon, gamma),
            Operator::Activation(activation) => self.activation(position, activation),
            Operator::MaxPool(window) => {
                let pool = self.pool(position, window);
                self.push(position, Operation::MaxPool(pool))
            }
            Operator::AveragePool(window) => {
                let pool = self.pool(position, window);
                self.push(position, Operation::AveragePool(pool))
            }
            Operator::ZeroPadding(padding) => self.zero_padding(position, padding),
            Operator::Add => self.push(position, Operation::Add { activation: Activation::None }),
            Operator::Concatenate => self.push(position, Operation::Concatenate),
        }
    }

    fn convolution(
        &mut self,
        position: usize,
        window: Window,
        groups: usize,
        weight: Vec<f32>,
        bias: Vec<f32>,
        activation: Activation,
    ) -> usize {
        let node = &self.nodes[position];
        let [input] = [node.inputs()[0]];
        let mut convolution = Convolution {
            weight,
            bias,
            inputs: node.input_channels(),
            outputs: node.channels(),
            groups,
            kernel: window.kernel,
            stride: window.stride,
            padding: self.padding(position, window).plus(self.pending[input]),
            activation,
        };
        if self.blue_first && self.values[input] == 0 {
            convolution.reverse_inputs();
        }
        self.push(position, Operation::Convolution(convolution))
    }

    fn separable(&mut self, position: usize, window: Window) -> usize {
        let node = &self.nodes[position];
        let (first, channels) = (node.tensors().start, node.input_channels());
        let weight = self.weights.values(first);
        let no_bias = vec![0.0; channels];
        let depthwise = self.convolution(position, window, channels, weight, no_bias, Activation::None);
        if let Some(Step { operation: Operation::Convolution(depthwise), shape, .. }) = self.steps.last_mut()
        {
            depthwise.outputs = channels;
            shape[2] = channels;
        }
        let pointwise = Convolution {
            weight: self.weights.values(first + 1),
            bias: vec![0.0; node.channels()],
            inputs: channels,
            outputs: node.channels(),
            groups: 1,
            kernel: [1, 1],
            stride: [1, 1],
            padding: Padding::default(),
            activation: Activation::None,
        };
        self.push_from(position, Operation::Convolution(pointwise), vec![depthwise])
    }

    fn normalisation(&mut self, position: usize, epsilon: f64, gamma: bool) -> usize {
        let node = &self.nodes[position];
        let tensors: Vec<Vec<f32>> = node.tensors().map(|tensor| self.weights.values(tensor)).collect();
        let (gamma, others) = tensors.split_at(usize::from(gamma));
        let [beta, mean, variance] = [0, 1, 2].map(|tensor| others[tensor].as_slice());
        let affine = Affine::normalisation(gamma.first().map(Vec::as_slice), beta, mean, variance, epsilon);
        if let Some(Step { operation: Operation::Convolution(convolution), .. }) = self.only_before(position)
            && convolution.activation == Activation::None
        {
            affine.fold_into(convolution);
            return self.taken_in(position);
        }
        let [scale, shift] = [affine.scale, affine.shift]
            .map(|numbers| numbers.into_iter().map(|number| number as f32).collect());
        self.push(position, Operation::Affine { scale, shift })
    }

    fn activation(&mut self, position: usize, activation: Activation) -> usize {
        let before = self.only_before(position).map(|step| &mut step.operation);
        if let Some(
            Operation::Convolution(Convolution { activation: own, .. }) | Operation::Add { activation: own },
        ) = before
            && *own == Activation::None
        {
            *own = activation;
            return self.taken_in(position);
        }
        self.push(position, Operation::Activation(activation))
    }

    /// Zeros become a convolution's own where nothing but convolutions reads them.
    fn zero_padding(&mut self, position: usize, padding: Padding) -> usize {
        let readers = self.nodes.iter().zip(self.needed).filter(|(_, needed)| **needed).map(|(node, _)| node);
        let readers: Vec<&Node> = readers.filter(|node| node.inputs().contains(&position)).collect();
        let takes_in = |node: &&Node| {
            matches!(node.operator(), Operator::Convolution { .. } | Operator::SeparableConvolution { .. })
        };
        if readers.len() == self.uses[position] && readers.iter().all(takes_in) {
            let input = self.nodes[position].inputs()[0];
            self.pending[position] = padding.plus(self.pending[input]);
            return self.values[input];
        }
        self.push(position, Operation::Pad { padding })
    }

    /// The step that makes the only map that a node reads, where nobody else reads it.
    fn only_before(&mut self, position: usize) -> Option<&mut Step> {
        let input = self.nodes[position].inputs()[0];
        let index = self.values[input].checked_sub(1)?;
        (self.uses[input] == 1 && self.pending[input].is_empty()).then(|| &mut self.steps[index])
    }

    /// The value of the step before, which now is this node's map.
    fn taken_in(&mut self, position: usize) -> usize {
        let node = &self.nodes[position];
        let value = self.values[node.inputs()[0]];
        if let Some(step) = value.checked_sub(1).and_then(|index| self.steps.get_mut(index)) {
            node.name().clone_into(&mut step.layer);
        }
        value
    }

    fn pool(&self, position: usize, window: Window) -> Pool {
        Pool { kernel: window.kernel, stride: window.stride, padding: self.padding(position, window) }
    }

    /// A window's padding on the map that a node reads.
    fn padding(&self, position: usize, window: Window) -> Padding {
        let [height, width, _] = self.shapes[self.nodes[position].inputs()[0]];
        window.padding_for([height, width])
    }

    fn push(&mut self, position: usize, operation: Operation) -> usize {
        let inputs = self.nodes[position].inputs().iter().map(|&input| self.values[input]).collect();
        self.push_from(position, operation, inputs)
    }

    fn push_from(&mut self, position: usize, operation: Operation, inputs: Vec<usize>) -> usize {
        let layer = self.nodes[position].name().to_owned();
        self.steps.push(Step { operation, inputs, shape: self.shapes[position], layer });
        self.steps.len()
    }
}
