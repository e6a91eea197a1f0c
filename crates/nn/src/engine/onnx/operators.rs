//! Whether tract knows the operators of a graph.

use std::collections::BTreeMap;

use tract_onnx::pb::NodeProto;

use super::graph::{inner_graphs, title};

/// Operators whose results are drawn: features would differ from run to run.
const DRAWN: [&str; 6] =
    ["Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"];

/// Each operator that cannot be computed, sorted by name, with the first node of that kind.
pub(super) fn unknown<'a>(nodes: impl Iterator<Item = &'a NodeProto>) -> Vec<String> {
    let engine = tract_onnx::onnx();
    let mut found = BTreeMap::new();
    collect(nodes, &|operator| engine.op_register.0.contains_key(operator), &mut found);
    found.into_values().collect()
}

fn collect<'a>(
    nodes: impl Iterator<Item = &'a NodeProto>,
    is_registered: &dyn Fn(&str) -> bool,
    found: &mut BTreeMap<(String, String), String>,
) {
    for node in nodes {
        let operator = node.op_type.as_str();
        // tract looks at the name alone. Somebody's own operator may mean something else under a standard name.
        let is_standard = matches!(node.domain.as_str(), "" | "ai.onnx" | "ai.onnx.ml" | "com.microsoft");
        let title = match (DRAWN.contains(&operator), is_standard) {
            (true, _) => format!("{}, whose results are drawn", title(node)),
            (false, true) => title(node),
            (false, false) => format!("{} of `{}`", title(node), node.domain),
        };
        if DRAWN.contains(&operator) || !is_standard || !is_registered(operator) {
            found.entry((operator.to_owned(), node.domain.clone())).or_insert(title);
        }
        inner_graphs(node).for_each(|graph| collect(graph.node.iter(), is_registered, found));
    }
}
