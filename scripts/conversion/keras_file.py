"""Reads Keras' .h5 files. Needs h5py and numpy.

Three layouts are in use: weights as `save_weights` wrote them until Keras 2 (and the published files: groups named in
`layer_names`), the same below `model_weights` in a whole saved model, and Keras 3's `.weights.h5` (`layers/*/vars/0`).
The published files number their layers otherwise than today's models (`conv2d_1` for `conv2d`, `convolution2d_1`),
and Keras itself goes by the layers' order alone (keras/src/legacy/saving/legacy_h5_format.py); so do we, unless every
name is known. Each shape is checked.
"""

import os
import re
from collections import defaultdict, namedtuple

from conversion.architecture import architectures
from conversion.tensors import listed
from report import Failure

# A layer with weights as a file holds it.
Saved = namedtuple("Saved", "name arrays")
# Layers that follow one another: all of them, or in Keras 3's files those of one class.
ALL = "all"
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")


class Misfit(Exception):
    """These layers are not that base's."""


def read(path, architecture):
    """`layer/variable` -> array."""
    import h5py

    try:
        if not survives(path):
            raise OSError("the HDF5 library crashes on it")
        with h5py.File(path, "r") as file:
            lanes = saved_layers(file)
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Failure(f"{path}: not an HDF5 file, or damaged: {reason}",
                      "expected a .h5 file that Keras wrote") from error
    if not lanes:
        raise Failure(f"{path}: no layer with weights in it",
                      "expected what Keras' `save_weights` writes; of a model around a base, save the base alone")
    try:
        return fitted(lanes, architecture)
    except Misfit as misfit:
        others = [other.title for other in architectures().values() if other is not architecture and fits(lanes, other)]
        if others:
            raise Failure(f"{path}: expected the weights of {architecture.title}, found those of {others[0]}",
                          "give the base's NAME that fits the file") from misfit
        raise Failure(f"{path}: expected the weights of {architecture.title}, found others: {misfit}") from misfit


def survives(path):
    """Reads the file in a process of its own: HDF5 trusts what it reads, and some damaged files end it by a signal."""
    import h5py

    child = os.fork()
    if child == 0:
        try:
            with h5py.File(path, "r") as file:
                saved_layers(file)
        finally:
            # Whatever else is wrong with the file, the parent will meet and tell it.
            os._exit(0)
    return os.WIFEXITED(os.waitpid(child, 0)[1])


def saved_layers(file):
    """Lane -> layers in order."""
    root = file["model_weights"] if "model_weights" in file else file
    if "layer_names" in root.attrs or "layer_names0" in root.attrs:
        names = attribute(root, "layer_names")
        layers = [Saved(name, [root[name][weight][()] for weight in attribute(root[name], "weight_names")])
                  for name in names]
        layers = [layer for layer in layers if layer.arrays]
        return {ALL: layers} if layers else {}
    container = next((name for name in CONTAINERS if name in root), None)
    lanes = defaultdict(list)
    for entry in sorted(root[container] if container else (), key=numbered):
        variables = root[container][entry].get("vars", {})
        arrays = [variables[name][()] for name in sorted(variables, key=int)]
        if arrays:
            lanes[numbered(entry)[0]].append(Saved(text(variables.attrs.get("name", entry)), arrays))
    return dict(lanes)


def attribute(group, name):
    """A list of texts, which Keras cuts in pieces (`layer_names0`, …) where it is long."""
    if name in group.attrs:
        return [text(word) for word in group.attrs[name]]
    words, piece = [], 0
    while f"{name}{piece}" in group.attrs:
        words += [text(word) for word in group.attrs[f"{name}{piece}"]]
        piece += 1
    return words


def text(word):
    return word.decode("utf-8") if isinstance(word, bytes) else str(word)


def numbered(entry):
    """(class, number) of `conv2d_12`; the first of a class has no number."""
    found = re.fullmatch(r"(.*?)(?:_(\d+))?", entry)
    return found[1], int(found[2] or 0)


def fits(lanes, architecture):
    try:
        fitted(lanes, architecture)
        return True
    except Misfit:
        return False


def fitted(lanes, architecture):
    """`layer/variable` -> array, where all layers, shapes and nothing but a classifier behind them are there."""
    expected = {ALL: list(architecture.layers)} if ALL in lanes else by_class(architecture)
    arrays = {}
    for lane, names in expected.items():
        for name, saved in paired(lanes.get(lane, []), names):
            variables = architecture.layers[name]
            if len(saved.arrays) != len(variables):
                raise Misfit(f"{saved.name}, which should be {name}: expected {len(variables)} tensors, "
                             f"found {len(saved.arrays)}")
            arrays.update((f"{name}/{variable}", array) for variable, array in zip(variables, saved.arrays))
    differ = [f"{name}: expected {list(shape)}, found {list(arrays[name].shape)}"
              for name, shape in architecture.shapes().items() if arrays[name].shape != shape]
    if differ:
        raise Misfit(listed(differ))
    strange = [layer.name for lane, layers in lanes.items() if lane not in expected for layer in layers
               if not classifies(layer)]
    if strange:
        raise Misfit(f"{strange[0]} is a layer too many")
    return {name: arrays[name] for name in architecture.shapes()}


def by_class(architecture):
    """Keras' class, in the spelling of its files -> layers, in order."""
    lanes = defaultdict(list)
    for name, variables in architecture.layers.items():
        if "moving_mean" in variables:
            lane = "batch_normalization"
        elif "depthwise_kernel" in variables:
            lane = "separable_conv2d"
        else:
            lane = "depthwise_conv2d" if variables["kernel"][3] == 1 else "conv2d"
        lanes[lane].append(name)
    return lanes


def paired(layers, names):
    """(name, layer): by name where all names are known, else in order. Behind them may stand a classifier."""
    known = {layer.name: layer for layer in layers}
    if all(name in known for name in names):
        last = max((position for position, layer in enumerate(layers) if layer.name in names), default=-1)
        surplus = [layer for position, layer in enumerate(layers)
                   if layer.name not in names and (position < last or not classifies(layer))]
        pairs = [(name, known[name]) for name in names]
    else:
        if len(layers) < len(names):
            raise Misfit(f"expected {len(names)} layers like {names[0]}, found {len(layers)}")
        surplus = [layer for layer in layers[len(names):] if not classifies(layer)]
        pairs = list(zip(names, layers))
    if surplus:
        raise Misfit(f"{surplus[0].name} is a layer too many")
    return pairs


def classifies(layer):
    """A dense layer, or MobileNet's 1 × 1 convolution in place of one."""
    kernel = layer.arrays[0]
    return kernel.ndim == 2 or (kernel.ndim == 4 and kernel.shape[:2] == (1, 1) and len(layer.arrays) == 2)
