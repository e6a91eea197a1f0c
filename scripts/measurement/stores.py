"""Features of a measurement's photographs, in fp32: each store is made once, for all parts that need it."""

import json
from dataclasses import dataclass
from pathlib import Path

from measurement import photographs
from measurement.ground import extraction_figures
from measurement.peers import roster
from report import Failure, say

LAYER = "block5_pool"


@dataclass
class Store:
    path: Path
    # Of the whole process that made it.
    seconds: float


class Stores:
    """`training` photographs and those of --images, `test`."""

    def __init__(self, ground):
        self.ground = ground
        self.paths, self.made = {}, {}

    def images(self, split):
        """A folder of links; how many is known afterwards."""
        folder = self.ground.folder / f"{split}-images"
        if split not in self.paths:
            options = self.ground.options
            source = options.images if split == "test" else training_images(options)
            self.paths[split] = photographs.farm(source, folder, options.images_limit)
        return folder

    def count(self, split):
        self.images(split)
        return len(self.paths[split])

    def get(self, split, recipe="article", layer=LAYER):
        if (split, recipe, layer) not in self.made:
            images, path = self.images(split), self.ground.folder / f"{split}-{recipe}-{layer}"
            say(f"features of {self.count(split)} {split} photographs, {recipe}, {layer}")
            measured = self.ground.extract(images, path, "--precision", "fp32", "--layer", layer, recipe=recipe)
            roster.check_rows(f"{split} features", extraction_figures(measured), self.count(split))
            self.made[split, recipe, layer] = Store(path, measured.seconds)
        return self.made[split, recipe, layer]


def training_images(options):
    """Those that were given, else `train` beside the photographs."""
    if options.training_images:
        return options.training_images
    beside = options.images.resolve().parent / "train"
    if not beside.is_dir():
        raise Failure(f"{beside}: expected the training photographs beside {options.images}, found no folder",
                      "give --training-images DIR, or --only extraction")
    return beside


def store_paths(store):
    """The photographs of a store's rows, in order."""
    rows = [json.loads(line) for path in sorted(store.glob("rows-*.jsonl"))
            for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["path"] for row in rows if row["status"] == "ok"]
