//! The one input that takes images, and where its channels lie.

use std::collections::HashSet;

use convbase_core::ImageSize;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Side;
use tract_onnx::pb::type_proto::{Tensor, Value};
use tract_onnx::pb::{GraphProto, NodeProto, TensorShapeProto, TypeProto, ValueInfoProto};
use tract_onnx::pb::{tensor_shape_proto::Dimension, type_proto};

use super::error::OnnxProblem;
use super::graph::{integer, integers};
use super::layout::Layout;
use super::part::inputs;

/// The input that takes images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageInput {
    /// The tensor's name.
    pub(super) name: String,
    /// Where its channels lie.
    pub(super) layout: Layout,
    /// Height, where it is fixed.
    pub(super) height: Option<i64>,
    /// Width, where it is fixed.
    pub(super) width: Option<i64>,
}

impl ImageInput {
    /// The only input of four axes and float32.
    pub(super) fn of(graph: &GraphProto) -> Result<Self, OnnxProblem> {
        let images: Vec<(&ValueInfoProto, [Option<i64>; 4])> =
            inputs(graph).filter_map(|input| Some((input, float_sides(input)?))).collect();
        let [(input, [batch, second, third, last])] = images[..] else {
            let all: Vec<String> = inputs(graph).map(describe).collect();
            let found = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
            return Err(OnnxProblem::Input { found });
        };
        if let Some(found) = batch.filter(|&batch| batch != 1) {
            return Err(OnnxProblem::Batch { input: describe(input), found });
        }
        let layout = match (second, last) {
            (Some(3), last) if last != Some(3) => Layout::ChannelsFirst,
            (second, Some(3)) if second != Some(3) => Layout::ChannelsLast,
            _ => layout_by_use(graph, input, [second, last])?,
        };
        let (height, width) = match layout {
            Layout::ChannelsFirst => (third, last),
            Layout::ChannelsLast => (second, third),
        };
        Ok(Self { name: input.name.clone(), layout, height, width })
    }

    /// The shape of one image.
    pub(super) fn shape(&self, size: ImageSize) -> [usize; 4] {
        let (height, width) = (size.height() as usize, size.width() as usize);
        match self.layout {
            Layout::ChannelsFirst => [1, 3, height, width],
            Layout::ChannelsLast => [1, height, width, 3],
        }
    }

    /// The input for one image of a size.
    pub(super) fn value(&self, size: ImageSize) -> ValueInfoProto {
        let dim = self
            .shape(size)
            .map(|side| Dimension { value: Some(Side::DimValue(side as i64)), ..Dimension::default() });
        let shape = Some(TensorShapeProto { dim: dim.into() });
        let tensor = Tensor { elem_type: DataType::Float as i32, shape };
        let r#type = TypeProto { value: Some(Value::TensorType(tensor)), ..TypeProto::default() };
        ValueInfoProto { name: self.name.clone(), r#type: Some(r#type), ..ValueInfoProto::default() }
    }
}

/// The sides of a float32 input of four axes; `None` for a free one. Some exporters write a free side as 0 or -1.
fn float_sides(input: &ValueInfoProto) -> Option<[Option<i64>; 4]> {
    let tensor = tensor_type(input).filter(|tensor| tensor.elem_type == DataType::Float as i32)?;
    let sides = tensor.shape.as_ref()?.dim.iter().map(|dimension| match dimension.value {
        Some(Side::DimValue(side)) if side > 0 => Some(side),
        _ => None,
    });
    sides.collect::<Vec<_>>().try_into().ok()
}

/// Where the shape leaves it open, the first convolution tells: its weights are [out, in, height, width], and its input
/// has the channels in second place. An exporter for a framework with channels in last place transposes before it.
fn layout_by_use(
    graph: &GraphProto,
    input: &ValueInfoProto,
    [second, last]: [Option<i64>; 2],
) -> Result<Layout, OnnxProblem> {
    let channels = |found| OnnxProblem::Channels { input: describe(input), found };
    let mut images = HashSet::from([input.name.as_str()]);
    for node in &graph.node {
        if !node.input.iter().any(|name| images.contains(name.as_str())) {
            continue;
        }
        match node.op_type.as_str() {
            "Conv" => match convolved_channels(graph, node) {
                Some(3) if second.is_none_or(|second| second == 3) => return Ok(Layout::ChannelsFirst),
                Some(found) => return Err(channels(found)),
                None => break,
            },
            "Transpose" if integers(node, "perm") == [0, 3, 1, 2] && last.is_none_or(|last| last == 3) => {
                return Ok(Layout::ChannelsLast);
            }
            "Add" | "Cast" | "Clip" | "Div" | "Identity" | "Mul" | "Pad" | "Sub" => {
                images.extend(node.output.iter().map(String::as_str));
            }
            _ => {}
        }
    }
    match (second, last) {
        // Fixed sides of which none is 3: the smallest is the likeliest number of channels.
        (Some(second), Some(last)) if (second, last) != (3, 3) => Err(channels(second.min(last))),
        (Some(second), None) if second < 3 => Err(channels(second)),
        (None, Some(last)) if last < 3 => Err(channels(last)),
        _ => Err(OnnxProblem::Layout { input: describe(input) }),
    }
}

/// The channels that a convolution reads.
fn convolved_channels(graph: &GraphProto, node: &NodeProto) -> Option<i64> {
    let weight = graph.initializer.iter().find(|tensor| Some(&tensor.name) == node.input.get(1))?;
    weight.dims.get(1)?.checked_mul(integer(node, "group").unwrap_or(1))
}

fn tensor_type(input: &ValueInfoProto) -> Option<&Tensor> {
    let value = input.r#type.as_ref()?.value.as_ref()?;
    let type_proto::Value::TensorType(tensor) = value;
    Some(tensor)
}

/// An input as messages show it: `image` float [n, 3, 224, 224].
fn describe(input: &ValueInfoProto) -> String {
    let Some(tensor) = tensor_type(input) else { return format!("`{}` of no tensor type", input.name) };
    let data_type = DataType::try_from(tensor.elem_type).map_or("unknown", |known| known.as_str_name());
    let sides = tensor.shape.as_ref().map(|shape| {
        let sides: Vec<String> = shape.dim.iter().map(side).collect();
        format!("[{}]", sides.join(", "))
    });
    let sides = sides.unwrap_or_else(|| "of unknown shape".to_owned());
    format!("`{}` {} {sides}", input.name, data_type.to_lowercase())
}

fn side(dimension: &Dimension) -> String {
    match &dimension.value {
        Some(Side::DimValue(side)) => side.to_string(),
        Some(Side::DimParam(name)) if !name.is_empty() => name.clone(),
        _ => "?".to_owned(),
    }
}
