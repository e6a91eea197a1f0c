"""Helps scripts/bench-peers to compare features.

    copy FOLDER COUNT TARGET      copies photographs, spread over all, as PNG: every program decodes those to the same
                                  pixels, which it does not with JPEG
    compare REFERENCE OTHER...    arrays and stores of features with a store
    draw BASE FILE                weights of a base that were never trained
    cut EXPORTED FILE             an exported model without its head
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
from measurement.peers.work import listing
from report import run, say


def copy(folder, count, target):
    paths = listing(Path(folder))
    step = -(-len(paths) // int(count))
    copied = []
    for path in paths[::step]:
        copied.append(str(Path(path).with_suffix(".png")))
        (Path(target) / path).parent.mkdir(parents=True, exist_ok=True)
        with Image.open(Path(folder) / path) as photograph:
            # Small files are of no use here.
            photograph.convert("RGB").save(Path(target) / copied[-1], compress_level=1)
    return {"paths": copied}


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


def main():
    action, *words = sys.argv[1:]
    say(json.dumps({"copy": copy, "compare": compare, "draw": draw, "cut": cut}[action](*words)))


run("agreement", main)
