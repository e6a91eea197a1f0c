//! What a file says of itself, and its bytes.

use std::collections::HashSet;

use convbase_core::{Interpolation, Pooling, Preprocess};
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto, type_proto};

use super::ground::{Ground, plain_head};
use crate::export::graph::{GraphBuilder, integers};
use crate::{Activation, export_onnx};

fn sides(value: &ValueInfoProto) -> (i32, Vec<String>) {
    let Some(type_proto::Value::TensorType(tensor)) = &value.r#type.as_ref().unwrap().value else { panic!() };
    let side = |value: &Option<dimension::Value>| match value.as_ref().unwrap() {
        dimension::Value::DimValue(side) => side.to_string(),
        dimension::Value::DimParam(name) => name.clone(),
    };
    let sides = tensor.shape.as_ref().unwrap().dim.iter().map(|dimension| side(&dimension.value)).collect();
    (tensor.elem_type, sides)
}

/// Asserts that every value is made once, before it is read.
fn check_order(graph: &GraphProto) {
    let mut known: HashSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    assert!(graph.initializer.iter().all(|weight| known.insert(&weight.name)));
    for node in &graph.node {
        assert!(node.input.iter().all(|input| known.contains(input.as_str())), "{node:?}");
        assert!(node.output.iter().all(|output| !output.is_empty() && known.insert(output)), "{node:?}");
    }
    assert!(graph.output.iter().all(|output| known.contains(output.name.as_str())));
}

#[test]
fn a_file_says_what_it_takes_what_it_gives_and_where_it_comes_from() {
    let ground = Ground::new("tiny", 40, 36);
    let spec = ground.spec("block3_pool", Pooling::None, Preprocess::Caffe);
    let checkpoint = ground.checkpoint(&spec, &plain_head(&spec, 4, Activation::Relu, 3));
    let bytes = export_onnx(&ground.base, &checkpoint).unwrap();
    assert_eq!(bytes, export_onnx(&ground.base, &checkpoint).unwrap(), "equal inputs make equal bytes");
    let model = ModelProto::decode(&bytes[..]).unwrap();
    assert_eq!(model.encode_to_vec(), bytes);
    assert_eq!((model.ir_version, model.opset_import[0].version), (8, 17));
    let graph = model.graph.unwrap();
    check_order(&graph);
    let text = |sides: &[&str]| sides.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(sides(&graph.input[0]), (DataType::Uint8 as i32, text(&["n", "40", "36", "3"])));
    assert_eq!(sides(&graph.output[0]), (DataType::Float as i32, text(&["n", "3"])));
    let names = [&graph.input[0].name, &graph.output[0].name];
    assert_eq!(names, ["pixels", "probabilities"]);

    let entry = |key| &model.metadata_props.iter().find(|entry| entry.key == key).unwrap().value;
    let json = |key| serde_json::from_str::<Value>(entry(key)).unwrap();
    assert_eq!(json("classes"), json!(["class 0", "class 1", "class 2"]));
    assert_eq!(json("spec"), serde_json::to_value(&spec).unwrap());
    assert_eq!(json("checkpoint")["sha256"], checkpoint.sha256().to_string());
    assert_eq!(json("checkpoint")["feature_id"], spec.id().to_string());
    assert!(entry("input").contains("height 40 and width 36 by bilinear"), "{}", entry("input"));
    // As any ONNX file is read: the graph takes pixels as they are.
    let own = json("convbase");
    assert_eq!(
        own,
        json!({"mean": [0, 0, 0], "std": [1, 1, 1], "size": [40, 36], "interpolation": "bilinear"})
    );
    assert_eq!(spec.interpolation, Interpolation::Bilinear);
}

proptest! {
    #[test]
    fn what_is_put_into_a_graph_is_read_from_its_bytes(
        nodes in prop::collection::vec((".{0,8}", prop::collection::vec(any::<f32>(), 0..9), any::<i64>()), 0..12),
    ) {
        let mut graph = GraphBuilder::new(["x"]);
        let mut last = "x".to_owned();
        for (name, numbers, number) in &nodes {
            let weight = graph.floats(name, &[numbers.len()], numbers);
            let list = graph.integers(name, &[*number]);
            last = graph.node("Operator", name, [&last, &weight, &list], vec![integers("axes", [1, 2])]);
        }
        let value = |name: &str| ValueInfoProto { name: name.to_owned(), ..ValueInfoProto::default() };
        let graph = graph.finish("graph", value("x"), value(&last));
        let bytes = graph.encode_to_vec();
        let read = GraphProto::decode(&bytes[..]).unwrap();
        prop_assert_eq!(&read, &graph);
        check_order(&read);
        prop_assert_eq!((read.node.len(), read.initializer.len()), (nodes.len(), 2 * nodes.len()));
        for ((_, numbers, number), tensors) in nodes.iter().zip(read.initializer.chunks(2)) {
            let floats: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            prop_assert_eq!(&tensors[0].raw_data, &floats);
            prop_assert_eq!(&tensors[0].dims, &[numbers.len() as i64]);
            prop_assert_eq!(&tensors[1].raw_data, &number.to_le_bytes());
        }
        prop_assert!(read.node.iter().all(|node| node.attribute[0].ints == [1, 2]));
    }
}
