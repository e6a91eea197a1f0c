//! Tensors that a file holds: all in the file, each as long as its shape, and finite where they are weights.

use std::collections::HashSet;

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::error::OnnxProblem;

/// Checks the tensors of a graph and of the graphs inside it.
pub(super) fn check(graph: &GraphProto) -> Result<(), OnnxProblem> {
    if let Some(values) = graph.sparse_initializer.iter().find_map(|sparse| sparse.values.as_ref()) {
        return Err(weight(values, "a dense tensor".into(), "a sparse one".into()));
    }
    let weights: HashSet<&str> = graph.node.iter().flat_map(weights_of).collect();
    for tensor in &graph.initializer {
        check_tensor(tensor)?;
        if weights.contains(tensor.name.as_str()) && !is_finite(tensor) {
            return Err(weight(tensor, "finite numbers".into(), "an infinity or NaN".into()));
        }
    }
    graph.node.iter().flat_map(|node| &node.attribute).try_for_each(check_attribute)
}

fn check_attribute(attribute: &AttributeProto) -> Result<(), OnnxProblem> {
    attribute.t.iter().chain(&attribute.tensors).try_for_each(check_tensor)?;
    attribute.g.iter().chain(&attribute.graphs).try_for_each(check)
}

/// Operators whose constant inputs are trained numbers. Other constants may well be infinite, such as masks.
fn weights_of(node: &NodeProto) -> impl Iterator<Item = &str> {
    let trained = ["BatchNormalization", "Conv", "ConvTranspose", "Gemm", "LayerNormalization", "MatMul"];
    let inputs = trained.contains(&node.op_type.as_str()).then_some(&node.input);
    inputs.into_iter().flatten().map(String::as_str)
}

fn check_tensor(tensor: &TensorProto) -> Result<(), OnnxProblem> {
    if tensor.data_location == Some(DataLocation::External as i32) {
        let location = tensor.external_data.iter().find(|entry| entry.key == "location");
        let location = location.map_or("?", |entry| entry.value.as_str()).to_owned();
        return Err(OnnxProblem::ExternalData { tensor: tensor.name.clone(), location });
    }
    let sides = tensor.dims.iter().map(|&side| usize::try_from(side).ok());
    let Some(count) = sides.into_iter().try_fold(1_usize, |product, side| product.checked_mul(side?)) else {
        return Err(weight(tensor, "a shape".into(), format!("{:?}", tensor.dims)));
    };
    let Some((bytes, typed)) = lengths(tensor) else {
        return Err(weight(tensor, "plain numbers".into(), format!("type {}", tensor.data_type)));
    };
    let (expected, found) = match tensor.raw_data.len() {
        0 => (count.checked_mul(bytes), typed.checked_mul(bytes)),
        raw => (count.checked_mul(bytes), Some(raw)),
    };
    match (expected, found) {
        (Some(expected), Some(found)) if expected == found => Ok(()),
        (Some(expected), Some(found)) => {
            Err(weight(tensor, format!("{expected} bytes for {:?}", tensor.dims), format!("{found}")))
        }
        _ => Err(weight(tensor, "a shape".into(), format!("{:?}", tensor.dims))),
    }
}

/// Bytes of one number, and how many numbers the message holds in its typed fields.
fn lengths(tensor: &TensorProto) -> Option<(usize, usize)> {
    let narrow = tensor.int32_data.len();
    Some(match DataType::try_from(tensor.data_type).ok()? {
        DataType::Float => (4, tensor.float_data.len()),
        DataType::Double => (8, tensor.double_data.len()),
        DataType::Int64 => (8, tensor.int64_data.len()),
        DataType::Uint64 => (8, tensor.uint64_data.len()),
        DataType::Int32 => (4, narrow),
        DataType::Uint32 => (4, tensor.uint64_data.len()),
        DataType::Int16 | DataType::Uint16 | DataType::Float16 | DataType::Bfloat16 => (2, narrow),
        DataType::Int8 | DataType::Uint8 | DataType::Bool => (1, narrow),
        DataType::String => (1, tensor.string_data.len()),
        _ => return None,
    })
}

fn is_finite(tensor: &TensorProto) -> bool {
    if tensor.data_type != DataType::Float as i32 {
        return true;
    }
    let (raw, _) = tensor.raw_data.as_chunks();
    let raw = raw.iter().map(|number| f32::from_le_bytes(*number));
    raw.chain(tensor.float_data.iter().copied()).all(f32::is_finite)
}

fn weight(tensor: &TensorProto, expected: String, found: String) -> OnnxProblem {
    OnnxProblem::Weight { tensor: tensor.name.clone(), expected, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(dims: &[i64], numbers: &[f32]) -> TensorProto {
        TensorProto {
            name: "w".into(),
            dims: dims.to_vec(),
            data_type: DataType::Float as i32,
            raw_data: numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            ..TensorProto::default()
        }
    }

    fn error(tensor: TensorProto) -> String {
        let reader =
            NodeProto { op_type: "Conv".into(), input: vec!["x".into(), "w".into()], ..NodeProto::default() };
        let graph = GraphProto { initializer: vec![tensor], node: vec![reader], ..GraphProto::default() };
        check(&graph).err().map(|problem| problem.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_tensor_fills_its_shape_with_finite_numbers() {
        assert_eq!(error(floats(&[2], &[1.0, 2.0])), "");
        let typed = TensorProto { float_data: vec![1.0], raw_data: Vec::new(), ..floats(&[1], &[]) };
        assert_eq!(error(typed), "");
        assert_eq!(error(floats(&[3], &[1.0])), "tensor `w`: expected 12 bytes for [3], found 4");
        assert_eq!(
            error(floats(&[i64::MAX, 4], &[])),
            "tensor `w`: expected a shape, found [9223372036854775807, 4]"
        );
        assert_eq!(error(floats(&[-1], &[])), "tensor `w`: expected a shape, found [-1]");
        assert_eq!(
            error(floats(&[1], &[f32::NAN])),
            "tensor `w`: expected finite numbers, found an infinity or NaN"
        );
        let unknown = TensorProto { data_type: 99, ..floats(&[1], &[1.0]) };
        assert_eq!(error(unknown), "tensor `w`: expected plain numbers, found type 99");
    }
}
