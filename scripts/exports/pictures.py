"""Photographs at exactly a base's size, as PNG files: whoever reads these sees equal pixels, and resizes nothing."""

import numpy
from PIL import Image

from report import Failure

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")


def listing(folder, count):
    """`count` photographs below a folder, taken from its sub-folders in turns."""
    groups = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            groups.setdefault(path.parent, []).append(path)
    turns = [path for turn in range(count) for group in groups.values() for path in group[turn:turn + 1]]
    if len(turns) < count:
        raise Failure(f"{folder}: expected at least {count} photographs, found {len(turns)}",
                      "give fewer: --photographs")
    return turns[:count]


def write(photographs, size, folder, classes):
    """Dealt out to classes in turns; gives the paths in the order in which the programs list them."""
    height, width = size
    for number, path in enumerate(photographs):
        with Image.open(path) as image:
            resized = image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
        target = folder / classes[number % len(classes)] / f"{number:03}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        resized.save(target)
    return sorted(folder.rglob("*.png"))


def pixels(paths):
    """uint8 [n, height, width, 3]"""
    return numpy.stack([numpy.asarray(Image.open(path)) for path in paths])
