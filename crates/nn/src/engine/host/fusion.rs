//! Steps of a plan, joined where one operator computes several.

use convbase_bases::{Activation, Convolution, Operation, Padding, Plan};

use super::pool;

/// What one operator computes.
#[derive(Debug)]
pub(super) struct Node<'p> {
    pub(super) kind: Kind<'p>,
    /// Which values enter: 0 is the images, step k of the plan makes value k + 1.
    pub(super) inputs: Vec<usize>,
    /// Which value leaves.
    pub(super) value: usize,
    /// [height, width, channels] of what a convolution makes before its pool, else of what leaves.
    pub(super) shape: [usize; 3],
}

#[derive(Debug)]
pub(super) enum Kind<'p> {
    /// A convolution, to which the second value that enters is added where there is one, then an activation, then where
    /// `halves` the maximum of 2 × 2 with stride 2.
    Convolution {
        convolution: &'p Convolution,
        activation: Activation,
        halves: bool,
    },
    Pool(&'p convbase_bases::Pool, pool::Kind),
    /// The sum of all that enters, times a factor and plus a shift of each channel, then an activation.
    Pointwise {
        padding: Padding,
        affine: Option<(&'p [f32], &'p [f32])>,
        activation: Activation,
    },
    Concatenate,
}

/// The operators of a plan. `pools` tells which convolutions can take the maximum as well.
pub(super) fn nodes(plan: &Plan, pools: impl Fn(&Convolution) -> bool) -> Vec<Node<'_>> {
    let uses = uses(plan);
    let mut nodes: Vec<Node> = Vec::new();
    for (index, step) in plan.steps().iter().enumerate() {
        let (value, shape) = (index + 1, step.shape);
        let only = |input: usize| uses[input] == 1;
        let kind = match &step.operation {
            Operation::Convolution(convolution) => {
                Kind::Convolution { convolution, activation: convolution.activation, halves: false }
            }
            Operation::MaxPool(pool) => {
                let before = nodes.iter_mut().find(|node| node.value == step.inputs[0] && only(node.value));
                if let Some(Node {
                    kind: Kind::Convolution { convolution, halves, .. },
                    inputs,
                    value: own,
                    ..
                }) = before
                    && (pool.kernel, pool.stride) == ([2, 2], [2, 2])
                    && pool.padding.is_empty()
                    && inputs.len() == 1
                    && pools(convolution)
                    && !std::mem::replace(halves, true)
                {
                    *own = value;
                    continue;
                }
                Kind::Pool(pool, pool::Kind::Maximum)
            }
            Operation::AveragePool(pool) => Kind::Pool(pool, pool::Kind::Mean),
            Operation::Pad { padding } => {
                Kind::Pointwise { padding: *padding, affine: None, activation: Activation::None }
            }
            Operation::Add { activation } => {
                if let Some(node) = added(&mut nodes, &step.inputs, &uses, *activation, &pools) {
                    nodes.push(Node { value, ..node });
                    continue;
                }
                Kind::Pointwise { padding: Padding::default(), affine: None, activation: *activation }
            }
            Operation::Concatenate => Kind::Concatenate,
            Operation::Activation(activation) => {
                Kind::Pointwise { padding: Padding::default(), affine: None, activation: *activation }
            }
            Operation::Affine { scale, shift } => Kind::Pointwise {
                padding: Padding::default(),
                affine: Some((scale, shift)),
                activation: Activation::None,
            },
        };
        nodes.push(Node { kind, inputs: step.inputs.clone(), value, shape });
    }
    nodes
}

/// The later convolution of the two whose sum is taken, with the sum in it, if there is one that nobody else reads.
fn added<'p>(
    nodes: &mut Vec<Node<'p>>,
    inputs: &[usize],
    uses: &[usize],
    sum: Activation,
    pools: impl Fn(&Convolution) -> bool,
) -> Option<Node<'p>> {
    let &[first, second] = inputs else { return None };
    let index = nodes.iter().rposition(|node| {
        let is_one = (node.value == first || node.value == second) && first != second;
        let Kind::Convolution { convolution, activation: Activation::None, halves: false } = node.kind else {
            return false;
        };
        is_one
            && uses[node.value] == 1
            && node.inputs.len() == 1
            && convolution.groups == 1
            && !pools(convolution)
    })?;
    let mut node = nodes.remove(index);
    node.inputs.push(if node.value == first { second } else { first });
    if let Kind::Convolution { activation, .. } = &mut node.kind {
        *activation = sum;
    }
    Some(node)
}

/// How many steps read each value, and one more for the last.
fn uses(plan: &Plan) -> Vec<usize> {
    let mut uses = vec![0; plan.steps().len() + 1];
    for input in plan.steps().iter().flat_map(|step| &step.inputs) {
        uses[*input] += 1;
    }
    if let Some(last) = uses.last_mut() {
        *last += 1;
    }
    uses
}
