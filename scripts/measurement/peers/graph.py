"""A base as an ONNX model: bytes of photographs in, features as they lie on disk out.

VGG16's is made here from the weights alone; another's is what `evaluator export` wrote, without its head.
"""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from measurement.peers import work


def model(network):
    """The bytes of the model that takes uint8 [photographs, height, width, 3]."""
    return network.graph.read_bytes() if network.graph else of_vgg16(work.convolutions(network.weights), network.size)


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


def of_vgg16(weights, size):
    """uint8 [photographs, height, width, 3] to float32 [photographs, height / 32, width / 32, 512]."""
    nodes = [helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
             helper.make_node("Div", ["numbers", "scale"], ["scaled"]),
             helper.make_node("Transpose", ["scaled"], ["map"], perm=[0, 3, 1, 2])]
    constants = [numpy_helper.from_array(numpy.float32(255), "scale")]
    last = "map"
    for number, block in enumerate(work.blocks(weights), start=1):
        for position, (weight, bias) in enumerate(block, start=1):
            name = f"block{number}_conv{position}"
            constants += [numpy_helper.from_array(weight, f"{name}.weight"),
                          numpy_helper.from_array(bias, f"{name}.bias")]
            nodes += [helper.make_node("Conv", [last, f"{name}.weight", f"{name}.bias"], [name],
                                       kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                      helper.make_node("Relu", [name], [f"{name}.relu"])]
            last = f"{name}.relu"
        nodes.append(helper.make_node("MaxPool", [last], [f"block{number}_pool"], kernel_shape=[2, 2], strides=[2, 2]))
        last = f"block{number}_pool"
    nodes.append(helper.make_node("Transpose", [last], ["features"], perm=[0, 2, 3, 1]))
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["photographs", *size, 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["photographs", None, None, None])
    graph = helper.make_graph(nodes, "vgg16", [pixels], [features], constants)
    # An operator set and a format that both runtimes have long known.
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    return made.SerializeToString()
