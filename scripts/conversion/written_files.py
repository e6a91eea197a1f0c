"""Small files of every format for the tests, with writers that share nothing with the readers."""

import collections
import io
import pickle
import struct
import sys
import types
import zipfile

import numpy

from conversion.architecture import Architecture

# A VGG of three layers, and a base with every kind of layer; both small enough to be damaged a thousand times.
VGG = Architecture("small_vgg", "Small VGG", "caffe", None, {
    "block1_conv1": {"kernel": [3, 3, 3, 4], "bias": [4]}, "block1_conv2": {"kernel": [3, 3, 4, 5], "bias": [5]},
    "block2_conv1": {"kernel": [3, 3, 5, 6], "bias": [6]}})
MIXED = Architecture("small_mixed", "Small Mixed", "tf", None, {
    "conv2d": {"kernel": [3, 3, 3, 4]},
    "batch_normalization": {"beta": [4], "moving_mean": [4], "moving_variance": [4]},
    "conv2d_1": {"kernel": [1, 1, 4, 4]},
    "batch_normalization_1": {"beta": [4], "moving_mean": [4], "moving_variance": [4]},
    "sepconv": {"depthwise_kernel": [3, 3, 4, 1], "pointwise_kernel": [1, 1, 4, 6]},
    "sepconv_bn": {"gamma": [6], "beta": [6], "moving_mean": [6], "moving_variance": [6]},
    "dw": {"kernel": [5, 5, 6, 1]}})
# The numbers by which torchvision names the layers of VGG.
POSITIONS = {"block1_conv1": 0, "block1_conv2": 2, "block2_conv1": 5}
KERAS_CLASSES = {"conv2d": "conv2d", "conv2d_1": "conv2d", "sepconv": "separable_conv2d", "dw": "depthwise_conv2d"}


def drawn(architecture, seed=0):
    """The right names and shapes with random numbers."""
    chance = numpy.random.default_rng(seed)
    return {name: chance.random(shape, dtype=numpy.float32) for name, shape in architecture.shapes().items()}


def state_dict(arrays):
    """torchvision's names and layout, with a classifier."""
    state = {}
    for name, array in arrays.items():
        layer, variable = name.split("/")
        kernel = variable == "kernel"
        state[f"features.{POSITIONS[layer]}.{'weight' if kernel else 'bias'}"] = (
            numpy.ascontiguousarray(array.transpose(3, 2, 0, 1)) if kernel else array)
    return {**state, "classifier.0.bias": numpy.zeros(2, dtype=numpy.float32)}


def write_safetensors(path, arrays, **extra):
    """In reverse order, as another program might."""
    header, offset = dict(extra), 0
    arrays = dict(reversed(list(arrays.items())))
    for name, array in arrays.items():
        header[name] = {"data_offsets": [offset, offset + array.nbytes], "dtype": "F32", "shape": list(array.shape)}
        offset += array.nbytes
    text = repr(header).replace("'", '"').encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in arrays.values()))


class TorchPickler(pickle.Pickler):
    """Writes references to storages as torch.save does."""

    def persistent_id(self, value):
        if isinstance(value, FakeStorage):
            reference = ("storage", sys.modules["torch"].FloatStorage, value.key, "cpu", value.items)
            return reference + (None,) if value.legacy else reference
        return None


FakeStorage = collections.namedtuple("FakeStorage", "key items legacy")


class FakeTensor:
    def __init__(self, storage, shape, strides, legacy):
        self.storage, self.shape, self.strides, self.legacy = storage, shape, strides, legacy

    def __reduce__(self):
        utils = sys.modules["torch._utils"]
        if self.legacy:
            return utils._rebuild_tensor, (self.storage, 0, self.shape, self.strides)
        return utils._rebuild_tensor_v2, (self.storage, 0, self.shape, self.strides, False, collections.OrderedDict())


