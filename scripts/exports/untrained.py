"""Drawn weights, with which the features of every base have about the size of its pixels.

A kernel is uniform with a variance of 2 / fan-in (He et al. 2015), as befits a ReLU behind it; where none follows,
inside a separable convolution, 1 / fan-in. Blocks that add to what they were given would double it time and again: in
such bases every kernel is made somewhat smaller. Normalisations are near their start, and none is at it.
"""

import math

import numpy

from conversion import safetensors_file

SEED = 17
# How much smaller, where blocks add; 1 elsewhere.
GAINS = {"resnet50": 0.7, "xception": 0.8, "efficientnet_lite0": 0.8}


def write(architecture, path):
    chance = numpy.random.default_rng(SEED)
    gain = GAINS.get(architecture.name, 1.0)
    arrays = {name: drawn(chance, name.rsplit("/", 1)[1], shape, gain)
              for name, shape in architecture.shapes().items()}
    safetensors_file.write(path, arrays, {"architecture": architecture.name, "preprocess": "rescale"})


def drawn(chance, variable, shape, gain):
    if len(shape) == 4:
        taps = shape[0] * shape[1] if shape[3] == 1 else math.prod(shape[:3])
        limit = gain * math.sqrt((3 if variable == "depthwise_kernel" else 6) / taps)
        numbers = chance.uniform(-limit, limit, shape)
    elif variable in ("gamma", "moving_variance"):
        numbers = chance.uniform(0.8, 1.2, shape)
    else:
        numbers = chance.uniform(-0.05, 0.05, shape)
    return numbers.astype(numpy.float32)
