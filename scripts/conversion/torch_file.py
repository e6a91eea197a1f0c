"""Reads a PyTorch state dict (.pth) without running a word of it.

Such a file is a pickle, and a pickle is a program: it may name any function of
Python and call it. Here every name is looked up in a list of a few stand-ins
that do nothing but carry their arguments; any other name ends the reading.
"""

import io
import pickle
import struct
import zipfile
from collections import namedtuple

from conversion.architecture import product
from conversion.tensors import Unfit
from report import Failure

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
# A state dict's program is some kilobytes; the weights lie outside of it.
LARGEST_PICKLE = 16_000_000

STORAGES = {
    "FloatStorage": ("F32", 4), "DoubleStorage": ("F64", 8), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1),
}

StorageKind = namedtuple("StorageKind", "dtype item_size")
Storage = namedtuple("Storage", "key kind items")
View = namedtuple("View", "storage offset shape strides")


class Refused(pickle.UnpicklingError):
    """The pickle wants something that no state dict needs."""


class Mapping(dict):
    """For collections.OrderedDict."""

    __slots__ = ()

    def __setstate__(self, state):
        """A state dict's `_metadata` attribute: of no use here."""


class Call:
    """For a function of torch: called, it returns what its own few lines say."""

    __slots__ = ("_action",)

    def __init__(self, action):
        self._action = action

    def __call__(self, *arguments):
        return self._action(*arguments)

    def __setstate__(self, state):
        raise Refused("it changes a function")


class Parameter:
    """For torch.nn.Parameter as files of 2017 hold it: made around its tensor, then given a state."""

    __slots__ = ("data",)

    def __new__(cls, data=None, *_):
        made = object.__new__(cls)
        made.data = data
        return made

    def __init__(self, *_):
        pass

    def __setstate__(self, state):
        """Whether it wants a gradient: of no use here."""


def tensor(storage, offset, shape, strides, *_):
    if not isinstance(storage, Storage):
        raise Refused("a tensor without a storage")
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise Refused("a tensor with a malformed shape")
    return View(storage, offset, tuple(shape), tuple(strides))


def new_object(kind, *arguments):
    if kind is not Parameter:
        raise Refused("it makes an object that is not a parameter")
    return Parameter(*arguments)


STAND_INS = {
    ("collections", "OrderedDict"): Mapping,
    ("torch._utils", "_rebuild_tensor"): Call(tensor),
    ("torch._utils", "_rebuild_tensor_v2"): Call(tensor),
    ("torch._utils", "_rebuild_parameter"): Call(lambda data, *_: data),
    ("torch.nn.parameter", "Parameter"): Parameter,
    ("copy_reg", "__newobj__"): Call(new_object),
    ("copyreg", "__newobj__"): Call(new_object),
}
STAND_INS.update({("torch", name): StorageKind(*kind) for name, kind in STORAGES.items()})


class Reader(pickle.Unpickler):
    """Knows the stand-ins and the references to storages, and nothing else."""

    def __init__(self, file):
        super().__init__(file, encoding="latin-1")
        self.storages = {}

    def find_class(self, module, name):
        try:
            return STAND_INS[module, name]
        except KeyError:
            raise Refused(f"it names {module}.{name}, which no state dict needs") from None

    def persistent_load(self, reference):
        if not isinstance(reference, tuple) or len(reference) < 5 or reference[0] != "storage":
            raise Refused("a reference that is not a storage")
        kind, key, items = reference[1], reference[2], reference[4]
        if not isinstance(kind, StorageKind) or not isinstance(items, int) or items < 0:
            raise Refused("a malformed storage")
        if len(reference) > 5 and reference[5] is not None:
            raise Refused("a storage that is a part of another one")
        return self.storages.setdefault(str(key), Storage(str(key), kind, items))


