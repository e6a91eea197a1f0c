"""A base as an ONNX model: bytes of photographs in, features as they lie on disk out."""

import onnx
from onnx import TensorProto, helper


def without_head(exported):
    """The bytes of an exported model up to the map of the base, which its head flattens."""
    whole = onnx.load(exported)
    flatten = next(node for node in whole.graph.node if node.op_type == "Flatten")
    last = next(index for index, node in enumerate(whole.graph.node) if node.output[0] == flatten.input[0])
    nodes, needed = list(whole.graph.node)[:last + 1], set()
    for node in nodes:
        needed.update(node.input)
    constants = [constant for constant in whole.graph.initializer if constant.name in needed]
    features = helper.make_tensor_value_info(flatten.input[0], TensorProto.FLOAT, ["photographs", None, None, None])
    graph = helper.make_graph(nodes, "base", list(whole.graph.input), [features], constants)
    made = helper.make_model(graph, opset_imports=list(whole.opset_import), ir_version=whole.ir_version)
    onnx.checker.check_model(made)
    return made.SerializeToString()
