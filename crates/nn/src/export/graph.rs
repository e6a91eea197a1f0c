//! An ONNX graph in the making.

use std::collections::HashSet;

use pulp::bytemuck::cast_slice;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};

/// Nodes in an order in which they can be computed, and their weights. No two values have one name.
#[derive(Debug, Default)]
pub(super) struct GraphBuilder {
    nodes: Vec<NodeProto>,
    weights: Vec<TensorProto>,
    names: HashSet<String>,
}

impl GraphBuilder {
    /// A graph in which these names are taken: those of its inputs and outputs.
    pub(super) fn new<const N: usize>(taken: [&str; N]) -> Self {
        Self { names: taken.map(str::to_owned).into(), ..Self::default() }
    }

    /// Adds a node and gives the name of what it makes: `name`, or one like it where that is taken.
    pub(super) fn node<const N: usize>(
        &mut self,
        operator: &str,
        name: &str,
        inputs: [&str; N],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let output = self.unique(name);
        self.push(operator, output.clone(), &inputs, attributes);
        output
    }

    /// Adds the node whose output the graph was begun with.
    pub(super) fn last_node(
        &mut self,
        operator: &str,
        output: &str,
        input: &str,
        attributes: Vec<AttributeProto>,
    ) {
        self.push(operator, output.to_owned(), &[input], attributes);
    }

    /// Concatenates values along an axis.
    pub(super) fn concatenation(&mut self, name: &str, inputs: &[&str], axis: i64) -> String {
        let output = self.unique(name);
        self.push("Concat", output.clone(), inputs, vec![integer("axis", axis)]);
        output
    }

    /// Adds float32 numbers in C order, and gives their name.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], numbers: &[f32]) -> String {
        // The supported processors are little-endian, as ONNX's raw data is.
        self.tensor(name, shape, DataType::Float, cast_slice(numbers))
    }

    /// Adds a list of int64, and gives its name.
    pub(super) fn integers(&mut self, name: &str, numbers: &[i64]) -> String {
        self.tensor(name, &[numbers.len()], DataType::Int64, cast_slice(numbers))
    }

    /// The graph of one input and one output, which are as they were taken.
    pub(super) fn finish(self, name: &str, input: ValueInfoProto, output: ValueInfoProto) -> GraphProto {
        GraphProto {
            node: self.nodes,
            name: name.to_owned(),
            initializer: self.weights,
            input: vec![input],
            output: vec![output],
            ..GraphProto::default()
        }
    }

    fn push(&mut self, operator: &str, output: String, inputs: &[&str], attribute: Vec<AttributeProto>) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            name: output.clone(),
            output: vec![output],
            op_type: operator.to_owned(),
            attribute,
            ..NodeProto::default()
        });
    }

    fn tensor(&mut self, name: &str, shape: &[usize], data_type: DataType, bytes: &[u8]) -> String {
        let name = self.unique(name);
        self.weights.push(TensorProto {
            dims: shape.iter().map(|&side| side as i64).collect(),
            data_type: data_type as i32,
            name: name.clone(),
            raw_data: bytes.to_vec(),
            ..TensorProto::default()
        });
        name
    }

    /// Layers of a fine-tuned checkpoint are named by its file, which may say anything.
    fn unique(&mut self, name: &str) -> String {
        let shown: String = name.chars().map(|sign| if sign.is_control() { '_' } else { sign }).collect();
        let shown = if shown.is_empty() { "layer".to_owned() } else { shown };
        let others = (1_usize..).map(|number| format!("{shown}.{number}"));
        let free = std::iter::once(shown.clone()).chain(others).find(|name| !self.names.contains(name));
        let free = free.unwrap_or(shown);
        self.names.insert(free.clone());
        free
    }
}

/// A number of a node.
pub(super) fn integer(name: &str, number: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i: number,
        ..AttributeProto::default()
    }
}

/// Numbers of a node.
pub(super) fn integers<const N: usize>(name: &str, numbers: [usize; N]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints as i32,
        ints: numbers.map(|number| number as i64).into(),
        ..AttributeProto::default()
    }
}
