"""Folders of photographs in which something is wrong, made of links to right ones."""

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from report import Failure

QUALITY = 60
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


@dataclass
class Planted:
    """What a folder holds that is wrong; paths are relative to it."""

    folder: Path
    # Paths as they stand under the wrong class.
    swapped: set = field(default_factory=set)
    # Path in this folder -> path of the original in the other one.
    copies: dict = field(default_factory=dict)
    reencoded: dict = field(default_factory=dict)

    def all_copies(self):
        return {**self.copies, **self.reencoded}


def photographs(folder):
    """Paths below a labelled folder, sorted."""
    found = sorted(path.relative_to(folder) for path in folder.rglob("*")
                   if path.suffix.lower() in SUFFIXES and path.is_file())
    found = [path for path in found if len(path.parts) > 1]
    if len({path.parts[0] for path in found}) < 2:
        raise Failure(f"{folder}: expected photographs in folders of at least two classes, found {len(found)}")
    return found


def swapped(images, folder, count, seed):
    """Links to all photographs, so many of them, drawn, under the next class."""
    generator, found = random.Random(seed), photographs(images)
    classes = sorted({path.parts[0] for path in found})
    chosen = set(generator.sample(found, min(count, len(found))))
    planted = Planted(folder)
    for path in found:
        place = path
        if path in chosen:
            other = classes[(classes.index(path.parts[0]) + 1) % len(classes)]
            place = Path(other, *path.parts[1:])
            planted.swapped.add(str(place))
        link(images / path, folder / place)
    return planted


def with_copies(images, originals, folder, count, seed):
    """Links to all photographs, and so many of other ones beside them: half are the same files, half are encoded anew,
    smaller by a fifth to two fifths."""
    from PIL import Image
    generator, planted = random.Random(seed), Planted(folder)
    for path in photographs(images):
        link(images / path, folder / path)
    for number, path in enumerate(generator.sample(photographs(originals), count)):
        place = Path(path.parts[0], f"planted-{number:03}{path.suffix}" if number < count // 2
                     else f"planted-{number:03}.jpg")
        if number < count // 2:
            shutil.copy(originals / path, folder / place)
            planted.copies[str(place)] = path
            continue
        image = Image.open(originals / path).convert("RGB")
        share = 0.6 + 0.2 * generator.random()
        size = [max(1, round(side * share)) for side in image.size]
        image.resize(size, Image.Resampling.BICUBIC).save(folder / place, quality=QUALITY)
        planted.reencoded[str(place)] = path
    return planted


def repeated(images, folder, count):
    """So many links to photographs, in turns."""
    found = photographs(images)
    for number in range(count):
        path = found[number % len(found)]
        link(images / path, folder / path.parts[0] / f"{number // len(found):03}-{path.name}")


def link(original, place):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(original.resolve())
