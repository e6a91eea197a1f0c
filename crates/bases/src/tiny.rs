//! A base of a few thousand parameters that has one of everything: the tests' double. No weights of it were ever
//! trained.

use std::sync::OnceLock;

use convbase_core::Preprocess;

use crate::architecture::Architecture;
use crate::graph::{Activation, Builder, Graph, Window};

pub(crate) static TINY: Architecture = Architecture {
    name: "tiny",
    default_layer: "block3_pool",
    default_side: 32,
    preprocess: || Preprocess::Caffe,
    torchvision_names: None,
    build: tiny,
    graph: OnceLock::new(),
};

const EPSILON: f64 = 1e-3;

fn tiny() -> Graph {
    let mut graph = Builder::new();
    let same3 = Window::square(3).same();
    let map = graph.biased_convolution("block1_conv1", Builder::INPUT, 16, same3, Activation::Relu);
    let map = graph.biased_convolution("block1_conv2", map, 16, same3, Activation::Relu);
    let pooled = graph.max_pool("block1_pool", map, Window::square(2).stride(2));
    let map = graph.depthwise("block2_dwconv", pooled, same3);
    let map = graph.normalisation("block2_bn", map, EPSILON);
    let map = graph.relu6("block2_relu", map);
    let map = graph.convolution("block2_project_conv", map, 16, Window::square(1));
    let map = graph.normalisation("block2_project_bn", map, EPSILON);
    let map = graph.add("block2_add", [map, pooled]);
    let map = graph.convolution("block3_conv", map, 32, same3.stride(2));
    let map = graph.normalisation("block3_bn", map, EPSILON);
    let map = graph.relu("block3_relu", map);
    let map = graph.max_pool("block3_pool", map, Window::square(2).stride(2));
    graph.finish(map)
}
