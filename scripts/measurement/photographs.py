"""The photographs of a measurement: links to those of a folder, the same in the same order for everyone."""

import hashlib
import os
from pathlib import Path

from report import Failure, say

# What Convbase reads and what Keras' generator reads as well.
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


def classes_of(folder):
    """Class -> its photographs in order, in the order of the classes' names."""
    if not folder.is_dir():
        raise Failure(f"{folder}: expected a folder with one folder of photographs per class, found none",
                      "`just demo-data` draws a small set, or give --images DIR")
    found = {}
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.name.startswith("."):
            photographs = sorted(path for path in entry.rglob("*") if path.suffix.lower() in SUFFIXES
                                 and not path.name.startswith("."))
            if photographs:
                found[entry.name] = photographs
    if not found:
        raise Failure(f"{folder}: expected folders with photographs ({' '.join(SUFFIXES)}), found none",
                      "give --images DIR with one folder per class")
    return found


def farm(folder, target, limit=None):
    """Links the photographs, at most `limit` in all and as many of each class, below `target`; gives their paths there.

    Numbers in front of the names make every program's order the same, whatever lies in folders of folders.
    """
    found = classes_of(folder)
    most = None if limit is None else max(limit // len(found), 1)
    paths = []
    for position, (name, photographs) in enumerate(found.items()):
        label = f"{position:04}-{name}"
        (target / label).mkdir(parents=True)
        for number, photograph in enumerate(photographs[:most]):
            link = f"{number:07}-{photograph.stem}{photograph.suffix.lower()}"
            os.symlink(photograph.resolve(), target / label / link)
            paths.append(f"{label}/{link}")
    return paths


def repeated(folder, target, count):
    """Links `count` photographs below `target`, those of `folder` again and again, classes in turn."""
    found = classes_of(folder)
    for name in found:
        (target / name).mkdir(parents=True)
    sources = {name: [photograph.resolve() for photograph in photographs] for name, photographs in found.items()}
    names = list(found)
    for number in range(count):
        name, turn = names[number % len(names)], number // len(names)
        source = sources[name][turn % len(sources[name])]
        os.symlink(source, target / name / f"{turn:07}{source.suffix.lower()}")


def warm(folder):
    """Reads every photograph once: the first round must not be the one that waits for the disk."""
    total = sum(len(Path(path).read_bytes()) for path in sorted(folder.rglob("*.*")))
    say(f"{folder.name}: {total / 1e6:.0f} MB of photographs read once")


def order_digest(paths):
    """One word for an order of photographs, to compare it between programs."""
    return hashlib.sha256("".join(f"{path}\n" for path in paths).encode()).hexdigest()
