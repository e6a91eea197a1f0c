//! Xception (Chollet 2017, figure 5; Keras `applications/xception.py`).

use std::sync::OnceLock;

use convbase_core::Preprocess;

use crate::architecture::Architecture;
use crate::graph::{Builder, Graph, Window};

pub(crate) static XCEPTION: Architecture = Architecture {
    name: "xception",
    default_layer: "block14_sepconv2_act",
    default_side: 299,
    preprocess: || Preprocess::TensorFlow,
    torchvision_names: None,
    build: xception,
    graph: OnceLock::new(),
};

/// Of every normalisation (Keras' default).
const EPSILON: f64 = 1e-3;
const SAME3: Window = Window::square(3).same();

fn xception() -> Graph {
    let mut graph = Builder::new();
    let stem = [("block1_conv1", 32, Window::square(3).stride(2)), ("block1_conv2", 64, Window::square(3))];
    let mut map = Builder::INPUT;
    for (name, outputs, window) in stem {
        map = graph.convolution(name, map, outputs, window);
        map = graph.normalisation(format!("{name}_bn"), map, EPSILON);
        map = graph.relu(format!("{name}_act"), map);
    }
    for (number, (block, outputs)) in [(2, 128), (3, 256), (4, 728)].into_iter().enumerate() {
        // The first block begins behind a ReLU and has none of its own.
        map = halving(&mut graph, block, number, map, [outputs, outputs], block > 2);
    }
    for block in 5..=12 {
        map = middle(&mut graph, block, map);
    }
    map = halving(&mut graph, 13, 3, map, [728, 1024], true);
    for (step, outputs) in [(1, 1536), (2, 2048)] {
        let name = format!("block14_sepconv{step}");
        map = separable(&mut graph, &name, map, outputs);
        map = graph.relu(format!("{name}_act"), map);
    }
    graph.finish(map)
}

/// Two separable convolutions and a pooling that halves, with a strided convolution past them.
fn halving(
    graph: &mut Builder,
    block: usize,
    number: usize,
    from: usize,
    outputs: [usize; 2],
    begins_with_relu: bool,
) -> usize {
    // Keras gives these layers numbers, and adds are counted on through the middle blocks.
    let suffix = if number == 0 { String::new() } else { format!("_{number}") };
    let window = Window::square(1).stride(2).same();
    let residual = graph.convolution(format!("conv2d{suffix}"), from, outputs[1], window);
    let residual = graph.normalisation(format!("batch_normalization{suffix}"), residual, EPSILON);
    let mut map = from;
    for (step, outputs) in (1..).zip(outputs) {
        let name = format!("block{block}_sepconv{step}");
        if step > 1 || begins_with_relu {
            map = graph.relu(format!("{name}_act"), map);
        }
        map = separable(graph, &name, map, outputs);
    }
    let map = graph.max_pool(format!("block{block}_pool"), map, Window::square(3).stride(2).same());
    graph.add(add_name(block), [map, residual])
}

/// Three separable convolutions of 728 channels with a way past them.
fn middle(graph: &mut Builder, block: usize, from: usize) -> usize {
    let mut map = from;
    for step in 1..=3 {
        let name = format!("block{block}_sepconv{step}");
        map = graph.relu(format!("{name}_act"), map);
        map = separable(graph, &name, map, 728);
    }
    graph.add(add_name(block), [map, from])
}

fn separable(graph: &mut Builder, name: &str, from: usize, outputs: usize) -> usize {
    let map = graph.separable(name, from, outputs, SAME3);
    graph.normalisation(format!("{name}_bn"), map, EPSILON)
}

/// Blocks 2 to 13 end with one each.
fn add_name(block: usize) -> String {
    if block == 2 { "add".to_owned() } else { format!("add_{}", block - 2) }
}
