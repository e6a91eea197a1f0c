"""Our own .safetensors files, and those of others.

The `safetensors` package reads the tensors. Its writer shuffles the metadata from one run to the next, so the few
lines that write stand here: eight bytes of header length, a JSON header, the tensors without gaps.
"""

import hashlib
import json
import os
import struct

from conversion.architecture import product
from conversion.tensors import Unfit, packed
from report import Failure

# The format's own limit; without it a damaged length asks for all the memory there is.
LARGEST_HEADER = 100_000_000
BLOCK = 1 << 20


def header(path):
    """The JSON header and the offset at which the tensors begin; needs no package."""
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


def shapes(path):
    """Name -> shape, for float32 tensors that lie inside the file."""
    entries, start = header(path)
    size, found = path.stat().st_size, {}
    for name, entry in entries.items():
        try:
            shape, (begin, end) = tuple(entry["shape"]), entry["data_offsets"]
            whole = 0 <= begin and begin + 4 * product(shape) == end <= size - start
            if name != "__metadata__" and entry["dtype"] == "F32" and whole:
                found[name] = shape
        except (KeyError, TypeError, ValueError):
            continue
    return found


def content_digest(path):
    """sha256 of the tensors as they lie in the file."""
    running = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(header(path)[1])
        for block in iter(lambda: file.read(BLOCK), b""):
            running.update(block)
    return f"sha256:{running.hexdigest()}"


def read(path, wanted=None):
    """Name -> array, and all names; `wanted` limits what is read (a classifier can be ten times the base)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            return {name: tensor(file, name) for name in names if wanted is None or name in wanted}, names
    except (SafetensorError, OSError) as error:
        raise Failure(f"{path}: not a safetensors file, or cut short: {error}") from error


def tensor(file, name):
    part = file.get_slice(name)
    if part.get_dtype() != "F32":
        # numpy has no bfloat16 to put it into, and nothing here wants another one.
        return Unfit(part.get_dtype(), tuple(part.get_shape()))
    return file.get_tensor(name)


def write(path, arrays, file_metadata):
    """Appears whole or not at all; the same tensors and metadata always give the same bytes.

    `content` is added to the metadata: the digest of the tensors' bytes, by which a later run sees that all is whole.
    """
    contents = [packed(array) for array in arrays.values()]
    running = hashlib.sha256()
    for content in contents:
        running.update(content)
    file_metadata = {**file_metadata, "content": f"sha256:{running.hexdigest()}"}
    entries, offset = {"__metadata__": dict(sorted(file_metadata.items()))}, 0
    for (name, array), content in zip(arrays.items(), contents):
        entries[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + len(content)]}
        offset += len(content)
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    # Spaces to a multiple of eight, so that a memory map of the tensors is aligned.
    text += b" " * (-len(text) % 8)
    appear(path, [struct.pack("<Q", len(text)), text, *contents])


def appear(path, parts):
    """A file under its name only when all of it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            for part in parts:
                file.write(part)
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
