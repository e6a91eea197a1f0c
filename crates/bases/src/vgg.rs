//! VGG16 and VGG19 (Simonyan and Zisserman 2015, table 1, configurations D and E; Keras `applications/vgg16.py`,
//! `vgg19.py`).

use std::sync::OnceLock;

use convbase_core::Preprocess;

use crate::architecture::Architecture;
use crate::graph::{Activation, Builder, Graph, Operator, Window};

pub(crate) static VGG16: Architecture = Architecture {
    name: "vgg16",
    default_layer: "block5_pool",
    // The published tutorial's; Keras' own is 224.
    default_side: 180,
    preprocess: || Preprocess::Caffe,
    torchvision_names: Some(torchvision_names),
    build: || vgg([2, 2, 3, 3, 3]),
    graph: OnceLock::new(),
};

pub(crate) static VGG19: Architecture = Architecture {
    name: "vgg19",
    default_layer: "block5_pool",
    default_side: 224,
    preprocess: || Preprocess::Caffe,
    torchvision_names: Some(torchvision_names),
    build: || vgg([2, 2, 4, 4, 4]),
    graph: OnceLock::new(),
};

/// Output channels of each block's convolutions.
const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

fn vgg(convolutions: [usize; 5]) -> Graph {
    let mut graph = Builder::new();
    let mut map = Builder::INPUT;
    for (block, (count, channels)) in (1..).zip(convolutions.into_iter().zip(CHANNELS)) {
        for step in 1..=count {
            let name = format!("block{block}_conv{step}");
            map = graph.biased_convolution(name, map, channels, Window::square(3).same(), Activation::Relu);
        }
        map = graph.max_pool(format!("block{block}_pool"), map, Window::square(2).stride(2));
    }
    graph.finish(map)
}

/// Positions in torchvision's `features`, where every convolution is followed by its ReLU and every pooling counts as
/// well.
fn torchvision_names(graph: &Graph) -> Vec<String> {
    let mut index = 0;
    let mut names = Vec::new();
    for node in graph.nodes() {
        match node.operator() {
            Operator::Convolution { .. } => {
                names.extend(["weight", "bias"].map(|variable| format!("features.{index}.{variable}")));
                index += 2;
            }
            Operator::MaxPool(_) => index += 1,
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn convolutions_stand_where_torchvision_puts_them() {
        let indices = |architecture: &Architecture| -> Vec<usize> {
            let names = architecture.torchvision_names().unwrap();
            assert_eq!(names.len(), architecture.graph().tensors().len());
            names.iter().step_by(2).map(|name| name.split('.').nth(1).unwrap().parse().unwrap()).collect()
        };
        assert_eq!(indices(&VGG16), [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]);
        assert_eq!(indices(&VGG19), [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]);
    }
}
