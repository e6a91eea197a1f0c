"""Makes the small ONNX files of the tests, and what PyTorch computes with them.

    python -m venv /tmp/onnx && /tmp/onnx/bin/pip install torch onnx numpy
    /tmp/onnx/bin/python crates/nn/tests/onnx/make.py

Images are drawn by the same formula as in `onnx.rs`. Expected features: NAME.OUTPUT.npy, float32, maps channels-last.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

HERE = Path(__file__).parent
MEAN = np.float32([123.675, 116.28, 103.53])
DEVIATION = np.float32([58.395, 57.12, 57.375])


def pixels(batch, height, width):
    index = np.arange(batch * height * width * 3, dtype=np.uint64)
    return ((index * 2654435761 % 2**32) >> 24).astype(np.uint8).reshape(batch, height, width, 3)


class Residual(nn.Module):
    """Two strides, a residual connection, normalisation: a map [n, 12, height / 4, width / 4] and its mean."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.normalisation = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.third = nn.Conv2d(12, 12, 3, padding=1, groups=3)
        self.normalisation.running_mean.normal_(0, 0.2)
        self.normalisation.running_var.uniform_(0.5, 1.5)

    def forward(self, image):
        x = self.second(torch.relu(self.normalisation(self.first(image))))
        x = torch.relu(x + self.third(torch.relu(x)))
        return x.mean((2, 3)), x


class ChannelsLast(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, image):
        features, x = self.inner(image.permute(0, 3, 1, 2))
        return features, x.permute(0, 2, 3, 1)


