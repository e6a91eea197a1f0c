"""The thirteen convolutional layers of VGG16: names, shapes, checks and digests."""

import hashlib
import json
from collections import namedtuple

import repository
from report import Failure

# torchvision's numbering: pooling and activation layers take the numbers between.
LAYERS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
CHANNELS = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
KERAS_LAYERS = tuple(
    f"block{block}_conv{convolution}"
    for block, count in enumerate((2, 2, 3, 3, 3), start=1)
    for convolution in range(1, count + 1)
)

# `data` is anything with the buffer protocol: little-endian, C order. `dtype` is safetensors' word for it.
Tensor = namedtuple("Tensor", "dtype shape data")


def expected_shapes():
    """Name -> shape, in the order in which the files hold them."""
    shapes = {}
    for position, layer in enumerate(LAYERS):
        incoming, outgoing = CHANNELS[position], CHANNELS[position + 1]
        shapes[f"features.{layer}.weight"] = (outgoing, incoming, 3, 3)
        shapes[f"features.{layer}.bias"] = (outgoing,)
    return shapes


def from_convolutions(pairs):
    """Names (weight, bias) pairs given in graph order."""
    tensors = {}
    for layer, (weight, bias) in zip(LAYERS, pairs):
        tensors[f"features.{layer}.weight"] = weight
        tensors[f"features.{layer}.bias"] = bias
    return tensors


def checked(tensors, source):
    """The base's tensors in order; every missing or misshapen one in one error."""
    findings, base = [], {}
    for name, shape in expected_shapes().items():
        tensor = tensors.get(name)
        if tensor is None:
            findings.append(f"{name}: missing")
        elif tuple(tensor.shape) != shape:
            findings.append(f"{name}: expected {list(shape)}, found {list(tensor.shape)}")
        elif tensor.dtype != "F32":
            findings.append(f"{name}: expected float32 (F32), found {tensor.dtype}")
        elif memoryview(tensor.data).nbytes != 4 * product(shape):
            found = memoryview(tensor.data).nbytes
            findings.append(f"{name}: expected {4 * product(shape)} bytes, found {found}")
        else:
            base[name] = tensor
    if findings:
        raise Failure(
            f"{source}: not a VGG16 convolutional base, {len(findings)} of 26 tensors differ: "
            + "; ".join(findings),
            "the file must hold the 13 convolutional layers of VGG16 (configuration D, no batch norm)",
        )
    return base


def product(shape):
    total = 1
    for size in shape:
        total *= size
    return total


def digests(tensors):
    return {name: hashlib.sha256(tensor.data).hexdigest() for name, tensor in tensors.items()}


def keras_digests():
    """The digests of the original ImageNet weights, as Keras publishes them."""
    try:
        pinned = json.loads(repository.DIGESTS.read_text(encoding="utf-8"))
        return {name: entry["sha256"] for name, entry in pinned.items() if name in expected_shapes()}
    except (OSError, ValueError) as error:
        raise Failure(f"{repository.shown(repository.DIGESTS)}: cannot read the digests: {error}",
                      "restore the file with `git checkout weights`") from error


def differing(tensors):
    """Names of the tensors that are not the original ImageNet weights."""
    pinned = keras_digests()
    return [name for name, digest in digests(tensors).items() if pinned.get(name) != digest]
