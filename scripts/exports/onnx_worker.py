"""Runs in an environment with ONNX and ONNX Runtime: exported files, and what these make of them.

Started by scripts/check-exports, whose options it takes as one JSON object.
"""

import csv
import io
import json
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 2)[0]

import numpy
import onnx
import onnxruntime

import repository
from conversion.architecture import architectures
from exports import pictures, untrained
from exports.heads import Heads, Photographs
from exports.programs import Programs, spec
from report import Failure, run, say

# Of a probability.
TOLERANCE = 1e-5
# Photographs that all look alike, or that nobody doubts, would be no test.
LEAST_SPREAD = 1e-3
CLASSES = ("birds", "cats", "dogs")


def main():
    options = json.loads(sys.argv[1])
    programs, folder = Programs(options["programs"], options["folder"]), Path(options["folder"])
    images = Path(options["images"]) if options["images"] else programs.demo(options["photographs"])
    photographs = pictures.listing(images, options["photographs"])
    known = architectures()
    bases = options["bases"] or list(known)
    for base in bases:
        if base not in known:
            raise Failure(f"--bases: expected some of {', '.join(known)}, found {base}")
    say(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, {len(photographs)} photographs of {images}")
    say("| base | weights | size | head | MB | probabilities from .. to | greatest difference |")
    say("|---|---|---|---|---|---|---|")
    failed = worst = checked = 0
    for base in bases:
        for difference, holds in of_base(programs, known[base], photographs, folder / base, options):
            checked, failed, worst = checked + 1, failed + (not holds), max(worst, difference)
        shutil.rmtree(folder / base)
    say(f"check-exports onnx: {checked} files, greatest difference {worst:.1e}; {checked - failed} passed, "
        f"{failed} failed")
    return 1 if failed else 0


def of_base(programs, base, photographs, folder, options):
    """The difference of each head, and whether it is good enough."""
    weights, kind = repository.weights(base.name), "trained"
    if not weights.is_file() or not options["trained"]:
        weights, kind = folder / "weights.safetensors", "drawn"
        untrained.write(base, weights)
    # Pixels from 0 to 1, as in the tutorial's recipe: with those from 0 to 255, the sums of heads that were hardly
    # trained are so large that the last bits of two programs' convolutions are seen in the probabilities.
    extraction = ("--interpolation", "bilinear", "--preprocess", "rescale")
    if options["image_size"]:
        extraction += ("--image-size", options["image_size"])
    size = size_of(programs, base.name, weights, photographs, folder / "first", extraction)
    classes = {name: CLASSES[:count] for name, count in (("two", 2), ("three", 3))}
    paths = {name: pictures.write(photographs, size, folder / name, chosen) for name, chosen in classes.items()}
    photographs = Photographs(folder / "two", folder / "three")
    heads = Heads(programs, base.name, weights, kind, photographs, folder, extraction)
    for name, trained in heads.all():
        chosen = "three" if "three" in name else "two"
        out, known = folder / "model.onnx", ("--checkpoint", trained / "best.safetensors", "--weights", weights)
        programs.run("evaluator", "export", *known, "--format", "onnx", "--out", out)
        printed = programs.run("evaluator", "predict", *known, "--device", "cpu", folder / chosen)
        expected = predictions(printed, paths[chosen], classes[chosen])
        found = by_runtime(out, pictures.pixels(paths[chosen]), classes[chosen])
        difference = float(numpy.abs(found - expected).max())
        spread = float(numpy.ptp(expected, axis=0).max())
        sure = bool(((expected < 0.001) | (expected > 0.999)).all())
        holds = difference <= TOLERANCE and spread >= LEAST_SPREAD and not sure
        say(f"| {base.name} | {kind} | {size[0]} | {name} | {out.stat().st_size / 1e6:.1f} | "
            f"{expected.min():.3f} .. {expected.max():.3f} | {difference:.1e}{'' if holds else ' FAILED'} |")
        yield difference, holds


def size_of(programs, base, weights, photographs, folder, extraction):
    """Height and width that the base's photographs have, from two of them."""
    pictures.write(photographs[:2], (64, 64), folder / "images", CLASSES[:2])
    programs.extract(base, weights, folder / "images", folder / "store", *extraction, "--pooling", "avg")
    return spec(folder / "store")["image_size"]


def predictions(text, paths, classes):
    """[photographs, classes], in the order of the paths."""
    rows = list(csv.DictReader(io.StringIO(text)))
    if [row["path"] for row in rows] != [str(path) for path in paths]:
        raise Failure("evaluator predict: expected a line for each photograph, in sorted order")
    return numpy.array([[float(row[f"prob_{name}"]) for name in classes] for row in rows])


def by_runtime(path, pixels, classes):
    """What ONNX Runtime says of the pixels, all at once and one alone, of a file that ONNX's checker has nothing
    against."""
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    told = json.loads(metadata["classes"]), json.loads(metadata["convbase"])["size"]
    if told != (list(classes), list(pixels.shape[1:3])):
        raise Failure(f"{path}: metadata: expected {classes} and {pixels.shape[1:3]}, found {told}")
    probabilities = session.run(["probabilities"], {"pixels": pixels})[0]
    alone = session.run(["probabilities"], {"pixels": pixels[-1:]})[0]
    if probabilities.shape != (len(pixels), len(classes)) or numpy.abs(alone[0] - probabilities[-1]).max() > TOLERANCE:
        raise Failure(f"{path}: a photograph alone: expected {probabilities[-1]}, found {alone[0]}")
    return probabilities


if __name__ == "__main__":
    run("check-exports onnx", main)
