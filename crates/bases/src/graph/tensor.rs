//! The tensors of a layer, as Keras names and shapes them.

use super::node::{Node, Operator};

/// A tensor of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    name: String,
    shape: Vec<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// [height, width, in / groups, out]
    Kernel,
    /// [height, width, channels, 1]
    DepthwiseKernel,
    /// `[channels]`
    Vector,
}

impl Tensor {
    /// `layer/variable`, as Keras names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The variable alone: `kernel`, `bias`, `gamma` …
    pub fn variable(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// Keras' shape: kernels [height, width, in / groups, out], of depthwise convolutions [height, width, channels, 1],
    /// vectors `[channels]`.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The shape that engines and the digest take: kernels [out, in / groups, height, width], of depthwise convolutions
    /// [channels, 1, height, width].
    pub fn canonical_shape(&self) -> Vec<usize> {
        match (self.kind, self.shape.as_slice()) {
            (Kind::Kernel, &[height, width, inputs, outputs]) => vec![outputs, inputs, height, width],
            (Kind::DepthwiseKernel, &[height, width, channels, one]) => vec![channels, one, height, width],
            _ => self.shape.clone(),
        }
    }

    /// How many numbers it holds.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// [height · width, in, out] of the kernel as it lies in Keras' order, where a depthwise kernel counts as one of a
    /// single input; `None` for vectors, whose order is the same everywhere.
    pub(crate) fn taps(&self) -> Option<[usize; 3]> {
        match (self.kind, self.shape.as_slice()) {
            (Kind::Kernel, &[height, width, inputs, outputs]) => Some([height * width, inputs, outputs]),
            (Kind::DepthwiseKernel, &[height, width, channels, one]) => Some([height * width, one, channels]),
            _ => None,
        }
    }
}

/// The tensors of a node in Keras' order (`layer.variables`).
pub(super) fn tensors(node: &Node) -> Vec<Tensor> {
    let (inputs, outputs) = (node.input_channels, node.channels);
    let tensor = |variable: &str, shape: &[usize], kind| Tensor {
        name: format!("{}/{variable}", node.name),
        shape: shape.to_vec(),
        kind,
    };
    let vector = |variable| tensor(variable, &[outputs], Kind::Vector);
    match node.operator {
        Operator::Convolution { window, groups, bias, .. } => {
            let [height, width] = window.kernel;
            let kernel = if groups > 1 && groups == inputs {
                tensor("kernel", &[height, width, inputs, 1], Kind::DepthwiseKernel)
            } else {
                tensor("kernel", &[height, width, inputs / groups, outputs], Kind::Kernel)
            };
            std::iter::once(kernel).chain(bias.then(|| vector("bias"))).collect()
        }
        Operator::SeparableConvolution { window } => {
            let [height, width] = window.kernel;
            vec![
                tensor("depthwise_kernel", &[height, width, inputs, 1], Kind::DepthwiseKernel),
                tensor("pointwise_kernel", &[1, 1, inputs, outputs], Kind::Kernel),
            ]
        }
        Operator::Normalisation { gamma, .. } => {
            let gamma = gamma.then_some("gamma");
            gamma.into_iter().chain(["beta", "moving_mean", "moving_variance"]).map(vector).collect()
        }
        Operator::Input
        | Operator::Activation(_)
        | Operator::MaxPool(_)
        | Operator::AveragePool(_)
        | Operator::ZeroPadding(_)
        | Operator::Add
        | Operator::Concatenate => Vec::new(),
    }
}
