//! The steps of a base as ONNX nodes.

use convbase_bases::{Activation, Convolution, Operation, Padding, Pool, Step};
use tract_onnx::pb::AttributeProto;

use super::graph::{GraphBuilder, integer, integers};

/// Adds steps that go on from the map `input` [n, channels, height, width], and gives the name of the last one's map.
pub(super) fn append(graph: &mut GraphBuilder, steps: Vec<Step>, input: String) -> String {
    let mut inner = is_inner(&steps).into_iter();
    let mut values = vec![input];
    for step in steps {
        let inputs: Vec<&str> =
            step.inputs.iter().filter_map(|&input| values.get(input)).map(String::as_str).collect();
        // The layer's name is that of its map; a step in the middle of a layer has another.
        let name =
            if inner.next() == Some(true) { format!("{}.inner", step.layer) } else { step.layer.clone() };
        let value = node(graph, step.operation, &name, &inputs); // [n, channels, height, width]
        values.push(value);
    }
    values.pop().unwrap_or_default()
}

/// For each step, whether a later one belongs to the same layer, as in a separable convolution.
fn is_inner(steps: &[Step]) -> Vec<bool> {
    let followed = |(index, step): (usize, &Step)| {
        steps.iter().skip(index.saturating_add(1)).any(|later| later.layer == step.layer)
    };
    steps.iter().enumerate().map(followed).collect()
}

fn node(graph: &mut GraphBuilder, operation: Operation, name: &str, inputs: &[&str]) -> String {
    let first = inputs.first().copied().unwrap_or_default();
    match operation {
        Operation::Convolution(convolution) => convolved(graph, &convolution, name, first),
        Operation::MaxPool(pool) => graph.node("MaxPool", name, [first], window(&pool)),
        // Without `count_include_pad` what lies outside the map is not counted.
        Operation::AveragePool(pool) => graph.node("AveragePool", name, [first], window(&pool)),
        Operation::Pad { padding: Padding { top, bottom, left, right } } => {
            let sides = [0, 0, top, left, 0, 0, bottom, right].map(|side| side as i64);
            let sides = graph.integers(&format!("{name}.pads"), &sides);
            graph.node("Pad", name, [first, &sides], Vec::new())
        }
        Operation::Add { activation } => summed(graph, activation, name, inputs),
        Operation::Concatenate => graph.concatenation(name, inputs, 1),
        Operation::Activation(activation) => activated(graph, activation, name, first),
        Operation::Affine { scale, shift } => {
            let channels = [scale.len(), 1, 1];
            let scale = graph.floats(&format!("{name}.scale"), &channels, &scale);
            let shift = graph.floats(&format!("{name}.shift"), &channels, &shift);
            let scaled = graph.node("Mul", &format!("{name}.scaled"), [first, &scale], Vec::new());
            graph.node("Add", name, [&scaled, &shift], Vec::new())
        }
    }
}

fn convolved(graph: &mut GraphBuilder, convolution: &Convolution, name: &str, input: &str) -> String {
    let Convolution { weight, bias, inputs, outputs, groups, kernel, stride, padding, activation } =
        convolution;
    let [height, width] = *kernel;
    let shape = [*outputs, inputs.checked_div(*groups).unwrap_or(0), height, width];
    let weight = graph.floats(&format!("{name}.weight"), &shape, weight);
    let bias = graph.floats(&format!("{name}.bias"), &[*outputs], bias);
    let mut attributes = moved(*kernel, *stride, *padding);
    attributes.push(integer("group", *groups as i64));
    if *activation == Activation::None {
        return graph.node("Conv", name, [input, &weight, &bias], attributes);
    }
    let sums = graph.node("Conv", &format!("{name}.sums"), [input, &weight, &bias], attributes);
    activated(graph, *activation, name, &sums)
}

fn summed(graph: &mut GraphBuilder, activation: Activation, name: &str, inputs: &[&str]) -> String {
    let (first, others) = inputs.split_first().map_or(("", &[][..]), |(first, others)| (*first, others));
    let mut sum = first.to_owned();
    for (index, other) in others.iter().enumerate() {
        let is_last = index.saturating_add(1) == others.len();
        let is_map = is_last && activation == Activation::None;
        let shown = if is_map { name.to_owned() } else { format!("{name}.sum") };
        sum = graph.node("Add", &shown, [&sum, other], Vec::new());
    }
    if activation == Activation::None { sum } else { activated(graph, activation, name, &sum) }
}

fn activated(graph: &mut GraphBuilder, activation: Activation, name: &str, input: &str) -> String {
    match activation {
        Activation::None => input.to_owned(),
        Activation::Relu => graph.node("Relu", name, [input], Vec::new()),
        Activation::Relu6 => {
            let least = graph.floats(&format!("{name}.least"), &[], &[0.0]);
            let most = graph.floats(&format!("{name}.most"), &[], &[6.0]);
            graph.node("Clip", name, [input, &least, &most], Vec::new())
        }
    }
}

fn window(pool: &Pool) -> Vec<AttributeProto> {
    moved(pool.kernel, pool.stride, pool.padding)
}

/// How a window goes over a map.
fn moved(kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Vec<AttributeProto> {
    let Padding { top, bottom, left, right } = padding;
    vec![
        integers("kernel_shape", kernel),
        integers("strides", stride),
        integers("pads", [top, left, bottom, right]),
    ]
}
