"""A base as PyTorch computes it, from the ONNX model that the other runtimes read: normalisations are folded already."""

import numpy
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional


class Module(nn.Module):
    """Numbers from 0 to 1 [photographs, 3, height, width] to the map of the base, channels second."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
        # What turns bytes into numbers from 0 to 1 is done before, and what turns the map round behind.
        begin = next(index for index, node in enumerate(graph.node) if node.op_type == "Conv")
        self.first, self.steps = graph.node[begin].input[0], nn.ModuleList()
        self.names = []
        for node in list(graph.node)[begin:]:
            if node.op_type == "Transpose":
                break
            self.steps.append(step(node, constants))
            self.names.append(([name for name in node.input if name not in constants], node.output[0]))
        self.last = self.names[-1][1]
        # Values that nobody reads any more make room.
        last_reader = {name: index for index, (inputs, _) in enumerate(self.names) for name in inputs}
        self.drops = [[name for name in dict.fromkeys(inputs) if last_reader[name] == index]
                      for index, (inputs, _) in enumerate(self.names)]

    def forward(self, images):
        values = {self.first: images}
        for step, (inputs, output), drops in zip(self.steps, self.names, self.drops):
            values[output] = step(*(values[name] for name in inputs))
            for name in drops:
                del values[name]
        return values[self.last]


class Call(nn.Module):
    """A function without weights."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *values):
        return self.function(*values)


class Scaled(nn.Module):
    """A product or a sum with one number of each channel."""

    def __init__(self, numbers, function):
        super().__init__()
        self.numbers, self.function = nn.Parameter(torch.tensor(numbers)), function

    def forward(self, value):
        return self.function(value, self.numbers)


def step(node, constants):
    said = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    top, left, bottom, right = said.get("pads", (0, 0, 0, 0))
    sides = (left, right, top, bottom)
    if node.op_type == "Conv":
        return convolution(node, constants, said, sides)
    if node.op_type == "MaxPool":
        kernel, stride = said["kernel_shape"], said["strides"]
        return Call(lambda value: functional.max_pool2d(
            functional.pad(value, sides, value=-numpy.inf) if any(sides) else value, kernel, stride))
    if node.op_type == "AveragePool":
        kernel, stride, around = said["kernel_shape"], said["strides"], (top, left)
        assert (top, left) == (bottom, right)
        return Call(lambda value: functional.avg_pool2d(value, kernel, stride, around, count_include_pad=False))
    if node.op_type == "Clip":
        return nn.ReLU6()
    if node.op_type == "Relu":
        return nn.ReLU()
    if node.op_type == "Concat":
        return Call(lambda *values: torch.cat(values, 1))
    if node.op_type in ("Add", "Mul"):
        function = {"Add": torch.add, "Mul": torch.mul}[node.op_type]
        own = [constants[name] for name in node.input if name in constants]
        return Scaled(own[0], function) if own else Call(function)
    if node.op_type == "Pad":
        before, behind = numpy.split(constants[node.input[1]], 2)
        around = (int(before[3]), int(behind[3]), int(before[2]), int(behind[2]))
        return Call(lambda value: functional.pad(value, around))
    raise ValueError(f"{node.name}: {node.op_type} is not known here")


def convolution(node, constants, said, sides):
    weight, bias = (constants[name] for name in node.input[1:])
    outputs, inputs = weight.shape[:2]
    groups = said.get("group", 1)
    even = sides[0] == sides[1] and sides[2] == sides[3]
    layer = nn.Conv2d(inputs * groups, outputs, weight.shape[2:], said.get("strides", (1, 1)),
                      (sides[2], sides[0]) if even else 0, groups=groups)
    layer.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
    return layer if even else nn.Sequential(nn.ZeroPad2d(sides), layer)
