//! EfficientNet-Lite0: EfficientNet-B0 (Tan and Le 2019, table 1) without squeeze-and-excitation, with ReLU6 in place of
//! swish (TensorFlow's `efficientnet/lite/efficientnet_lite_builder.py`). Layers are named as Keras names those of
//! EfficientNet (`applications/efficientnet.py`).

use std::sync::OnceLock;

use convbase_core::Preprocess;

use crate::architecture::Architecture;
use crate::graph::{Builder, Graph, Window};

pub(crate) static EFFICIENTNET_LITE0: Architecture = Architecture {
    name: "efficientnet_lite0",
    default_layer: "head_relu",
    default_side: 224,
    preprocess,
    torchvision_names: None,
    build: efficientnet_lite0,
    graph: OnceLock::new(),
};

/// Of every normalisation.
const EPSILON: f64 = 1e-3;

/// Blocks of one kind, one behind the other.
struct Stage {
    blocks: u8,
    kernel: usize,
    /// Of the first block; the others keep the size.
    stride: usize,
    /// How many times as many channels there are inside a block.
    expansion: usize,
    outputs: usize,
}

const STAGES: [Stage; 7] = [
    Stage { blocks: 1, kernel: 3, stride: 1, expansion: 1, outputs: 16 },
    Stage { blocks: 2, kernel: 3, stride: 2, expansion: 6, outputs: 24 },
    Stage { blocks: 2, kernel: 5, stride: 2, expansion: 6, outputs: 40 },
    Stage { blocks: 3, kernel: 3, stride: 2, expansion: 6, outputs: 80 },
    Stage { blocks: 3, kernel: 5, stride: 1, expansion: 6, outputs: 112 },
    Stage { blocks: 4, kernel: 5, stride: 2, expansion: 6, outputs: 192 },
    Stage { blocks: 1, kernel: 3, stride: 1, expansion: 6, outputs: 320 },
];

/// `MEAN_RGB` and `STDDEV_RGB` of TensorFlow's `efficientnet_lite_builder.py`.
fn preprocess() -> Preprocess {
    Preprocess::affine([127.0; 3], [128.0; 3]).expect("finite, and deviations above 0")
}

fn efficientnet_lite0() -> Graph {
    let mut graph = Builder::new();
    let map = graph.convolution("stem_conv", Builder::INPUT, 32, Window::square(3).stride(2).same());
    let map = graph.normalisation("stem_bn", map, EPSILON);
    let mut map = graph.relu6("stem_relu", map);
    for (number, stage) in (1..).zip(&STAGES) {
        for block in 0..stage.blocks {
            let stride = if block == 0 { stage.stride } else { 1 };
            let name = format!("block{number}{}", char::from(b'a' + block));
            map = inverted_residual(&mut graph, &name, map, stage, stride);
        }
    }
    let map = graph.convolution("head_conv", map, 1280, Window::square(1).same());
    let map = graph.normalisation("head_bn", map, EPSILON);
    let map = graph.relu6("head_relu", map);
    graph.finish(map)
}

/// Wider, filtered channel by channel, narrow again (Sandler et al. 2018); the input is added where it has the same
/// shape.
fn inverted_residual(graph: &mut Builder, name: &str, from: usize, stage: &Stage, stride: usize) -> usize {
    let inputs = graph.channels(from);
    let one = Window::square(1).same();
    let mut map = from;
    if stage.expansion > 1 {
        map = graph.convolution(format!("{name}_expand_conv"), map, inputs * stage.expansion, one);
        map = graph.normalisation(format!("{name}_expand_bn"), map, EPSILON);
        map = graph.relu6(format!("{name}_expand_relu"), map);
    }
    map = graph.depthwise(format!("{name}_dwconv"), map, Window::square(stage.kernel).stride(stride).same());
    map = graph.normalisation(format!("{name}_bn"), map, EPSILON);
    map = graph.relu6(format!("{name}_relu"), map);
    map = graph.convolution(format!("{name}_project_conv"), map, stage.outputs, one);
    map = graph.normalisation(format!("{name}_project_bn"), map, EPSILON);
    if stride == 1 && inputs == stage.outputs {
        map = graph.add(format!("{name}_add"), [map, from]);
    }
    map
}
