"""`stress corpus`: every kind of picture and damage is read as Pillow reads it, or rejected with its reason."""

import json
from collections import Counter

import numpy
from PIL import Image

from endurance.identity import identity
from endurance.pictures import corpus as drawn
from report import say

SIZE = 64
# As in the tests against golden pixels: what decoders of lossy formats may differ by.
GREATEST, MEAN = 8, 0.5
# Of pictures of so few pixels: their colours, coded at half of the size, are nothing but edges.
SMALL, MEAN_OF_SMALL = 40, 1.0


def corpus(ground, options):
    """One store of all files, whose features are their pixels, beside Pillow's pixels."""
    checks, pictures = ground.checks, drawn(options.seed)
    images, out = ground.folder / "images", ground.folder / "store"
    for picture in pictures:
        path = images / picture.kind / picture.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture.content)
    network = ground.folder / "identity.onnx"
    network.write_bytes(identity(SIZE))
    ended = ground.must(ground.command(
        "extractor", "extract", "--images", images, "--out", out, "--base", network, "--interpolation", "nearest",
        "--preprocess", "mean=0,0,0/std=1,1,1", "--max-rejected", "1", "--log-format", "json"))
    ground.must(ground.command("extractor", "verify", out))
    doubted = {line.get("path") for line in ended.log() if "may be damaged" in line["message"]}
    rows = {row["path"]: row for row in read_rows(out)}
    pixels = numpy.concatenate([numpy.load(path) for path in sorted(out.glob("features-*.npy"))])
    checks.that(len(rows) == len(pictures), f"expected {len(pictures)} listed, found {len(rows)}")
    tally = Counter()
    starts = shard_starts(out)
    for picture in pictures:
        path = f"{picture.kind}/{picture.name}"
        row = rows[path]
        fault = judge(picture, row, pixels, starts, path in doubted)
        checks.that(fault is None, f"{path}: {fault}")
        outcome = "as Pillow" if row["status"] == "ok" else "rejected"
        tally[picture.kind, outcome if fault is None else "not as expected"] += 1
    for (kind, outcome), count in sorted(tally.items()):
        say(f"{kind:>9}: {count:3} {outcome}")
    return checks.close(f"{len(pictures)} files")


def read_rows(store):
    for shard, path in enumerate(sorted(store.glob("rows-*.jsonl"))):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield {**json.loads(line), "shard": shard}


def shard_starts(store):
    """The first row of each shard in all of them together."""
    counts = [json.loads(path.read_bytes())["rows"] for path in sorted(store.glob("shard-*.json"))]
    return [sum(counts[:shard]) for shard in range(len(counts))]


def judge(picture, row, pixels, starts, is_doubted):
    """What is wrong with the outcome, or None."""
    if picture.reason is not None:
        if row["status"] != "rejected":
            return "expected a rejection, found a row"
        return None if picture.reason in row["error"] else f"expected `{picture.reason}`, found `{row['error']}`"
    if row["status"] != "ok":
        return f"expected pixels, found `{row['error']}`"
    if is_doubted != picture.doubtful:
        return f"expected {'a' if picture.doubtful else 'no'} doubt, found {'one' if is_doubted else 'none'}"
    found = pixels[starts[row["shard"]] + row["row"]]
    image = picture.expected()
    expected = numpy.asarray(image.resize((SIZE, SIZE), Image.Resampling.NEAREST), "float32")
    difference = numpy.abs(found - expected)
    if difference.max() > GREATEST or difference.mean() > (MEAN_OF_SMALL if max(image.size) < SMALL else MEAN):
        return f"expected Pillow's pixels, found a difference of {difference.max()}, {difference.mean():.2f} in the mean"
    return None
