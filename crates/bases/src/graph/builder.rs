//! Puts a graph together, layer by layer.

use super::Graph;
use super::node::{Activation, Node, Operator};
use super::order::keras_order;
use super::tensor::tensors;
use super::window::{Padding, Window};

/// A graph in the making. Layers are added in the order in which Keras' own source adds them, each with the position
/// of the layer before it; every method gives the position of what it added.
pub(crate) struct Builder {
    nodes: Vec<Node>,
}

impl Builder {
    /// The position of the images.
    pub(crate) const INPUT: usize = 0;

    pub(crate) fn new() -> Self {
        let mut builder = Self { nodes: Vec::new() };
        builder.push("input_layer", Operator::Input, &[], 3);
        builder
    }

    /// Without bias and activation, as before a normalisation.
    pub(crate) fn convolution(
        &mut self,
        name: impl Into<String>,
        from: usize,
        outputs: usize,
        window: Window,
    ) -> usize {
        let operator = Operator::Convolution { window, groups: 1, bias: false, activation: Activation::None };
        self.push(name, operator, &[from], outputs)
    }

    pub(crate) fn biased_convolution(
        &mut self,
        name: impl Into<String>,
        from: usize,
        outputs: usize,
        window: Window,
        activation: Activation,
    ) -> usize {
        let operator = Operator::Convolution { window, groups: 1, bias: true, activation };
        self.push(name, operator, &[from], outputs)
    }

    /// One kernel for each channel, without bias.
    pub(crate) fn depthwise(&mut self, name: impl Into<String>, from: usize, window: Window) -> usize {
        let channels = self.channels(from);
        let operator =
            Operator::Convolution { window, groups: channels, bias: false, activation: Activation::None };
        self.push(name, operator, &[from], channels)
    }

    pub(crate) fn separable(
        &mut self,
        name: impl Into<String>,
        from: usize,
        outputs: usize,
        window: Window,
    ) -> usize {
        self.push(name, Operator::SeparableConvolution { window }, &[from], outputs)
    }

    pub(crate) fn normalisation(&mut self, name: impl Into<String>, from: usize, epsilon: f64) -> usize {
        self.keep(name, Operator::Normalisation { epsilon, gamma: true }, from)
    }

    /// Keras `BatchNormalization(scale=False)`.
    pub(crate) fn normalisation_without_gamma(
        &mut self,
        name: impl Into<String>,
        from: usize,
        epsilon: f64,
    ) -> usize {
        self.keep(name, Operator::Normalisation { epsilon, gamma: false }, from)
    }

    pub(crate) fn relu(&mut self, name: impl Into<String>, from: usize) -> usize {
        self.keep(name, Operator::Activation(Activation::Relu), from)
    }

    pub(crate) fn relu6(&mut self, name: impl Into<String>, from: usize) -> usize {
        self.keep(name, Operator::Activation(Activation::Relu6), from)
    }

    pub(crate) fn max_pool(&mut self, name: impl Into<String>, from: usize, window: Window) -> usize {
        self.keep(name, Operator::MaxPool(window), from)
    }

    pub(crate) fn average_pool(&mut self, name: impl Into<String>, from: usize, window: Window) -> usize {
        self.keep(name, Operator::AveragePool(window), from)
    }

    pub(crate) fn zero_padding(&mut self, name: impl Into<String>, from: usize, padding: Padding) -> usize {
        self.keep(name, Operator::ZeroPadding(padding), from)
    }

    pub(crate) fn add(&mut self, name: impl Into<String>, from: [usize; 2]) -> usize {
        let channels = self.channels(from[0]);
        self.push(name, Operator::Add, &from, channels)
    }

    pub(crate) fn concatenate(&mut self, name: impl Into<String>, from: &[usize]) -> usize {
        let channels = from.iter().map(|&input| self.channels(input)).sum();
        self.push(name, Operator::Concatenate, from, channels)
    }

    pub(crate) fn channels(&self, position: usize) -> usize {
        self.nodes[position].channels
    }

    /// The graph that ends with `output`, its layers and tensors in Keras' order.
    pub(crate) fn finish(self, output: usize) -> Graph {
        let order = keras_order(&self.nodes, output);
        let mut positions = vec![0; self.nodes.len()];
        for (position, &before) in order.iter().enumerate() {
            positions[before] = position;
        }
        let (mut nodes, mut all) = (Vec::new(), Vec::new());
        for before in order {
            let mut node = self.nodes[before].clone();
            for input in &mut node.inputs {
                *input = positions[*input];
            }
            let own = tensors(&node);
            node.parameters = own.iter().map(|tensor| tensor.count() as u64).sum();
            node.tensors = all.len()..all.len() + own.len();
            all.extend(own);
            nodes.push(node);
        }
        Graph { nodes, tensors: all }
    }

    /// A layer that keeps the number of channels.
    fn keep(&mut self, name: impl Into<String>, operator: Operator, from: usize) -> usize {
        let channels = self.channels(from);
        self.push(name, operator, &[from], channels)
    }

    fn push(
        &mut self,
        name: impl Into<String>,
        operator: Operator,
        inputs: &[usize],
        channels: usize,
    ) -> usize {
        let input_channels = inputs.first().map_or(0, |&input| self.channels(input));
        self.nodes.push(Node {
            name: name.into(),
            operator,
            inputs: inputs.to_vec(),
            input_channels,
            channels,
            tensors: 0..0,
            parameters: 0,
        });
        self.nodes.len() - 1
    }
}