class Attention(nn.Module):
    """Patches of 8 × 8 pixels as tokens, one block of self-attention."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, stride=8)
        self.positions = nn.Parameter(torch.randn(1, 16, 16) * 0.1)
        self.normalisation = nn.LayerNorm(16)
        self.projections = nn.Linear(16, 48)
        self.out = nn.Linear(16, 16)

    def forward(self, image):
        x = self.patches(image).flatten(2).transpose(1, 2) + self.positions
        projected = self.projections(self.normalisation(x)).reshape(-1, 16, 3, 2, 8)
        query, key, value = projected.permute(2, 0, 3, 1, 4)
        weights = (query @ key.transpose(-2, -1) * 8**-0.5).softmax(-1)
        x = x + nn.functional.gelu(self.out((weights @ value).transpose(1, 2).reshape(-1, 16, 16)))
        return (x,)


def save(name, model, metadata):
    model.producer_name = "convbase tests"
    model.producer_version = ""
    if metadata:
        entry = model.metadata_props.add()
        entry.key, entry.value = "convbase", json.dumps(metadata)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def export(name, module, size, outputs, axes, metadata, layout=(0, 3, 1, 2)):
    module.eval()
    images = (torch.from_numpy(pixels(3, *size)).float() - torch.from_numpy(MEAN)) / torch.from_numpy(DEVIATION)
    images = images.permute(*layout).contiguous()
    path = HERE / f"{name}.onnx"
    names = {"input_names": ["image"], "output_names": outputs, "dynamic_axes": axes}
    with torch.no_grad():
        torch.onnx.export(module, (images[:1],), path, dynamo=False, opset_version=17, **names)
        for output, values in zip(outputs, module(images)):
            if values.ndim == 4 and layout == (0, 3, 1, 2):
                values = values.permute(0, 2, 3, 1)
            np.save(HERE / f"{name}.{output}.npy", np.ascontiguousarray(values.numpy()))
    save(name, onnx.load(path), metadata)


def networks():
    torch.manual_seed(1)
    residual = Residual()
    free = {0: "n", 2: "height", 3: "width"}
    metadata = {"preprocess": "torch", "size": [40, 36], "interpolation": "bicubic"}
    axes = {"image": free, "features": {0: "n"}, "map": free}
    export("channels_first", residual, (40, 36), ["features", "map"], axes, metadata)
    free = {0: "n", 1: "height", 2: "width"}
    axes = {"image": free, "features": {0: "n"}, "map": free}
    export("channels_last", ChannelsLast(residual), (40, 36), ["features", "map"], axes, {}, layout=(0, 1, 2, 3))
    metadata = {"mean": MEAN.tolist(), "std": DEVIATION.tolist()}
    export("tokens", Attention(), (32, 32), ["tokens"], {"image": {0: "n"}, "tokens": {0: "n"}}, metadata)


def image_input(shape=("n", 3, "height", "width"), name="image", kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def output(name, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, None)


def weight(shape=(4, 3, 1, 1), name="weight"):
    return numpy_helper.from_array(np.random.default_rng(2).normal(size=shape).astype(np.float32), name)


def small(
    name,
    nodes=(),
    outputs=("map",),
    inputs=None,
    weights=None,
    domains=(),
    kind=TensorProto.FLOAT,
    metadata=None,
):
    """One convolution, `map`, and what a test adds to it."""
    nodes = [helper.make_node("Conv", ["image", "weight"], ["map"], name="convolution"), *nodes]
    inputs = inputs or [image_input()]
    weights = [weight()] if weights is None else weights
    graph = helper.make_graph(nodes, name, inputs, [output(name, kind) for name in outputs], weights)
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 1) for domain in domains)]
    save(name, helper.make_model(graph, opset_imports=opsets, ir_version=8), metadata)


def files_that_work():
    small("constants_as_inputs", inputs=[image_input(), image_input((4, 3, 1, 1), "weight")])
    small("free_channels", inputs=[image_input(("n", "channels", "height", "width"))])


def files_that_do_not():
    node = helper.make_node
    small("two_images", [node("Add", ["image", "other"], ["sum"])], ["sum"], [image_input(), image_input(name="other")])
    small("no_image", inputs=[image_input(("n", 128), kind=TensorProto.INT64)])
    small("half_image", inputs=[image_input(kind=TensorProto.FLOAT16)])
    small("gray", inputs=[image_input(("n", 1, "height", "width"))], weights=[weight((4, 1, 1, 1))])
    small("batch_of_eight", inputs=[image_input((8, 3, 64, 64))])
    small("other_input", [node("Add", ["map", "ids"], ["sum"])], ["sum"], [image_input(), image_input(("n",), "ids")])
    for name, operator in [("own_operator", "Sharpen"), ("own_relu", "Relu")]:
        own = node(operator, ["map"], ["sharp"], name=operator.lower(), domain="our.own")
        small(name, [own], ["sharp"], domains=["our.own"])
    small("drawn", [node("RandomNormalLike", ["map"], ["noise"], name="noise")], ["noise"])
    small("integers", [node("ArgMax", ["map"], ["place"], axis=1)], ["place"], kind=TensorProto.INT64)
    small("one_number", [node("ReduceMean", ["map"], ["mean"], keepdims=0)], ["mean"])
    small("wrong_shapes", weights=[weight((4, 5, 1, 1))], inputs=[image_input(("n", 3, 64, 64))])
    small("wrong_metadata", metadata={"preprocess": "imagenet"})
    small("not_made", [node("Add", ["map", "nothing"], ["sum"], name="sum")], ["sum"])
    nodes = [node("Add", ["later", "map"], ["sum"], name="sum"), node("Relu", ["sum"], ["later"], name="later")]
    small("circle", nodes, ["sum"])
    numbers = weight()
    numbers.raw_data = np.float32([np.nan] * 12).tobytes()
    small("not_a_number", weights=[numbers])
    numbers = weight()
    numbers.raw_data = numbers.raw_data[:20]
    small("short_weight", weights=[numbers])
    numbers = weight()
    numbers.raw_data, numbers.data_location = b"", TensorProto.EXTERNAL
    entry = numbers.external_data.add()
    entry.key, entry.value = "location", "weights.data"
    small("external_data", weights=[numbers])
    free = image_input(("n", "first", "second", "third"))
    graph = helper.make_graph([node("Relu", ["image"], ["map"])], "free", [free], [output("map")])
    save("free_layout", helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), {})
    graph = helper.make_graph([], "empty", [image_input()], [image_input()])
    save("no_nodes", helper.make_model(graph, ir_version=8), {})


if __name__ == "__main__":
    networks()
    files_that_work()
    files_that_do_not()
