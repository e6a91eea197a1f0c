"""Reads Keras' VGG16 weights (.h5). Needs h5py and numpy, which the caller has installed."""

from conversion import vgg16
from conversion.vgg16 import Tensor
from report import Failure


def read(path):
    import h5py
    import numpy

    found = {}

    def visit(name, item):
        if not isinstance(item, h5py.Dataset):
            return
        for layer in vgg16.KERAS_LAYERS:
            # Kernels and biases are told apart by their rank: Keras has renamed them more than once.
            if layer in name.split("/") and item.ndim in (1, 4):
                found[layer, item.ndim] = item[()]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise Failure(f"{path}: not an HDF5 file, or cut short: {error}",
                      "expected Keras' vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5") from error

    def tensor(array):
        if array is None:
            return None
        if array.ndim == 4:
            array = array.transpose(3, 2, 0, 1)  # [height, width, in, out] -> [out, in, height, width]
        dtype = "F32" if array.dtype == numpy.float32 else str(array.dtype)
        little = numpy.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        return Tensor(dtype, array.shape, little.tobytes())

    return vgg16.from_convolutions(
        (tensor(found.get((layer, 4))), tensor(found.get((layer, 1)))) for layer in vgg16.KERAS_LAYERS)
