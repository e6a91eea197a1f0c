"""Draws valid feature stores from a seed, without photographs and without VGG16."""

import hashlib
import random

from endurance.store import StoreWriter

CLASSES = ["feathers", "leaves"]
SHARD_SIZE = 1024
# Bytes of random float16 numbers: without sign and first bit of the exponent, they lie between 0 and 2.
NUMBERS = bytes(byte & 0x3F for byte in range(256))
# For the second class some numbers are never tiny: a weak signal.
RAISED = bytes(byte & 0x3F | 0x20 for byte in range(256))
RAISED_BYTES = 1024


def draw_store(folder, rows, image_size, seed):
    """A store of two classes and block5_pool features in float16; the same seed gives the same bytes."""
    listing = [(f"{CLASSES[label]}/{number:06}.jpg", label) for label in (0, 1)
               for number in range(rows - rows // 2 if label == 0 else rows // 2)]
    spec = {"architecture": "vgg16", "weights": "sha256:" + hashlib.sha256(b"drawn").hexdigest(),
            "layer": "block5_pool", "pooling": "none", "image_size": [image_size] * 2,
            "interpolation": "nearest", "preprocess": "rescale", "shape": shape(image_size)}
    writer = StoreWriter(folder, listing, spec, CLASSES, SHARD_SIZE, dtype="float16")
    writer.begin()
    for shard in range(writer.shards):
        photographs = [listing[position] for position in writer.positions(shard)]
        details = [{"width": image_size, "height": image_size,
                    "sha256": hashlib.sha256(path.encode()).hexdigest()} for path, _ in photographs]
        labels = [label for _, label in photographs]
        writer.write(shard, features(f"{seed} {rows} {shard}", labels, row_bytes(image_size)), details)


def shape(image_size):
    """Five times halved, dropping what is left over."""
    return [image_size // 32, image_size // 32, 512]


def row_bytes(image_size):
    height, width, channels = shape(image_size)
    return 2 * height * width * channels


def features(seed, labels, size):
    """Random float16 numbers, `size` bytes a row, finite whatever is drawn."""
    chance = random.Random(seed)
    pieces = []
    for label in labels:
        drawn = chance.getrandbits(8 * size).to_bytes(size, "little")
        signal = drawn[:RAISED_BYTES].translate(RAISED if label else NUMBERS)
        pieces += [signal, drawn[RAISED_BYTES:].translate(NUMBERS)]
    return b"".join(pieces)
