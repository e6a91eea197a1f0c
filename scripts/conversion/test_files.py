"""Makes VGG16 files of every format for the tests, with writers that share nothing with the readers."""

import collections
import io
import pickle
import random
import struct
import sys
import types
import zipfile

from conversion import vgg16
from conversion.vgg16 import Tensor


def random_base(seed=0, shapes=None):
    """The right names and shapes with random numbers (no NaN: their bits need not survive a copy)."""
    source = random.Random(seed)
    small_exponent = bytes(value & 0xBF for value in range(256))
    tensors = {}
    for name, shape in (shapes or vgg16.expected_shapes()).items():
        data = bytearray(source.getrandbits(32 * vgg16.product(shape)).to_bytes(4 * vgg16.product(shape), "little"))
        data[3::4] = data[3::4].translate(small_exponent)
        tensors[name] = Tensor("F32", shape, bytes(data))
    return tensors


def write_safetensors(path, tensors, **extra):
    """In reverse order, with a classifier, as another program might."""
    tensors = dict(reversed(list({**tensors, "classifier.0.bias": Tensor("F32", (2,), bytes(8))}.items())))
    header, offset = dict(extra), 0
    for name, tensor in tensors.items():
        end = offset + len(tensor.data)
        header[name] = {"data_offsets": [offset, end], "dtype": "F32", "shape": list(tensor.shape)}
        offset = end
    text = repr(header).replace("'", '"').encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(tensor.data for tensor in tensors.values()))


class TorchPickler(pickle.Pickler):
    """Writes references to storages as torch.save does."""

    def persistent_id(self, value):
        if isinstance(value, FakeStorage):
            reference = ("storage", sys.modules["torch"].FloatStorage, value.key, "cpu", value.items)
            return reference + (None,) if value.legacy else reference
        return None


FakeStorage = collections.namedtuple("FakeStorage", "key items legacy")


class FakeTensor:
    def __init__(self, storage, shape, legacy):
        self.storage, self.shape, self.legacy = storage, shape, legacy

    def __reduce__(self):
        utils = sys.modules["torch._utils"]
        strides = tuple(vgg16.product(self.shape[axis + 1:]) for axis in range(len(self.shape)))
        if self.legacy:
            return utils._rebuild_tensor, (self.storage, 0, self.shape, strides)
        return utils._rebuild_tensor_v2, (self.storage, 0, self.shape, strides, False, collections.OrderedDict())


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
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        return work()
    finally:
        del sys.modules["torch"], sys.modules["torch._utils"]


def pickled(tensors, legacy, extra=None):
    """The pickle of a state dict, with torch's `_metadata` attribute on the mapping."""

    def work():
        state = collections.OrderedDict()
        for position, (name, tensor) in enumerate(tensors.items()):
            storage = FakeStorage(str(position), len(tensor.data) // 4, legacy)
            state[name] = FakeTensor(storage, tensor.shape, legacy)
        state.update(extra or {})
        state._metadata = {"": {"version": 1}}
        buffer = io.BytesIO()
        TorchPickler(buffer, 2).dump(state)
        return buffer.getvalue()

    return with_fake_torch(work)


def write_pth(path, tensors, extra=None, program=None):
    """torch.save since 1.6."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", program or pickled(tensors, False, extra))
        archive.writestr("archive/byteorder", "little")
        for position, tensor in enumerate(tensors.values()):
            archive.writestr(f"archive/data/{position}", tensor.data)
        archive.writestr("archive/version", "3\n")


def write_legacy_pth(path, tensors, extra=None):
    """torch.save before 1.6."""
    keys = [str(position) for position in range(len(tensors))]
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    with path.open("wb") as file:
        for value in (0x1950A86A20F9469CFC6C, 1001, system):
            pickle.dump(value, file, 2)
        file.write(pickled(tensors, True, extra))
        pickle.dump(keys, file, 2)
        for tensor in tensors.values():
            file.write(struct.pack("<q", len(tensor.data) // 4) + tensor.data)


def message(*parts):
    """A protobuf message of (field number, bytes or integer)."""
    data = b""
    for number, value in parts:
        if isinstance(value, int):
            data += number_bytes(number << 3) + number_bytes(value)
        else:
            data += number_bytes(number << 3 | 2) + number_bytes(len(value)) + value
    return data


def number_bytes(value):
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def write_onnx(path, tensors):
    """A graph whose initializers stand in another order than its convolutions, with a ReLU after each."""
    initializers = [
        message(*((1, size) for size in tensor.shape), (2, 1), (8, f"w{name}".encode()), (9, tensor.data))
        for name, tensor in reversed(list(tensors.items()))]
    nodes, value = [], b"pixels"
    for layer in vgg16.LAYERS:
        weight, bias = f"wfeatures.{layer}.weight".encode(), f"wfeatures.{layer}.bias".encode()
        out = f"out{layer}".encode()
        nodes.append(message((1, value), (1, weight), (1, bias), (2, out), (4, b"Conv")))
        nodes.append(message((1, out), (2, out + b"r"), (4, b"Relu")))
        value = out + b"r"
    graph = message(*((1, node) for node in nodes), (2, b"vgg16"), *((5, content) for content in initializers))
    path.write_bytes(message((1, 8), (7, graph)))


def write_keras(path, tensors):
    import h5py
    import numpy

    with h5py.File(path, "w") as file:
        for layer, name in zip(vgg16.LAYERS, vgg16.KERAS_LAYERS):
            weight, bias = tensors[f"features.{layer}.weight"], tensors[f"features.{layer}.bias"]
            kernel = numpy.frombuffer(weight.data, "<f4").reshape(weight.shape).transpose(2, 3, 1, 0)
            file[f"{name}/{name}_W_1:0"] = kernel
            file[f"{name}/{name}_b_1:0"] = numpy.frombuffer(bias.data, "<f4")
        file.create_group("block1_pool")
