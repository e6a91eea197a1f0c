"""The tensors of a base: are they all there, and which weights are they? Needs numpy."""

import hashlib
from collections import namedtuple

from report import Failure

# Stands for a tensor whose numbers are no float32, or lie in another file.
Unfit = namedtuple("Unfit", "kind shape")
# So many differing tensors are named in an error.
NAMED = 5


def findings(arrays, architecture):
    """What is missing, misshapen, no float32 or no number at all, one text each."""
    import numpy

    found = []
    for name, shape in architecture.shapes().items():
        array = arrays.get(name)
        if array is None:
            found.append(f"{name}: missing")
        elif tuple(array.shape) != shape:
            found.append(f"{name}: expected {list(shape)}, found {list(array.shape)}")
        elif isinstance(array, Unfit):
            found.append(f"{name}: expected float32 (F32), found {array.kind}")
        elif array.dtype != numpy.float32:
            found.append(f"{name}: expected float32 (F32), found {array.dtype}")
        elif not numpy.isfinite(array).all():
            found.append(f"{name}: expected finite numbers, found an infinity or NaN")
        elif name.endswith("/moving_variance") and (array < 0).any():
            found.append(f"{name}: expected no variance below zero, found {array.min()}")
    return found


def checked(arrays, architecture, source):
    """The base's tensors in the graph's order; what differs is told in one error."""
    differ = findings(arrays, architecture)
    shapes = architecture.shapes()
    if differ:
        raise Failure(f"{source}: not the convolutional base of {architecture.title}, {len(differ)} of {len(shapes)} "
                      f"tensors differ: {listed(differ)}")
    return {name: arrays[name] for name in shapes}


def listed(texts):
    """The first few, and how many more there are."""
    more = f"; and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return "; ".join(texts[:NAMED]) + more


def digest(arrays):
    """The identity of the weights in a feature's spec: sha256 over float32 in the graph's order.

    A kernel [height, width, in, out] counts as [out, in, height, width]; a depthwise one [height, width, channels, 1]
    then has the bytes of [channels, 1, height, width].
    """
    running = hashlib.sha256()
    for array in arrays.values():
        running.update(packed(array.transpose(3, 2, 0, 1) if array.ndim == 4 else array))
    return f"sha256:{running.hexdigest()}"


def packed(array):
    """Little-endian float32 in C order, as bytes."""
    import numpy

    return numpy.ascontiguousarray(array, dtype="<f4").tobytes()
