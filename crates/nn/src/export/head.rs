//! A head as ONNX nodes: from a map or a row of features to the logits.

use convbase_core::Pooling;

use super::error::ExportError;
use super::graph::{GraphBuilder, integer, integers};
use super::layers;
use crate::head::{Layer, Parameters};
use crate::tensor_file::FloatTensor;
use crate::{Activation, HeadShape, MapPooling, Preparation};

/// What stands in the graph so far.
pub(super) struct Features {
    /// The value: a map [n, channels, height, width], or a row [n, channels].
    pub(super) value: String,
    /// [height, width, channels], or `[channels]`.
    pub(super) shape: Vec<usize>,
    /// The layer of the base.
    pub(super) layer: String,
}

impl Features {
    /// One number for each channel, where that is asked for.
    pub(super) fn pooled(self, graph: &mut GraphBuilder, pooling: Pooling) -> Self {
        let (operator, [_, _, channels]) = match (pooling, self.shape.as_slice()) {
            (Pooling::Average, &[height, width, channels]) => {
                ("GlobalAveragePool", [height, width, channels])
            }
            (Pooling::Maximum, &[height, width, channels]) => ("GlobalMaxPool", [height, width, channels]),
            _ => return self,
        };
        let map = graph.node(operator, "pooled.map", [&self.value], Vec::new()); // [n, channels, 1, 1]
        let value = graph.node("Flatten", "pooled", [&map], vec![integer("axis", 1)]); // [n, channels]
        Self { value, shape: vec![channels], layer: self.layer }
    }

    /// The row [n, length] in the order of the store: channels last.
    fn row(self, graph: &mut GraphBuilder) -> String {
        if self.shape.len() == 1 {
            return self.value;
        }
        let order = vec![integers("perm", [0, 2, 3, 1])];
        let map = graph.node("Transpose", "features.map", [&self.value], order); // [n, height, width, channels]
        graph.node("Flatten", "features", [&map], vec![integer("axis", 1)])
    }

    fn check(&self, part: &'static str, expected: &[usize]) -> Result<(), ExportError> {
        if self.shape == expected {
            return Ok(());
        }
        let (expected, found) = (expected.to_vec(), self.shape.clone());
        Err(ExportError::Shape { part, expected, found, layer: self.layer.clone() })
    }
}

/// Adds a head, and gives the name of its logits [n, outputs].
pub(super) fn append(
    graph: &mut GraphBuilder,
    head: &HeadShape,
    parameters: Parameters<FloatTensor>,
    mut features: Features,
) -> Result<String, ExportError> {
    let Parameters { tail: layers, hidden, output } = parameters;
    if let Some(tail) = &head.input.tail {
        features.check("fine-tuned layers", &tail.map())?;
        let steps = tail.with_numbers(layers);
        let (layer, shape) =
            steps.last().map(|step| (step.layer.clone(), step.shape.to_vec())).unwrap_or_default();
        let value = layers::append(graph, steps, features.value);
        features = Features { value, shape, layer };
    }
    let length = features.shape.iter().product::<usize>();
    let entering = head.input.preparation.as_ref().map_or(head.features, Preparation::inputs);
    if length != entering {
        features.check("head", &[entering])?;
    }
    let mut row = features.row(graph); // [n, length]
    if let Some(preparation) = &head.input.preparation {
        row = prepared(graph, preparation, row); // [n, width]
    }
    if let Some(layer) = hidden {
        row = dense(graph, "dense", layer, &row); // [n, hidden]
        if head.activation == Activation::Relu {
            row = graph.node("Relu", "dense.relu", [&row], Vec::new());
        }
    }
    Ok(dense(graph, "output", output, &row))
}

/// Row times weight [units, inputs], transposed, and bias.
fn dense(graph: &mut GraphBuilder, name: &str, layer: Layer<FloatTensor>, row: &str) -> String {
    let Layer { weight, bias } = layer;
    let weight = graph.floats(&format!("{name}.weight"), &weight.size, &weight.numbers);
    let bias = graph.floats(&format!("{name}.bias"), &bias.size, &bias.numbers);
    graph.node("Gemm", name, [row, &weight, &bias], vec![integer("transB", 1)])
}

/// What [`Preparation::prepare`] does.
fn prepared(graph: &mut GraphBuilder, preparation: &Preparation, row: String) -> String {
    let Preparation { pooling, unit_length, positions, channels } = *preparation;
    let mut row = row;
    if pooling != MapPooling::None {
        let shape = graph.integers("positions.shape", &[-1, positions as i64, channels as i64]);
        let map = graph.node("Reshape", "positions", [&row, &shape], Vec::new()); // [n, positions, channels]
        let mut over = |operator: &str, name: &str| {
            let attributes = vec![integers("axes", [1]), integer("keepdims", 0)];
            graph.node(operator, name, [&map], attributes) // [n, channels]
        };
        row = match pooling {
            MapPooling::None | MapPooling::Average => over("ReduceMean", "means"),
            MapPooling::Maximum => over("ReduceMax", "maxima"),
            MapPooling::AverageAndMaximum => {
                let (means, maxima) = (over("ReduceMean", "means"), over("ReduceMax", "maxima"));
                graph.concatenation("means.and.maxima", &[&means, &maxima], 1) // [n, 2 · channels]
            }
        };
    }
    if !unit_length {
        return row;
    }
    let attributes = vec![integers("axes", [1]), integer("keepdims", 1)];
    let length = graph.node("ReduceL2", "length", [&row], attributes); // [n, 1]
    // A row of zeros stays one.
    let least = graph.floats("length.least", &[], &[f32::MIN_POSITIVE]);
    let length = graph.node("Max", "length.above.zero", [&length, &least], Vec::new());
    graph.node("Div", "unit.length", [&row, &length], Vec::new())
}
