//! A checkpoint and its base as the bytes of an ONNX file.

use convbase_bases::Plan;
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::{Tensor, Value};
use tract_onnx::pb::{ModelProto, OperatorSetIdProto, TensorShapeProto, TypeProto, ValueInfoProto};

use super::error::ExportError;
use super::graph::{GraphBuilder, integer, integers};
use super::head::{self, Features};
use super::{layers, metadata};
use crate::base::Source;
use crate::{Base, Checkpoint};

/// ONNX 1.12 (2022): what ONNX Runtime and its build for browsers take, and this project's own engine.
const OPSET: i64 = 17;
/// The version of the file format that belongs to that set of operators.
const IR_VERSION: i64 = 8;
/// Protobuf's messages end below 2 GiB.
const MOST_BYTES: usize = i32::MAX as usize;

const PIXELS: &str = "pixels";
const PROBABILITIES: &str = "probabilities";

/// The bytes of an ONNX file that computes what the checkpoint says of photographs: uint8 pixels [n, height, width, 3]
/// in, float32 probabilities [n, classes] out. `base` is the one that the checkpoint's features were made with.
///
/// Its `metadata_props` hold `classes`, `spec` and `checkpoint` (digests and figures) as JSON, a sentence about the
/// `input`, and under `convbase` what this project reads of any ONNX file.
pub fn export_onnx(base: &Base, checkpoint: &Checkpoint) -> Result<Vec<u8>, ExportError> {
    let Source::Catalogue { architecture, weights } = base.source() else {
        return Err(ExportError::OnnxBase);
    };
    let (spec, classes) = (&checkpoint.metadata().spec, &checkpoint.metadata().classes);
    let plan = Plan::new(architecture, weights, &spec.layer, spec.image_size, spec.preprocess)?;
    let mut graph = GraphBuilder::new([PIXELS, PROBABILITIES]);
    let shape = plan.output_shape().to_vec();
    let images = scaled(&mut graph, plan.scaling());
    let value = layers::append(&mut graph, plan.into_steps(), images);
    let features = Features { value, shape, layer: spec.layer.clone() }.pooled(&mut graph, spec.pooling);
    let head = checkpoint.head();
    let logits = head::append(&mut graph, head.shape(), head.plain()?, features)?;
    classified(&mut graph, head.shape().outputs(), &logits);
    let size = [spec.image_size.height(), spec.image_size.width(), 3].map(|side| side as usize);
    let input = value_info(PIXELS, DataType::Uint8, &size, metadata::input(checkpoint));
    let shown = format!("of {}, in this order", classes.names().join(", "));
    let output = value_info(PROBABILITIES, DataType::Float, &[classes.len()], shown);
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        producer_name: "convbase".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph.finish(architecture.name(), input, output)),
        metadata_props: metadata::entries(checkpoint)?,
        ..ModelProto::default()
    };
    check_size(model.encoded_len())?;
    Ok(model.encode_to_vec())
}

/// Bytes [n, height, width, 3] to what the base takes, [n, 3, height, width].
fn scaled(graph: &mut GraphBuilder, (mean, divisor): ([f64; 3], [f64; 3])) -> String {
    let order = vec![integers("perm", [0, 3, 1, 2])];
    let planes = graph.node("Transpose", "pixels.planes", [PIXELS], order);
    let to = vec![integer("to", i64::from(DataType::Float as i32))];
    let mut images = graph.node("Cast", "pixels.float", [&planes], to);
    let floats = |numbers: [f64; 3]| numbers.map(|number| number as f32);
    if mean != [0.0; 3] {
        let mean = graph.floats("pixels.mean", &[3, 1, 1], &floats(mean));
        images = graph.node("Sub", "pixels.centred", [&images, &mean], Vec::new());
    }
    if divisor != [1.0; 3] {
        let divisor = graph.floats("pixels.divisor", &[3, 1, 1], &floats(divisor));
        images = graph.node("Div", "pixels.scaled", [&images, &divisor], Vec::new());
    }
    images
}

/// Logits [n, outputs] to probabilities [n, classes].
fn classified(graph: &mut GraphBuilder, outputs: usize, logits: &str) {
    if outputs == 1 {
        // 1 - σ(x) = σ(-x), which keeps the small one of the two exact.
        let other = graph.node("Neg", "output.negated", [logits], Vec::new()); // [n, 1]
        let both = graph.concatenation("logits", &[&other, logits], 1); // [n, 2]
        graph.last_node("Sigmoid", PROBABILITIES, &both, Vec::new());
    } else {
        graph.last_node("Softmax", PROBABILITIES, logits, vec![integer("axis", 1)]);
    }
}

/// A value [n, ...sides] whose n is free.
fn value_info(name: &str, data_type: DataType, sides: &[usize], description: String) -> ValueInfoProto {
    let dimension = |value| Dimension { value: Some(value), ..Dimension::default() };
    let free = dimension(dimension::Value::DimParam("n".to_owned()));
    let fixed = sides.iter().map(|&side| dimension(dimension::Value::DimValue(side as i64)));
    let shape = TensorShapeProto { dim: std::iter::once(free).chain(fixed).collect() };
    let tensor = Tensor { elem_type: data_type as i32, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(Value::TensorType(tensor)), ..TypeProto::default() }),
        doc_string: description,
    }
}

fn check_size(found: usize) -> Result<(), ExportError> {
    if found > MOST_BYTES {
        return Err(ExportError::TooLarge { most: MOST_BYTES, found });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_message_holds_is_refused() {
        assert!(check_size(MOST_BYTES).is_ok());
        let text = check_size(MOST_BYTES + 1).unwrap_err().to_string();
        assert_eq!(text, "expected at most 2147483647 bytes in an ONNX file, found 2147483648");
    }
}
