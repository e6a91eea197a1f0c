//! Where the channels of inner maps lie, so that they can be stored channels-last.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, NodeProto};

use super::graph::{integer, integers, makes};

/// The place of the channels among four axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// [n, channels, height, width]: PyTorch's, and that of ONNX's convolutions.
    ChannelsFirst,
    /// [n, height, width, channels]: TensorFlow's.
    ChannelsLast,
}

impl Layout {
    fn channel_axis(self) -> usize {
        match self {
            Self::ChannelsFirst => 1,
            Self::ChannelsLast => 3,
        }
    }

    fn at(axis: usize) -> Option<Self> {
        match axis {
            1 => Some(Self::ChannelsFirst),
            3 => Some(Self::ChannelsLast),
            _ => None,
        }
    }
}

/// The layout of a map in a graph whose image input has layout `input`.
///
/// A file with channels in last place holds maps with channels in second place around its convolutions, and networks
/// such as ConvNeXt and Swin the other way round. So the layout is followed from the image on: convolutions and pooling
/// have channels first by ONNX's definition, products with a matrix of weights and layer normalisation have them last,
/// a transposition moves them, what forms new axes forgets them, and other operators keep them. A map whose channels
/// are not known has those of the image input.
pub(super) fn of(graph: &GraphProto, layer: &str, image: &str, input: Layout) -> Layout {
    let matrices: HashSet<&str> = graph
        .initializer
        .iter()
        .filter(|tensor| tensor.dims.len() == 2)
        .map(|tensor| tensor.name.as_str())
        .collect();
    let mut known = HashMap::from([(image, input)]);
    for node in &graph.node {
        if let Some(layout) = after(node, &known, &matrices) {
            known.extend(makes(node).map(|name| (name, layout)));
        }
    }
    known.get(layer).copied().unwrap_or(input)
}

fn after(node: &NodeProto, known: &HashMap<&str, Layout>, matrices: &HashSet<&str>) -> Option<Layout> {
    let before = node.input.iter().find_map(|name| known.get(name.as_str()).copied());
    match node.op_type.as_str() {
        "AveragePool"
        | "BatchNormalization"
        | "Conv"
        | "ConvTranspose"
        | "DepthToSpace"
        | "GlobalAveragePool"
        | "GlobalMaxPool"
        | "GroupNormalization"
        | "InstanceNormalization"
        | "LRN"
        | "MaxPool"
        | "SpaceToDepth" => Some(Layout::ChannelsFirst),
        "MatMul" if node.input.get(1).is_some_and(|name| matrices.contains(name.as_str())) => {
            Some(Layout::ChannelsLast)
        }
        "LayerNormalization" if matches!(integer(node, "axis"), None | Some(-1 | 3)) => {
            Some(Layout::ChannelsLast)
        }
        "Transpose" => {
            let axis = i64::try_from(before?.channel_axis()).ok()?;
            Layout::at(integers(node, "perm").iter().position(|&from| from == axis)?)
        }
        "Einsum" | "Flatten" | "Gather" | "Reshape" | "Squeeze" | "Unsqueeze" => None,
        _ => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::{AttributeProto, TensorProto};

    fn node(input: &[&str], output: &str, operator: &str, perm: &[i64]) -> NodeProto {
        let attribute =
            AttributeProto { name: "perm".into(), ints: perm.to_vec(), ..AttributeProto::default() };
        NodeProto {
            input: input.iter().map(ToString::to_string).collect(),
            output: vec![output.into()],
            op_type: operator.into(),
            attribute: vec![attribute],
            ..NodeProto::default()
        }
    }

    #[test]
    fn channels_are_followed_through_transpositions() {
        let nodes = vec![
            node(&["image"], "turned", "Transpose", &[0, 3, 1, 2]),
            node(&["turned", "w"], "conv", "Conv", &[]),
            node(&["conv"], "relu", "Relu", &[]),
            node(&["relu"], "back", "Transpose", &[0, 2, 3, 1]),
            node(&["back"], "windows", "Reshape", &[]),
            node(&["windows", "relu"], "sum", "Add", &[]),
            node(&["windows", "matrix"], "product", "MatMul", &[]),
        ];
        let matrix = TensorProto { name: "matrix".into(), dims: vec![4, 8], ..TensorProto::default() };
        let graph = GraphProto { node: nodes, initializer: vec![matrix], ..GraphProto::default() };
        let layout = |layer| of(&graph, layer, "image", Layout::ChannelsLast);
        for layer in ["turned", "conv", "relu", "sum"] {
            assert_eq!(layout(layer), Layout::ChannelsFirst, "{layer}");
        }
        for layer in ["back", "windows", "unknown", "product"] {
            assert_eq!(layout(layer), Layout::ChannelsLast, "{layer}");
        }
        let in_first_place = |layer| of(&graph, layer, "image", Layout::ChannelsFirst);
        assert_eq!(in_first_place("windows"), Layout::ChannelsFirst);
        assert_eq!(in_first_place("product"), Layout::ChannelsLast);
    }
}
