//! The part of a graph that one tensor needs.

use std::collections::HashSet;

use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto};

use super::graph::{makes, reads};

/// The nodes that a tensor needs, in the graph's order, and the names that they read.
pub(super) struct Part<'a> {
    /// In the graph's order.
    pub(super) nodes: Vec<&'a NodeProto>,
    /// Every tensor that a node of the part reads, and the layer.
    pub(super) names: HashSet<&'a str>,
}

impl<'a> Part<'a> {
    /// The part of `graph` that makes `layer`. Nodes stand behind those that they read from, so one walk from the last
    /// to the first finds them all.
    pub(super) fn of(graph: &'a GraphProto, layer: &'a str) -> Self {
        let mut names = HashSet::from([layer]);
        let mut nodes = Vec::new();
        for node in graph.node.iter().rev() {
            if makes(node).any(|name| names.contains(name)) {
                names.extend(reads(node));
                nodes.push(node);
            }
        }
        nodes.reverse();
        Self { nodes, names }
    }

    /// The inputs that the part reads; constants that old exporters list as inputs are none.
    pub(super) fn inputs(&self, graph: &'a GraphProto) -> impl Iterator<Item = &'a ValueInfoProto> {
        inputs(graph).filter(|input| self.names.contains(input.name.as_str()))
    }

    /// A graph of this part alone, with its constants, `input` and the layer as output.
    pub(super) fn graph(&self, whole: &GraphProto, input: ValueInfoProto, layer: &str) -> GraphProto {
        let constants = whole.initializer.iter().filter(|tensor| self.names.contains(tensor.name.as_str()));
        GraphProto {
            name: whole.name.clone(),
            node: self.nodes.iter().copied().cloned().collect(),
            initializer: constants.cloned().collect(),
            input: vec![input],
            output: vec![ValueInfoProto { name: layer.to_owned(), ..ValueInfoProto::default() }],
            ..GraphProto::default()
        }
    }
}

/// The inputs of a graph that must be given: constants are none.
pub(super) fn inputs(graph: &GraphProto) -> impl Iterator<Item = &ValueInfoProto> {
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    graph.input.iter().filter(move |input| !constants.contains(input.name.as_str()))
}

/// The tensors that follow from `input`, in the graph's order. What is computed from a tensor's shape alone is left
/// out: no features come of it.
pub(super) fn follows_from<'a>(graph: &'a GraphProto, input: &'a str) -> Vec<&'a str> {
    let mut known = HashSet::from([input]);
    let mut names = Vec::new();
    for node in &graph.node {
        let of_shape = matches!(node.op_type.as_str(), "Shape" | "Size");
        if !of_shape && reads(node).into_iter().any(|name| known.contains(name)) {
            for name in makes(node) {
                known.insert(name);
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::TensorProto;

    fn node(input: &[&str], output: &str, operator: &str) -> NodeProto {
        NodeProto {
            input: input.iter().map(ToString::to_string).collect(),
            output: vec![output.into()],
            op_type: operator.into(),
            ..NodeProto::default()
        }
    }

    fn graph() -> GraphProto {
        let value = |name: &str| ValueInfoProto { name: name.into(), ..ValueInfoProto::default() };
        GraphProto {
            input: vec![value("image"), value("ids"), value("w")],
            initializer: vec![TensorProto { name: "w".into(), ..TensorProto::default() }],
            node: vec![
                node(&["image", "w"], "a", "Conv"),
                node(&["a"], "b", "Relu"),
                node(&["a"], "s", "Shape"),
                node(&["b", "ids"], "c", "Add"),
            ],
            output: vec![value("c")],
            ..GraphProto::default()
        }
    }

    #[test]
    fn a_part_holds_what_its_layer_needs_and_no_more() {
        let whole = graph();
        let part = Part::of(&whole, "b");
        let names: Vec<&str> = part.nodes.iter().flat_map(|node| makes(node)).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(part.inputs(&whole).map(|input| input.name.as_str()).collect::<Vec<_>>(), ["image"]);
        let cut = part.graph(&whole, whole.input[0].clone(), "b");
        assert_eq!((cut.node.len(), cut.initializer.len(), cut.input.len()), (2, 1, 1));
        assert_eq!(Part::of(&whole, "c").inputs(&whole).count(), 2);
    }

    #[test]
    fn shapes_do_not_count_as_features() {
        assert_eq!(follows_from(&graph(), "image"), ["a", "b", "c"]);
    }
}
