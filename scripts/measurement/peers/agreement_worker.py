"""Helps scripts/bench-peers to compare features.

    copy FOLDER COUNT TARGET        copies photographs, spread over all, as PNG: every program decodes those to the
                                    same pixels, which it does not with JPEG
    prepare FOLDER COUNT TARGET N   the same at N × N pixels, as BMP: hardly anything is left to decode
    compare REFERENCE OTHER...      arrays and stores of features with a store
    draw BASE FILE                  weights of a base that were never trained
    cut EXPORTED FILE               an exported model without its head
    quantise GRAPH FOLDER COUNT N FILE
                                    the model in 8 bits, its ranges those that photographs have at N × N pixels
"""

import sys

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 3)[0]

import json
from pathlib import Path

import numpy
from PIL import Image

from measurement.agreement import agreement
from measurement.peers.work import listing, spread
from report import run, say


def copy(folder, count, target):
    # Small files are of no use here.
    return copied(folder, count, target, ".png", lambda photograph: photograph, compress_level=1)


def prepare(folder, count, target, side):
    size = (int(side), int(side))
    return copied(folder, count, target, ".bmp", lambda photograph: photograph.resize(size, Image.Resampling.NEAREST))


def copied(folder, count, target, suffix, change, **said):
    made = []
    for path in spread(listing(Path(folder)), int(count)):
        made.append(str(Path(path).with_suffix(suffix)))
        (Path(target) / path).parent.mkdir(parents=True, exist_ok=True)
        with Image.open(Path(folder) / path) as photograph:
            change(photograph.convert("RGB")).save(Path(target) / made[-1], **said)
    return {"paths": made}


def compare(reference, *others):
    expected = features(Path(reference))
    return {"agreement": [compared(Path(other), expected) for other in others]}


def draw(base, file):
    from conversion.architecture import architectures
    from exports import untrained

    untrained.write(architectures()[base], Path(file))
    return {}


def cut(exported, file):
    from measurement.peers import graph

    Path(file).write_bytes(graph.without_head(exported))
    return {}


def quantise(exported, folder, count, side, file):
    from measurement.peers import quantisation

    return quantisation.write(Path(exported), Path(folder), int(count), int(side), Path(file))


def compared(path, expected):
    try:
        return agreement(features(path), expected)
    except ValueError as error:
        return {"error": str(error)}


def features(path):
    """Of an array's file or of a store's shards."""
    if path.is_dir():
        return numpy.concatenate([numpy.load(shard, mmap_mode="r") for shard in sorted(path.glob("features-*.npy"))])
    return numpy.load(path, mmap_mode="r")


ACTIONS = {action.__name__: action for action in (copy, prepare, compare, draw, cut, quantise)}


def main():
    action, *words = sys.argv[1:]
    say(json.dumps(ACTIONS[action](*words)))


run("agreement", main)