def with_fake_torch(work):
    """The pickler looks names up where it writes them; for that, torch only has to seem to be there."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch._utils = utils
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
        def function(*_):
            pass

        function.__module__, function.__qualname__, function.__name__ = "torch._utils", name, name
        setattr(utils, name, function)
    found = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        return work()
    finally:
        for name, module in found.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def pickled(arrays, legacy, extra=None, strides=None):
    """The pickle of a state dict, with torch's `_metadata` attribute on the mapping."""

    def work():
        state = collections.OrderedDict()
        for position, (name, array) in enumerate(arrays.items()):
            storage = FakeStorage(str(position), array.size, legacy)
            steps = (strides or {}).get(name, tuple(step // 4 for step in array.strides))
            state[name] = FakeTensor(storage, array.shape, steps, legacy)
        state.update(extra or {})
        state._metadata = {"": {"version": 1}}
        buffer = io.BytesIO()
        TorchPickler(buffer, 2).dump(state)
        return buffer.getvalue()

    return with_fake_torch(work)


def stored(array):
    """The array's bytes as they lie in memory, whatever its strides."""
    return array.transpose(sorted(range(array.ndim), key=lambda axis: -array.strides[axis])).tobytes()


def write_pth(path, arrays, extra=None, program=None):
    """torch.save since 1.6."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", program or pickled(arrays, False, extra))
        archive.writestr("archive/byteorder", "little")
        for position, array in enumerate(arrays.values()):
            archive.writestr(f"archive/data/{position}", stored(array))
        archive.writestr("archive/version", "3\n")


def write_legacy_pth(path, arrays, extra=None, strides=None):
    """torch.save before 1.6."""
    keys = [str(position) for position in range(len(arrays))]
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    with path.open("wb") as file:
        for value in (0x1950A86A20F9469CFC6C, 1001, system):
            pickle.dump(value, file, 2)
        file.write(pickled(arrays, True, extra, strides))
        pickle.dump(keys, file, 2)
        for array in arrays.values():
            file.write(struct.pack("<q", array.size) + stored(array))


def write_onnx(path, arrays, external=False):
    """A graph whose initializers stand in another order than its convolutions, one behind an Identity, a ReLU each."""
    from onnx import TensorProto, helper, numpy_helper, save_model

    initializers, nodes, value = [], [], "pixels"
    for layer in dict.fromkeys(name.split("/")[0] for name in arrays):
        kernel = numpy.ascontiguousarray(arrays[f"{layer}/kernel"].transpose(3, 2, 0, 1))
        initializers = [numpy_helper.from_array(kernel, f"{layer}_w"),
                        numpy_helper.from_array(arrays[f"{layer}/bias"], f"{layer}_b"), *initializers]
        nodes += [helper.make_node("Identity", [f"{layer}_w"], [f"{layer}_same"]),
                  helper.make_node("Conv", [value, f"{layer}_same", f"{layer}_b"], [layer]),
                  helper.make_node("Relu", [layer], [f"{layer}_relu"])]
        value = f"{layer}_relu"
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("pixels", value)]
    model = helper.make_model(helper.make_graph(nodes, "graph", ends[:1], ends[1:], initializers))
    save_model(model, path, save_as_external_data=external, location=f"{path.name}.data", size_threshold=0)


def write_keras(path, arrays, names=None, classifier=None, whole=False, pieces=1):
    """What Keras' `save_weights` wrote until Keras 2; `names` numbers the layers otherwise."""
    import h5py

    layers = grouped(arrays)
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        saved = {(names or {}).get(layer, layer): variables for layer, variables in layers.items()}
        saved = {"input_1": {}, **saved, **(classifier or {})}
        listed = [name.encode() for name in saved]
        if pieces == 1:
            root.attrs["layer_names"] = listed
        for piece in range(pieces if pieces > 1 else 0):
            root.attrs[f"layer_names{piece}"] = listed[piece * len(listed) // pieces:(piece + 1) * len(listed) // pieces]
        for name, variables in saved.items():
            group = root.create_group(name)
            # As the oldest files have it: the dataset's name says little.
            group.attrs["weight_names"] = [f"{name}_{variable}_1:0".encode() for variable in variables]
            for variable, array in variables.items():
                group[f"{name}_{variable}_1:0"] = array


def write_keras3(path, arrays, classes, named=True, container="layers"):
    """`.weights.h5`: groups by class and number, which hdf5 sorts as text; the layers' names as attributes or not."""
    import h5py

    counts = collections.Counter()
    with h5py.File(path, "w") as file:
        file.create_group("vars")
        for layer, variables in grouped(arrays).items():
            kind = "batch_normalization" if "moving_mean" in variables else classes.get(layer, "conv2d")
            number = counts[kind]
            counts[kind] += 1
            group = file.create_group(f"{container}/{kind}{f'_{number}' if number else ''}/vars")
            if named:
                group.attrs["name"] = layer
            for position, array in enumerate(variables.values()):
                group[str(position)] = array
        file.create_group(f"{container}/activation/vars")


def grouped(arrays):
    """Layer -> variable -> array."""
    layers = {}
    for name, array in arrays.items():
        layer, variable = name.split("/")
        layers.setdefault(layer, {})[variable] = array
    return layers
