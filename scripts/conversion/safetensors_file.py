"""Reads and writes .safetensors: eight bytes of header length, a JSON header, the tensors without gaps."""

import json
import os
import struct

from conversion.vgg16 import Tensor, product
from report import Failure

# The format's own limit; without it a damaged length asks for all the memory there is.
LARGEST_HEADER = 100_000_000
ITEM_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def header(path):
    """The JSON header and the offset at which the tensors begin."""
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 2 <= length <= min(LARGEST_HEADER, size - 8):
            raise Failure(f"{path}: not a safetensors file, or cut short: expected a header of "
                          f"{length} bytes, found a file of {size} bytes")
        try:
            entries = json.loads(file.read(length))
        except ValueError as error:
            raise Failure(f"{path}: the safetensors header is not JSON: {error}") from error
    if not isinstance(entries, dict):
        raise Failure(f"{path}: the safetensors header is not a JSON object")
    return entries, 8 + length


def metadata(path):
    found = header(path)[0].get("__metadata__", {})
    return found if isinstance(found, dict) else {}


def read(path, wanted=None):
    """Name -> Tensor; `wanted` limits what is read (a classifier can be ten times the base)."""
    entries, start = header(path)
    size = path.stat().st_size
    tensors = {}
    with path.open("rb") as file:
        for name, entry in entries.items():
            if name == "__metadata__" or (wanted is not None and name not in wanted):
                continue
            try:
                dtype, shape = entry["dtype"], tuple(int(side) for side in entry["shape"])
                begin, end = (int(offset) for offset in entry["data_offsets"])
            except (KeyError, TypeError, ValueError) as error:
                raise Failure(f"{path}: {name}: malformed entry in the safetensors header") from error
            if not 0 <= begin <= end <= size - start:
                raise Failure(f"{path}: cut short: {name} ends at byte {start + end}, found {size} bytes")
            if dtype in ITEM_SIZES and end - begin != ITEM_SIZES[dtype] * product(shape):
                raise Failure(f"{path}: {name}: expected {ITEM_SIZES[dtype] * product(shape)} bytes, "
                              f"found {end - begin}")
            file.seek(start + begin)
            tensors[name] = Tensor(dtype, shape, file.read(end - begin))
    return tensors


def write(path, tensors, file_metadata):
    """Appears whole or not at all; the same tensors and metadata always give the same bytes."""
    entries, offset = {"__metadata__": dict(sorted(file_metadata.items()))}, 0
    for name, tensor in tensors.items():
        length = memoryview(tensor.data).nbytes
        entries[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape),
                         "data_offsets": [offset, offset + length]}
        offset += length
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    # Spaces to a multiple of eight, so that a memory map of the tensors is aligned.
    text += b" " * (-len(text) % 8)

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(struct.pack("<Q", len(text)))
            file.write(text)
            for tensor in tensors.values():
                file.write(tensor.data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
