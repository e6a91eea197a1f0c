"""Reads the convolutions of an .onnx file, in the graph's order. Needs onnx and numpy."""

from conversion.tensors import Unfit
from report import Failure


def read(content, architecture, source):
    """`layer/variable` -> array, of a model given as bytes whose convolutions are the base's, in Keras' layout."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load_model_from_string(content).graph
    except (DecodeError, ValueError, RuntimeError) as error:
        raise Failure(f"{source}: not an ONNX model, or cut short: {error or type(error).__name__}") from error
    if not graph.node:
        raise Failure(f"{source}: not an ONNX model, or cut short: no graph in it")
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    layers = list(architecture.layers)
    if any(set(variables) != {"kernel", "bias"} for variables in architecture.layers.values()):
        raise Failure(f"{source}: expected the weights of {architecture.title}, whose source is Keras' .h5, found an "
                      "ONNX model", "the extractor takes it as it is: --base FILE.onnx")
    if len(convolutions) != len(layers):
        raise Failure(f"{source}: expected {len(layers)} convolutions, found {len(convolutions)}",
                      f"the file must hold {architecture.title}, without batch normalisation")
    constants, arrays = values(graph), {}
    for layer, node in zip(layers, convolutions):
        for variable, name in zip(("kernel", "bias"), node.input[1:]):
            if name in constants:
                arrays[f"{layer}/{variable}"] = keras_layout(array(constants[name], source))
    return arrays


def values(graph):
    """Name -> TensorProto of initializers, constants and what is passed on unchanged."""
    found = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            found.update((node.output[0], attribute.t) for attribute in node.attribute if attribute.name == "value")
        elif node.op_type == "Identity" and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    return found


def array(tensor, source):
    import onnx
    from onnx import numpy_helper

    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise Failure(f"{source}: its weights lie in a second file, which is not supported",
                      "save the model with the weights inside the .onnx file")
    if tensor.data_type != onnx.TensorProto.FLOAT:
        return Unfit(onnx.TensorProto.DataType.Name(tensor.data_type), tuple(tensor.dims))
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError) as error:
        raise Failure(f"{source}: {tensor.name}: cut short: {error}") from error


def keras_layout(numbers):
    """[out, in, height, width] -> [height, width, in, out]."""
    kernel = not isinstance(numbers, Unfit) and numbers.ndim == 4
    return numbers.transpose(2, 3, 1, 0) if kernel else numbers
