//! Whole numbers in a graph that decide how long it computes and how much memory it takes.

use tract_onnx::pb::{GraphProto, NodeProto};

use super::error::OnnxProblem;
use super::graph::{inner_graphs, integer, title};

/// Axes of a tensor; tract counts to an axis without asking whether the tensor has it.
const AXES: i64 = 16;
/// Pixels of a kernel, a stride, a border: more than any image has.
const PIXELS: i64 = 1 << 16;

/// Checks that a damaged number makes no node of a graph count for hours.
pub(super) fn check(graph: &GraphProto) -> Result<(), OnnxProblem> {
    for node in &graph.node {
        check_node(node)?;
        check_normalised_axes(graph, node)?;
        inner_graphs(node).try_for_each(check)?;
    }
    Ok(())
}

/// Layer normalisation from an axis on has a weight for each of the axes; a count from the end beyond them leaves the
/// tensor.
fn check_normalised_axes(graph: &GraphProto, node: &NodeProto) -> Result<(), OnnxProblem> {
    if !matches!(node.op_type.as_str(), "LayerNormalization" | "RMSNormalization") {
        return Ok(());
    }
    let scale = graph.initializer.iter().find(|tensor| Some(&tensor.name) == node.input.get(1));
    let most = scale.and_then(|scale| i64::try_from(scale.dims.len()).ok()).unwrap_or(1);
    match integer(node, "axis").filter(|&axis| axis < most.saturating_neg()) {
        Some(found) => {
            Err(OnnxProblem::Attribute { node: title(node), attribute: "axis".into(), most, found })
        }
        None => Ok(()),
    }
}

fn check_node(node: &NodeProto) -> Result<(), OnnxProblem> {
    for attribute in &node.attribute {
        let most = match attribute.name.as_str() {
            "axes" | "axis" | "batch_axis" | "batch_dims" | "end" | "perm" | "start" | "time_axis" => AXES,
            "blocksize" | "dilations" | "group" | "kernel_shape" | "num_outputs" | "output_padding"
            | "output_shape" | "pads" | "size" | "strides" => PIXELS,
            _ => continue,
        };
        let numbers = std::iter::once(&attribute.i).chain(&attribute.ints);
        if let Some(&found) =
            numbers.into_iter().find(|number| !(most.saturating_neg()..=most).contains(number))
        {
            let (node, attribute) = (title(node), attribute.name.clone());
            return Err(OnnxProblem::Attribute { node, attribute, most, found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::AttributeProto;

    #[test]
    fn numbers_beyond_any_image_are_refused() {
        let error = |name: &str, numbers: &[i64]| {
            let attribute =
                AttributeProto { name: name.into(), ints: numbers.to_vec(), ..AttributeProto::default() };
            let node = NodeProto {
                op_type: "Conv".into(),
                output: vec!["y".into()],
                attribute: vec![attribute],
                ..NodeProto::default()
            };
            check(&GraphProto { node: vec![node], ..GraphProto::default() })
                .err()
                .map(|problem| problem.to_string())
        };
        assert_eq!(error("pads", &[0, 1, -1, 7]), None);
        assert_eq!(error("axis", &[-1]), None);
        let expected = "node `y` (Conv): expected pads from -65536 to 65536, found 9223372036854775807";
        assert_eq!(error("pads", &[0, i64::MAX]).as_deref(), Some(expected));
        assert!(error("axis", &[i64::MIN]).is_some());
    }
}
