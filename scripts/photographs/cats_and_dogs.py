"""The small cats and dogs set: which photographs it takes, from which collections, into which split."""

import io
import json
import os
import re
import shutil
import tempfile
import warnings
import zipfile

import repository
from report import Failure, say

CLASSES = ("cat", "dog")
SPLITS = {"train": range(0, 1000), "validation": range(1000, 1500), "test": range(1500, 2500)}
# Kaggle: train/cat.0.jpg. Microsoft: PetImages/Cat/0.jpg.
NAMES = (re.compile(r"(?:^|/)(cat|dog)\.(\d{1,6})\.jpe?g$", re.IGNORECASE),
         re.compile(r"(?:^|/)(cat|dog)/(\d{1,6})\.jpe?g$", re.IGNORECASE))
# What the extractor reads. Some photographs of the Microsoft set are not the JPEG that their name says.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF")
# Photographs of this set are some tens of kilobytes; more than this is not one of them.
LARGEST_PHOTOGRAPH = 64_000_000
# Begins with a dot, so that the extractor does not list it.
RECEIPT = ".prepared.json"
MISSING = "missing in the source"


def already_there(output):
    """True when the receipt is there and so is every file it counts."""
    try:
        receipt = json.loads((output / RECEIPT).read_text(encoding="utf-8"))
        counts = receipt["counts"]
        if counts != counted(output):
            return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    say(f"data: {repository.shown(output)} already there")
    report(counts, receipt.get("rejected", {}))
    return True


def prepare(source, output):
    """Copies what decodes, byte for byte, and leaves a receipt last."""
    with Collection(source) as collection:
        found = collection.index()
        if not found:
            raise Failure(f"{source}: expected train/cat.0.jpg or PetImages/Cat/0.jpg and the like, found none",
                          "give the folder or zip of the Kaggle or Microsoft set of cats and dogs")
        rejected = {}
        for split, numbers in SPLITS.items():
            say(f"data: {split}")
            for name in CLASSES:
                folder = output / split / f"{name}s"
                folder.mkdir(parents=True, exist_ok=True)
                for number in numbers:
                    reason = place(collection, found.get((name, number)), folder / f"{name}.{number}.jpg")
                    if reason:
                        rejected[f"{split}/{name}s/{name}.{number}.jpg"] = reason
    counts = counted(output)
    text = json.dumps({"counts": counts, "rejected": rejected}, indent=1) + "\n"
    appear(output / RECEIPT, text.encode("utf-8"))
    report(counts, rejected)
    if not any(counts.values()):
        raise Failure(f"{source}: none of its photographs is among the first 2500 of a class, or none decodes")


def place(collection, entry, destination):
    """Copies one photograph; returns why not."""
    if destination.exists():
        # Files appear whole, so this one was checked by an earlier run.
        return None
    if entry is None:
        return MISSING
    reason = content = None
    if collection.size(entry) > LARGEST_PHOTOGRAPH:
        reason = f"too large: {collection.size(entry)} bytes"
    else:
        try:
            content = collection.read(entry)
        except Exception as error:  # zipfile, zlib and the system each have their own.
            reason = f"cannot be read: {error}"
    reason = reason or undecodable(content)
    if reason is None:
        appear(destination, content)
    return reason


def undecodable(content):
    """Why the bytes are no photograph; None when all of it decodes."""
    from PIL import Image

    if not content:
        return "empty file"
    try:
        with warnings.catch_warnings():
            # Odd EXIF blocks are common in this set and do not touch the pixels.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                image.load()
    except Exception as error:  # Pillow's decoders raise what they like on damaged bytes.
        text = re.sub(r" <.*>$", "", str(error)).strip()
        return f"does not decode: {text or type(error).__name__}"
    return None