def read(path, wanted):
    """Name -> array of the `wanted` names in either of torch's formats, and all names. Needs numpy."""
    try:
        if zipfile.is_zipfile(path):
            return read_zip(path, wanted)
        return read_legacy(path, wanted)
    except Failure:
        raise
    except Refused as error:
        raise Failure(f"{path}: refused, nothing in it was run: {error}",
                      "save only the weights: `torch.save(model.state_dict(), FILE)`") from error
    except Exception as error:  # A damaged pickle can end in nearly any exception.
        raise Failure(f"{path}: not a PyTorch state dict, or cut short: {error or type(error).__name__}",
                      "expected what `torch.save(model.state_dict(), FILE)` writes") from error


def read_zip(path, wanted):
    """torch 1.6 and newer: a zip of the pickle and one uncompressed entry per storage."""
    with zipfile.ZipFile(path) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1:
            raise Failure(f"{path}: expected one data.pkl in it, found {len(pickles)}")
        folder = pickles[0].rpartition("/")[0]
        if f"{folder}/byteorder" in archive.namelist() and archive.read(f"{folder}/byteorder").strip() != b"little":
            raise Failure(f"{path}: expected little-endian numbers, found big-endian ones")
        if archive.getinfo(pickles[0]).file_size > LARGEST_PICKLE:
            raise Failure(f"{path}: its pickle is too large for a state dict")
        views, names = views_of(Reader(io.BytesIO(archive.read(pickles[0]))).load(), path, wanted)

        def content(storage):
            expected = storage.items * storage.kind.item_size
            entry = archive.getinfo(f"{folder}/data/{storage.key}")
            if entry.file_size != expected:
                raise Failure(f"{path}: storage {storage.key}: expected {expected} bytes, found {entry.file_size}")
            return archive.read(entry)

        return {name: cut(view, content(view.storage), path, name) for name, view in views.items()}, names


def read_legacy(path, wanted):
    """torch before 1.6, torchvision's older files: five pickles, then the storages one after another."""
    with path.open("rb") as file:
        magic = Reader(file).load()
        if magic != LEGACY_MAGIC:
            raise Failure(f"{path}: not a PyTorch state dict: expected its magic number, found another pickle")
        protocol = Reader(file).load()
        system = Reader(file).load()
        if protocol != LEGACY_PROTOCOL or not (isinstance(system, dict) and system.get("little_endian") is True):
            raise Failure(f"{path}: expected a little-endian file of protocol {LEGACY_PROTOCOL}")
        reader = Reader(file)
        views, names = views_of(reader.load(), path, wanted)
        needed = {view.storage.key for view in views.values()}
        contents = {}
        for key in map(str, Reader(file).load()):
            (items,) = struct.unpack("<q", file.read(8))
            storage = reader.storages[key]
            if items != storage.items:
                raise Failure(f"{path}: storage {key}: expected {storage.items} numbers, found {items}")
            if key in needed:
                contents[key] = file.read(items * storage.kind.item_size)
            else:
                file.seek(items * storage.kind.item_size, io.SEEK_CUR)
        return {name: cut(view, contents[view.storage.key], path, name) for name, view in views.items()}, names


def views_of(state, path, wanted):
    """The wanted tensors of what the pickle holds, a state dict or a checkpoint around one; and all names."""
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict):
        raise Failure(f"{path}: expected a state dict, found {type(state).__name__}")
    views = {}
    for name in wanted:
        value = state.get(name)
        value = value.data if isinstance(value, Parameter) else value
        if isinstance(value, View):
            views[name] = value
    return views, [name for name in state if isinstance(name, str)]


def cut(view, content, path, name):
    """The tensor's own numbers out of its storage, gathered by its strides: they need not lie in order."""
    import numpy

    if view.storage.kind.dtype != "F32":
        return Unfit(view.storage.kind.dtype, view.shape)
    numbers = numpy.frombuffer(content[:len(content) // 4 * 4], dtype="<f4")
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides))
    # A stride of 0 could make a small storage look like a tensor of any size.
    if product(view.shape) > len(numbers) or last >= len(numbers):
        raise Failure(f"{path}: cut short: {name}: expected {last + 1} numbers of storage, found {len(numbers)}")
    strides = [4 * stride for stride in view.strides]
    return numpy.lib.stride_tricks.as_strided(numbers[view.offset:], view.shape, strides, writeable=False).copy()
