"""What the peers of scripts/bench-peers share: photographs in, features out, and how long each part took.

Run by the throw-away interpreter. A framework that extracts brings a class:

    Base(network, precision, setting)   network: a Network, the base that everyone computes
    Base.settings(batch_sizes)          the texts that --setting may be, to choose the fastest from
    base.photographs                    how many it takes at once
    base.features(pixels)               uint8 [photographs, height, width, 3] to float32 [photographs, ...shape]
    base.told                           what the answer says of it besides, a dictionary; it may lack

The last line on stdout is one JSON object; `startup` counts from the worker's first line, imports included.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image

import repository
from conversion import safetensors_file, source_file
from conversion.architecture import architectures
from conversion.tensors import checked
from measurement.agreement import agreement, within
from measurement.photographs import classes_of, order_digest
from report import Failure, run, say

SIZE = (180, 180)
CALIBRATION_PHOTOGRAPHS = 32


@dataclass(frozen=True)
class Network:
    """The base that everyone computes, from bytes that are divided by 255."""

    name: str
    weights: Path
    # As `evaluator export` writes it, without a head; None for workers that have the base themselves.
    graph: Path
    # Height and width.
    size: tuple


def main(name, begun, base, versions, **further):
    """`further`: other actions, and `extract` of a framework that has a generator of its own."""
    run(name, lambda: work(arguments(), begun, base, versions, further))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--base", default=repository.BASE)
    parser.add_argument("--graph", type=Path)
    parser.add_argument("--image-size", type=int, default=SIZE[0])
    parser.add_argument("--precision", choices=["fp32", "bf16", "int8"], default="fp32")
    parser.add_argument("--setting", default="1")
    parser.add_argument("--batch-sizes", type=lambda text: [int(size) for size in text.split(",")], default=[1])
    parser.add_argument("--features", type=Path)
    parser.add_argument("--epochs", type=int, default=32)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--recipe", default="article")
    parser.add_argument("--share", type=float, default=0.3)
    for name in ("--rate", "--tolerance"):
        parser.add_argument(name, type=float)
    for name in ("--folds", "--model", "--checkpoint", "--test"):
        parser.add_argument(name, type=Path)
    return parser.parse_args()


def work(options, begun, base, versions, further):
    actions = {**({"extract": extract, "calibrate": calibrate} if base else {}), **further}
    if options.action not in actions:
        raise Failure(f"expected one of {', '.join(actions)}, found `{options.action}`")
    answer = actions[options.action](options, base, begun)
    say(json.dumps({**answer, "versions": versions}))


def extract(options, base_class, begun):
    """All photographs in order, decoded with Pillow in a plain loop."""
    base = base_class(network(options), options.precision, options.setting)
    clock, paths = Clock(begun), listing(options.images)
    features = None
    for first in range(0, len(paths), base.photographs):
        with clock.decoding():
            pixels = decoded(options.images, paths[first:first + base.photographs], network(options).size)
        with clock.convolving(len(pixels)):
            found = base.features(pixels)
        if features is None:
            features = numpy.empty((len(paths), *found.shape[1:]), dtype=numpy.float32)
        features[first:first + len(found)] = found
    numpy.save(options.out, features)
    return {**clock.answer(len(features)), "order": order_digest(paths), **getattr(base, "told", {})}


def calibrate(options, base_class, _):
    """Photographs per second of the forward pass for each setting. One that makes other features of them than the
    first one does is no choice, however fast it is: `apart` tells how far off it is."""
    known, paths = network(options), listing(options.images)[:CALIBRATION_PHOTOGRAPHS]
    pixels, rates, apart, expected = decoded(options.images, paths, known.size), {}, {}, None
    for setting in base_class.settings(options.batch_sizes):
        base = base_class(known, options.precision, setting)
        found = base.features(pixels[:base.photographs])
        expected = found if expected is None else expected
        rows = min(len(found), len(expected))
        difference = agreement(found[:rows], expected[:rows])
        if not within(difference, options.precision):
            apart[setting] = difference["relative"]
            continue
        begun = time.perf_counter()
        for first in range(0, len(pixels), base.photographs):
            base.features(pixels[first:first + base.photographs])
        rates[setting] = len(pixels) / (time.perf_counter() - begun)
    return {"rates": rates, "apart": apart}


class Clock:
    """Adds up where the time goes. The first pass warms the framework up and is no part of `forward`."""

    def __init__(self, begun):
        self.opened = time.perf_counter()
        self.startup = self.opened - begun
        self.decode, self.passes = 0.0, []

    def decoding(self):
        return Span(self.add_decode)

    def convolving(self, photographs):
        return Span(lambda seconds: self.passes.append((photographs, seconds)))

    def add_decode(self, seconds):
        self.decode += seconds

    def answer(self, rows):
        """`total`: from the first photograph opened to the features on disk."""
        photographs, seconds = (sum(column) for column in zip(*self.passes[1:])) if self.passes[1:] else (0, 0.0)
        return {"startup": self.startup, "decode": self.decode, "forward": seconds, "forward_rows": photographs,
                "total": time.perf_counter() - self.opened, "rows": rows}


class Span:
    """Gives the seconds of a `with` to a function."""

    def __init__(self, tell):
        self.tell = tell

    def __enter__(self):
        self.begun = time.perf_counter()

    def __exit__(self, *_):
        self.tell(time.perf_counter() - self.begun)


def network(options):
    return Network(options.base, options.weights, options.graph, (options.image_size, options.image_size))


def arrays(name, path):
    """`layer/variable` of a base, as Keras shapes it."""
    base = architectures()[name]
    return checked(source_file.named(path, base, safetensors_file), base, path)


def listing(folder):
    return [f"{name}/{path.name}" for name, paths in classes_of(folder).items() for path in paths]


def spread(paths, count, first=0):
    """At most so many of the paths, equally far apart; another `first` than 0 gives others, where there are more."""
    step = -(-len(paths) // count)
    return paths[min(first, step - 1)::step]


def decoded(folder, paths, size=SIZE):
    """uint8 [photographs, height, width, 3]; nearest neighbour, as Keras' load_img has it."""
    pixels = numpy.empty((len(paths), *size, 3), dtype=numpy.uint8)
    for position, path in enumerate(paths):
        with Image.open(folder / path) as photograph:
            pixels[position] = photograph.convert("RGB").resize(size[::-1], Image.Resampling.NEAREST)
    return pixels


def stored(folder):
    """Features and labels of a store."""
    shards = sorted(folder.glob("features-*.npy"))
    if not shards:
        raise Failure(f"{folder}: expected features-*.npy, found none")
    features = numpy.concatenate([numpy.load(shard) for shard in shards])
    labels = numpy.concatenate([numpy.load(folder / shard.name.replace("features-", "labels-")) for shard in shards])
    return features, labels


def split_store(folder, share=0.3):
    """Training and validation features and labels of a store: of each class the first rows validate, as in Keras."""
    features, labels = stored(folder)
    validates = numpy.zeros(len(labels), dtype=bool)
    for label in numpy.unique(labels):
        positions = numpy.flatnonzero(labels == label)
        validates[positions[:int(share * len(positions))]] = True
    return (features[~validates], labels[~validates]), (features[validates], labels[validates])
