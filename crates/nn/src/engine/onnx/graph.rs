//! Walks over an ONNX graph: what its nodes read and make, and that they stand in order.

use std::collections::HashSet;

use tract_onnx::pb::{GraphProto, NodeProto};

use super::error::OnnxProblem;

/// The tensors that a node reads, those that its inner graphs (of `If`, `Loop`, `Scan`) take from outside included.
pub(super) fn reads(node: &NodeProto) -> Vec<&str> {
    let mut names: Vec<&str> = given(&node.input).collect();
    for inner in inner_graphs(node) {
        let mut own: HashSet<&str> = inner.input.iter().map(|input| input.name.as_str()).collect();
        own.extend(inner.initializer.iter().map(|tensor| tensor.name.as_str()));
        own.extend(inner.node.iter().flat_map(makes));
        let results = inner.output.iter().map(|output| output.name.as_str());
        names.extend(inner.node.iter().flat_map(reads).chain(results).filter(|name| !own.contains(name)));
    }
    names
}

/// The tensors that a node makes.
pub(super) fn makes(node: &NodeProto) -> impl Iterator<Item = &str> {
    given(&node.output)
}

/// The graphs inside a node.
pub(super) fn inner_graphs(node: &NodeProto) -> impl Iterator<Item = &GraphProto> {
    node.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}

/// A node's name and operator, as messages show it. Exporters may leave the name out; then its output tells it.
pub(super) fn title(node: &NodeProto) -> String {
    let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    format!("`{}` ({})", name.map_or("", String::as_str), node.op_type)
}

/// A number of a node's attribute.
pub(super) fn integer(node: &NodeProto, name: &str) -> Option<i64> {
    node.attribute.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.i)
}

/// A list of a node's attribute; empty where it has none of that name.
pub(super) fn integers<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    let found = node.attribute.iter().find(|attribute| attribute.name == name);
    found.map_or(&[], |attribute| &attribute.ints)
}

/// Checks that there are nodes and an output, and that each tensor is made once and before it is read, as the standard
/// asks and as walks from a layer back to the image rely on.
pub(super) fn check(graph: &GraphProto) -> Result<(), OnnxProblem> {
    if graph.node.is_empty() || graph.output.is_empty() {
        return Err(OnnxProblem::NoGraph);
    }
    let inputs = graph.input.iter().map(|input| input.name.as_str());
    let mut made: HashSet<&str> =
        inputs.chain(graph.initializer.iter().map(|tensor| tensor.name.as_str())).collect();
    for node in &graph.node {
        let wrong = |tensor: &str| OnnxProblem::Order { node: title(node), tensor: tensor.to_owned() };
        if let Some(tensor) = reads(node).into_iter().find(|name| !made.contains(name)) {
            return Err(wrong(tensor));
        }
        for tensor in makes(node) {
            if !made.insert(tensor) {
                return Err(wrong(tensor));
            }
        }
    }
    match graph.output.iter().find(|output| !made.contains(output.name.as_str())) {
        Some(output) => Err(OnnxProblem::Order { node: "output".into(), tensor: output.name.clone() }),
        None => Ok(()),
    }
}

/// Optional inputs and outputs that are left out have an empty name.
fn given(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().map(String::as_str).filter(|name| !name.is_empty())
}
