"""Writes feature stores as data/README.md describes them, byte by byte.

A second writer beside the extractor's, in another language: it tests that page, and makes stores that are
too large to extract. It is for stress tests; nothing else writes artifacts from a script.
"""

import hashlib
import json
import re

DESCRIPTORS = {"float32": "<f4", "float16": "<f2"}


class StoreWriter:
    """Writes one store: the manifest first, then shards in any order, each with its receipt last."""

    def __init__(self, folder, listing, spec, classes, shard_size, precision="fp32", dtype="float32"):
        """`listing` is a list of (path, label), sorted by path; it is kept, so draw it small."""
        self.folder, self.listing, self.spec, self.classes = folder, listing, spec, classes
        self.shard_size, self.precision, self.dtype = shard_size, precision, dtype
        self.shards = -(-len(listing) // shard_size)

    def begin(self):
        """Makes the folder and writes the manifest."""
        self.folder.mkdir(parents=True)
        self.manifest = pretty(self.manifest_fields())
        (self.folder / "manifest.json").write_bytes(self.manifest)

    def manifest_fields(self):
        """The plan, in the order of the page."""
        canonical = json.dumps(self.spec, sort_keys=True, separators=(",", ":")).encode()
        names = ("architecture", "weights", "layer", "pooling", "image_size", "interpolation", "preprocess",
                 "shape")
        return {
            "format": "convbase-features/1",
            "feature_id": "sha256:" + hashlib.sha256(canonical).hexdigest(),
            "spec": {name: self.spec[name] for name in names},
            "precision": self.precision,
            "dtype": self.dtype,
            "classes": self.classes,
            "listing": {"images": len(self.listing), "sha256": listing_digest(self.listing)},
            "shard_size": self.shard_size,
            "shards": self.shards,
        }

    def receipt_fields(self, shard, images, rows, files, extra):
        """The receipt, in the order of the page; `extra` is what cannot be computed here (a canary)."""
        return {
            "shard": shard,
            "manifest": hashlib.sha256(self.manifest).hexdigest(),
            "images": images,
            "rows": rows,
            "rejected": images - rows,
            "files": files,
            **extra,
        }

    def positions(self, shard):
        return range(shard * self.shard_size, min((shard + 1) * self.shard_size, len(self.listing)))

    def name(self, kind, shard, suffix):
        return f"{kind}-{shard:05}-of-{self.shards:05}.{suffix}"

    def write(self, shard, features, details, **extra):
        """One shard. `features` are the bytes of its rows in order; `details` has for each listed photograph
        either {"width", "height", "sha256"}, {} where there is no photograph, or {"error"}."""
        positions = self.positions(shard)
        lines, labels = [], []
        for position, detail in zip(positions, details):
            path, label = self.listing[position]
            line = {"path": path, "label": label, "class": self.classes[label]}
            if "error" in detail:
                line.update(status="rejected", error=detail["error"])
            else:
                known = {name: detail[name] for name in ("width", "height", "sha256") if name in detail}
                line.update(status="ok", row=len(labels), **known)
                labels.append(label)
            lines.append(compact(line) + b"\n")
        shape, descriptor = tuple(self.spec["shape"]), DESCRIPTORS[self.dtype]
        # The header is as long as the one for all listed photographs of the shard.
        longest = len(header(descriptor, (len(positions), *shape)))
        files = {
            "features": self.file(self.name("features", shard, "npy"),
                                  header(descriptor, (len(labels), *shape), longest), features),
            "labels": self.file(self.name("labels", shard, "npy"), header("<i8", (len(labels),)),
                                b"".join(label.to_bytes(8, "little") for label in labels)),
            "rows": self.file(self.name("rows", shard, "jsonl"), *lines),
        }
        receipt = self.receipt_fields(shard, len(positions), len(labels), files, extra)
        (self.folder / self.name("shard", shard, "json")).write_bytes(pretty(receipt))

    def file(self, name, *parts):
        """Writes a file and gives its entry of the receipt."""
        digest, size = hashlib.sha256(), 0
        with open(self.folder / name, "xb") as file:
            for part in parts:
                file.write(part)
                digest.update(part)
                size += len(part)
        return {"name": name, "bytes": size, "sha256": digest.hexdigest()}


def pretty(value):
    """JSON as manifest and receipts have it."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    # Python writes 1e-05, the extractor 1e-5; lines that are numbers and nothing else are those of a canary.
    return re.sub(r"(?m)^( +-?[0-9.]+e-)0([0-9],?)$", r"\1\2", text).encode()


def compact(value):
    """JSON as a line of rows has it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def listing_digest(listing):
    """Over each photograph's label, a NUL, its path and a NUL."""
    digest = hashlib.sha256()
    for path, label in listing:
        digest.update(f"{label}\0{path}\0".encode())
    return digest.hexdigest()


def header(descriptor, shape, length=0):
    """The head of an npy file, version 1, filled with spaces to a multiple of 64 bytes or to `length`."""
    sides = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    text = f"{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({sides}), }}".encode()
    length = max(length, -(-(10 + len(text) + 1) // 64) * 64)
    return b"\x93NUMPY\x01\x00" + (length - 10).to_bytes(2, "little") + text.ljust(length - 11) + b"\n"
