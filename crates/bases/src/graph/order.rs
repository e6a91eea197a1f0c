//! The order in which Keras lists a model's layers.

use std::cmp::Reverse;

use super::node::Node;

/// Positions of the nodes that `output` needs, as Keras' `model.layers` orders them (`keras/src/ops/function.py`,
/// `map_graph`): by the longest way to the output, the furthest first; among equals by when a walk back from the
/// output, first inputs first, meets them.
pub(super) fn keras_order(nodes: &[Node], output: usize) -> Vec<usize> {
    let mut met: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut order = Vec::new();
    let mut pending = vec![output];
    while let Some(position) = pending.pop() {
        if met[position].is_none() {
            met[position] = Some(order.len());
            order.push(position);
            pending.extend(nodes[position].inputs.iter().rev());
        }
    }
    // Every layer was added behind its inputs, so that backwards each depth is final when it is handed on.
    let mut depth = vec![0; nodes.len()];
    for position in (0..nodes.len()).rev().filter(|&position| met[position].is_some()) {
        for &input in &nodes[position].inputs {
            depth[input] = depth[input].max(depth[position] + 1);
        }
    }
    order.sort_by_key(|&position| (Reverse(depth[position]), met[position]));
    order
}
