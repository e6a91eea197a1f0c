//! A convolutional base as a graph of layers.

mod builder;
mod error;
mod natural;
mod node;
mod order;
mod summary;
mod tensor;
mod window;

use convbase_core::ImageSize;

pub(crate) use builder::Builder;
pub use error::GraphError;
pub use node::{Activation, Node, Operator};
pub use summary::SummaryRow;
pub use tensor::Tensor;
pub use window::{Padding, PaddingRule, Window};

/// Layers in Keras' order, each behind those it needs. The first is the images, the last the end of the base.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
}

impl Graph {
    /// Every layer.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Keras' names of all layers, in Keras' order.
    pub fn layer_names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.nodes.iter().map(Node::name)
    }

    /// Every tensor, layer by layer.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Numbers in all tensors, as Keras' `count_params` counts them: moving means and variances among them.
    pub fn parameters(&self) -> u64 {
        self.nodes.iter().map(Node::parameters).sum()
    }

    /// The position of a layer whose map can be asked for: every one behind a convolution. The images themselves and
    /// the zeros around them are no features.
    pub fn position(&self, layer: &str) -> Result<usize, GraphError> {
        let found = self.nodes.iter().position(|node| node.name == layer);
        found.filter(|&position| self.is_behind_a_convolution(position)).ok_or_else(|| {
            let useful = self.useful_layers().into_iter().map(str::to_owned).collect();
            GraphError::UnknownLayer { found: layer.to_owned(), useful }
        })
    }

    /// For each layer, whether the map of the layer at `position` depends on it; itself included.
    pub fn needed(&self, position: usize) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        if let Some(last) = needed.get_mut(position) {
            *last = true;
        }
        for (position, node) in self.nodes.iter().enumerate().rev() {
            if needed[position] {
                for &input in &node.inputs {
                    needed[input] = true;
                }
            }
        }
        needed
    }

    /// The layers that every map passes through, where the work of a block is done: those that are worth naming when
    /// somebody asks for a layer that is not there. Convolutions whose normalisation or activation follows as a layer
    /// of its own are left out.
    pub fn useful_layers(&self) -> Vec<&str> {
        let mut consumers = vec![Vec::new(); self.nodes.len()];
        for (position, node) in self.nodes.iter().enumerate() {
            for &input in &node.inputs {
                consumers[input].push(position);
            }
        }
        let mut useful = Vec::new();
        // The furthest layer that reads any layer before the one at hand: a map that goes on there goes past it.
        let mut furthest = 0;
        for (position, node) in self.nodes.iter().enumerate() {
            let goes_on = |&consumer: &usize| {
                matches!(
                    self.nodes[consumer].operator,
                    Operator::Normalisation { .. } | Operator::Activation(_)
                )
            };
            let is_padding = matches!(node.operator, Operator::ZeroPadding(_));
            let is_inner = consumers[position].len() == 1 && consumers[position].iter().all(goes_on);
            if furthest <= position && !is_padding && !is_inner && self.is_behind_a_convolution(position) {
                useful.push(node.name());
            }
            furthest =
                consumers[position].iter().fold(furthest, |furthest, &consumer| furthest.max(consumer));
        }
        useful
    }

    /// [height, width, channels] of a layer's map for images of `size`.
    pub fn shape(&self, layer: &str, size: ImageSize) -> Result<[usize; 3], GraphError> {
        let position = self.position(layer)?;
        Ok(self.shapes(position, size)?[position])
    }

    /// The shapes of all maps that the layer at `position` depends on; of the other layers they mean nothing.
    pub(crate) fn shapes(&self, position: usize, size: ImageSize) -> Result<Vec<[usize; 3]>, GraphError> {
        let needed = self.needed(position);
        let image = [size.height() as usize, size.width() as usize];
        self.shapes_where(&needed, image).ok_or_else(|| GraphError::TooSmall {
            layer: self.nodes[position].name.clone(),
            least: self.least_side_where(&needed),
            found: size,
        })
    }

    /// The least height and width in pixels at which every map that this layer needs has at least one pixel.
    pub fn least_side(&self, layer: &str) -> Result<usize, GraphError> {
        Ok(self.least_side_where(&self.needed(self.position(layer)?)))
    }

    fn least_side_where(&self, needed: &[bool]) -> usize {
        let most = ImageSize::MOST as usize;
        (1..most).find(|&side| self.shapes_where(needed, [side; 2]).is_some()).unwrap_or(most)
    }

    /// `None` where one of the needed maps would be empty.
    fn shapes_where(&self, needed: &[bool], image: [usize; 2]) -> Option<Vec<[usize; 3]>> {
        let mut shapes: Vec<[usize; 3]> = Vec::with_capacity(self.nodes.len());
        for (node, &needed) in self.nodes.iter().zip(needed) {
            let inputs: Vec<[usize; 3]> = node.inputs.iter().map(|&input| shapes[input]).collect();
            let shape = if needed { node.shape(&inputs, image) } else { [0; 3] };
            if needed && shape.contains(&0) {
                return None;
            }
            shapes.push(shape);
        }
        Some(shapes)
    }

    fn is_behind_a_convolution(&self, position: usize) -> bool {
        let is_convolution = |node: &Node| {
            matches!(node.operator, Operator::Convolution { .. } | Operator::SeparableConvolution { .. })
        };
        self.nodes.iter().zip(self.needed(position)).any(|(node, needed)| needed && is_convolution(node))
    }
}

#[cfg(test)]
mod tests;
