"""Reads the convolutions of an .onnx file: the few protobuf fields that matter, nothing installed."""

from conversion import vgg16
from conversion.vgg16 import Tensor
from report import Failure

# onnx.TensorProto.DataType
DTYPES = {1: "F32", 10: "F16", 11: "F64", 16: "BF16"}
EXTERNAL = 1
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Malformed(Exception):
    """The bytes are not the protobuf message they should be."""


def varint(data, position):
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise Malformed(f"broken number at byte {position}")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def fields(data):
    """Yields (field number, wire type, value) of one message; bytes come as views, never copies."""
    position = 0
    while position < len(data):
        key, position = varint(data, position)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, position = varint(data, position)
        else:
            if wire == BYTES:
                length, position = varint(data, position)
            elif wire in (FIXED64, FIXED32):
                length = 8 if wire == FIXED64 else 4
            else:
                raise Malformed(f"unknown wire type {wire} at byte {position}")
            if length > len(data) - position:
                raise Malformed(f"a field of {length} bytes where {len(data) - position} are left")
            value = data[position:position + length]
            position += length
        yield number, wire, value


def text(value):
    return bytes(value).decode("utf-8", "replace")


def integers(wire, value):
    """A repeated integer, packed or one at a time."""
    if wire == VARINT:
        return [value]
    found, position = [], 0
    while position < len(value):
        number, position = varint(value, position)
        found.append(number)
    return found


def tensor(message):
    """(name, Tensor) of a TensorProto; the data is None when it lies in another file."""
    name, shape, dtype, data, floats = "", [], 0, None, []
    external = False
    for number, wire, value in fields(message):
        if number == 1:
            shape += integers(wire, value)
        elif number == 2 and wire == VARINT:
            dtype = value
        elif number == 4:
            floats.append(value)
        elif number == 8 and wire == BYTES:
            name = text(value)
        elif number == 9 and wire == BYTES:
            data = value
        elif number == 14:
            external = value == EXTERNAL
    if external:
        data = None
    elif data is None:
        data = b"".join(floats)
    return name, Tensor(DTYPES.get(dtype, f"ONNX type {dtype}"), tuple(shape), data)


def node(message):
    """(operator, inputs, outputs, constant) of a NodeProto."""
    operator, inputs, outputs, constant = "", [], [], None
    for number, wire, value in fields(message):
        if wire != BYTES:
            continue
        if number == 1:
            inputs.append(text(value))
        elif number == 2:
            outputs.append(text(value))
        elif number == 4:
            operator = text(value)
        elif number == 5:
            for part, part_wire, part_value in fields(value):
                if part == 5 and part_wire == BYTES:
                    constant = tensor(part_value)[1]
    return operator, inputs, outputs, constant


def graph(model):
    """(constants by name, convolutions' inputs in graph order)."""
    constants, convolutions, found = {}, [], False
    for number, wire, value in fields(model):
        if number != 7 or wire != BYTES:
            continue
        found = True
        for part, part_wire, part_value in fields(value):
            if part_wire != BYTES:
                continue
            if part == 5:
                name, content = tensor(part_value)
                constants[name] = content
            elif part == 1:
                operator, inputs, outputs, constant = node(part_value)
                if operator == "Conv":
                    convolutions.append(inputs)
                elif operator == "Constant" and constant is not None and outputs:
                    constants[outputs[0]] = constant
                elif operator == "Identity" and inputs and outputs and inputs[0] in constants:
                    constants[outputs[0]] = constants[inputs[0]]
    if not found:
        raise Malformed("no graph in it")
    return constants, convolutions


def convolutions_of(model, source):
    """The VGG16 tensors of an ONNX model given as bytes."""
    try:
        constants, convolutions = graph(memoryview(model))
    except Malformed as error:
        raise Failure(f"{source}: not an ONNX model, or cut short: {error}") from error
    if len(convolutions) != len(vgg16.LAYERS):
        raise Failure(f"{source}: expected {len(vgg16.LAYERS)} convolutions, found {len(convolutions)}",
                      "the file must hold VGG16 (configuration D)")
    pairs = []
    for inputs in convolutions:
        weight, bias = (constants.get(name) for name in (inputs + ["", ""])[1:3])
        for part in (weight, bias):
            if part is not None and part.data is None:
                raise Failure(f"{source}: its weights lie in a second file, which is not supported",
                              "save the model with the weights inside the .onnx file")
        pairs.append((weight, bias))
    return vgg16.from_convolutions(pairs)


def read(path):
    return convolutions_of(path.read_bytes(), path)