def appear(destination, content):
    """Whole or not at all."""
    temporary = destination.with_name(f".{destination.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, destination)
    finally:
        temporary.unlink(missing_ok=True)


def counted(output):
    """split/class -> number of photographs on disk; also clears what an interrupted run left."""
    counts = {}
    for split in SPLITS:
        for name in CLASSES:
            folder = output / split / f"{name}s"
            entries = os.listdir(folder) if folder.is_dir() else []
            for entry in entries:
                if entry.startswith(f".{name}.") and entry.endswith(".part"):
                    (folder / entry).unlink(missing_ok=True)
            counts[f"{split}/{name}s"] = sum(entry.startswith(f"{name}.") for entry in entries)
    return counts


def report(counts, rejected):
    for path, reason in rejected.items():
        if reason != MISSING:
            say(f"data: left out {path}: {reason}")
    for folder, numbers in missing_numbers(rejected).items():
        say(f"data: left out {folder}: {MISSING}: {', '.join(numbers)}")
    for folder, count in counts.items():
        say(f"data: {folder}: {count}")
    say(f"data: {sum(counts.values())} photographs, {len(rejected)} left out")


def missing_numbers(rejected):
    """Folder -> numbers that the source lacks, neighbours drawn together: a part of the set lacks thousands."""
    spans = {}
    for path, reason in rejected.items():
        if reason == MISSING:
            folder, _, name = path.rpartition("/")
            number = int(name.split(".")[1])
            runs = spans.setdefault(folder, [])
            if runs and runs[-1][1] == number - 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
    return {folder: [str(first) if first == last else f"{first}-{last}" for first, last in runs]
            for folder, runs in spans.items()}


class Collection:
    """A folder or a zip of photographs. Entries are only ever read, never unpacked under their own names."""

    def __init__(self, source):
        self.source = source
        self.opened = []
        self.archive = None

    def __enter__(self):
        if self.source.is_dir():
            return self
        if not self.source.exists():
            raise Failure(f"{self.source}: no such folder or zip")
        try:
            self.archive = self.keep(zipfile.ZipFile(self.source))
            names = self.archive.namelist()
            inner = [name for name in names if re.search(r"(?:^|/)train\.zip$", name)]
            if inner and not any(key_of(name) for name in names):
                say(f"data: opening {inner[0]} inside {self.source.name}")
                unpacked = self.keep(tempfile.TemporaryFile())
                with self.archive.open(inner[0]) as file:
                    shutil.copyfileobj(file, unpacked, 1 << 20)
                self.archive = self.keep(zipfile.ZipFile(unpacked))
        except (zipfile.BadZipFile, zipfile.LargeZipFile) as error:
            self.__exit__()
            raise Failure(f"{self.source}: not a zip, or cut short: {error}") from error
        return self

    def __exit__(self, *_):
        for file in reversed(self.opened):
            file.close()

    def keep(self, file):
        self.opened.append(file)
        return file

    def index(self):
        """(class, number) -> entry, in a set order; two files for one place are an error."""
        found, twice = {}, []
        for path, entry in sorted(self.entries(), key=lambda pair: pair[0]):
            key = key_of(path)
            if key is None:
                continue
            if key in found:
                twice.append(path)
            found.setdefault(key, entry)
        if twice:
            raise Failure(f"{self.source}: expected one photograph per name, found {len(twice)} again, "
                          f"the first `{twice[0]}`", "give the folder that holds one set only")
        return found

    def entries(self):
        """(path inside, entry) of everything."""
        if self.archive is not None:
            return [(info.filename.replace("\\", "/"), info) for info in self.archive.infolist() if not info.is_dir()]
        found = []
        for folder, _, names in os.walk(self.source):
            inside = os.path.relpath(folder, self.source)
            # The folder's own name counts: `--from PetImages/Cat` is not asked for, `--from PetImages` is.
            found += [(os.path.normpath(os.path.join(inside, name)), os.path.join(folder, name)) for name in names]
        return found

    def size(self, entry):
        return entry.file_size if self.archive is not None else os.stat(entry).st_size

    def read(self, entry):
        if self.archive is not None:
            return self.archive.read(entry)
        with open(entry, "rb") as file:
            return file.read()


def key_of(path):
    """(class, number) of a path in either collection; None for everything else."""
    if path.startswith("__MACOSX/") or "/." in path or path.startswith("."):
        return None
    for pattern in NAMES:
        match = pattern.search(path)
        if match:
            return match[1].lower(), int(match[2])
    return None
