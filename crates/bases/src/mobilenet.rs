//! MobileNet of width 1 (Howard et al. 2017, table 1; Keras `applications/mobilenet.py`).

use std::sync::OnceLock;

use convbase_core::Preprocess;

use crate::architecture::Architecture;
use crate::graph::{Builder, Graph, Padding, Window};

pub(crate) static MOBILENET: Architecture = Architecture {
    name: "mobilenet",
    default_layer: "conv_pw_13_relu",
    default_side: 224,
    preprocess: || Preprocess::TensorFlow,
    torchvision_names: None,
    build: mobilenet,
    graph: OnceLock::new(),
};

/// Of every normalisation (Keras' default).
const EPSILON: f64 = 1e-3;
/// Output channels and stride of each block.
const BLOCKS: [(usize, usize); 13] = [
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
];

fn mobilenet() -> Graph {
    let mut graph = Builder::new();
    let map = graph.convolution("conv1", Builder::INPUT, 32, Window::square(3).stride(2).same());
    let mut map = normalised(&mut graph, "conv1", map);
    for (block, (outputs, stride)) in (1..).zip(BLOCKS) {
        let window = if stride == 1 {
            Window::square(3).same()
        } else {
            // Below and at the right whatever the size, where "same" would depend on it.
            let padding = Padding { bottom: 1, right: 1, ..Padding::default() };
            map = graph.zero_padding(format!("conv_pad_{block}"), map, padding);
            Window::square(3).stride(stride)
        };
        let name = format!("conv_dw_{block}");
        map = graph.depthwise(name.as_str(), map, window);
        map = normalised(&mut graph, &name, map);
        let name = format!("conv_pw_{block}");
        map = graph.convolution(name.as_str(), map, outputs, Window::square(1).same());
        map = normalised(&mut graph, &name, map);
    }
    graph.finish(map)
}

fn normalised(graph: &mut Builder, name: &str, from: usize) -> usize {
    let map = graph.normalisation(format!("{name}_bn"), from, EPSILON);
    graph.relu6(format!("{name}_relu"), map)
}
