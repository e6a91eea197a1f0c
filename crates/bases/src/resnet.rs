//! ResNet50 (He et al. 2016; Keras `applications/resnet.py`). Keras' network has its stride in the first 1 × 1
//! convolution of a stage and biases before normalisations; torchvision's is another one.

use std::sync::OnceLock;

use convbase_core::Preprocess;

use crate::architecture::Architecture;
use crate::graph::{Activation, Builder, Graph, Padding, Window};

pub(crate) static RESNET50: Architecture = Architecture {
    name: "resnet50",
    default_layer: "conv5_block3_out",
    default_side: 224,
    preprocess: || Preprocess::Caffe,
    torchvision_names: None,
    build: resnet50,
    graph: OnceLock::new(),
};

/// Of every normalisation.
const EPSILON: f64 = 1.001e-5;
/// Channels inside the blocks of each stage, how many blocks, and the stride of the first (He et al., table 1).
const STAGES: [(usize, usize, usize); 4] = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)];

fn resnet50() -> Graph {
    let mut graph = Builder::new();
    let map = graph.zero_padding("conv1_pad", Builder::INPUT, around(3));
    let map = normalised(&mut graph, "conv1", map, 64, Window::square(7).stride(2));
    let map = graph.relu("conv1_relu", map);
    let map = graph.zero_padding("pool1_pad", map, around(1));
    let mut map = graph.max_pool("pool1_pool", map, Window::square(3).stride(2));
    for (stage, (channels, blocks, stride)) in (2..).zip(STAGES) {
        for block in 1..=blocks {
            let stride = if block == 1 { stride } else { 1 };
            map =
                residual(&mut graph, &format!("conv{stage}_block{block}"), map, channels, stride, block == 1);
        }
    }
    graph.finish(map)
}

/// Three convolutions with a way past them, which itself is a convolution at the beginning of a stage.
fn residual(
    graph: &mut Builder,
    name: &str,
    from: usize,
    channels: usize,
    stride: usize,
    is_first: bool,
) -> usize {
    let strided = Window::square(1).stride(stride);
    let shortcut =
        if is_first { normalised(graph, &format!("{name}_0"), from, 4 * channels, strided) } else { from };
    let map = normalised(graph, &format!("{name}_1"), from, channels, strided);
    let map = graph.relu(format!("{name}_1_relu"), map);
    let map = normalised(graph, &format!("{name}_2"), map, channels, Window::square(3).same());
    let map = graph.relu(format!("{name}_2_relu"), map);
    let map = normalised(graph, &format!("{name}_3"), map, 4 * channels, Window::square(1));
    let map = graph.add(format!("{name}_add"), [shortcut, map]);
    graph.relu(format!("{name}_out"), map)
}

fn normalised(graph: &mut Builder, name: &str, from: usize, outputs: usize, window: Window) -> usize {
    let map = graph.biased_convolution(format!("{name}_conv"), from, outputs, window, Activation::None);
    graph.normalisation(format!("{name}_bn"), map, EPSILON)
}

fn around(pixels: usize) -> Padding {
    Padding { top: pixels, bottom: pixels, left: pixels, right: pixels }
}
