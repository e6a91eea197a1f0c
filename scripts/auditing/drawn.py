"""Drawn features as `extractor import` takes them."""

import json

CLASSES = ("first", "second")
WIDTH = 512


def write(folder, rows, seed):
    """x.npy, y.npy and spec.json: numbers like those that a ReLU lets through, of two classes that differ in a few."""
    import numpy
    generator = numpy.random.default_rng(seed)
    labels = generator.integers(len(CLASSES), size=rows)
    features = generator.normal(size=(rows, WIDTH)).astype(numpy.float32)
    features[:, :16] += labels[:, None]
    folder.mkdir(parents=True)
    numpy.save(folder / "x.npy", numpy.maximum(features, 0))
    numpy.save(folder / "y.npy", labels)
    spec = {"architecture": "external", "weights": "sha256:" + "0" * 64, "layer": "drawn", "pooling": "none",
            "image_size": [224, 224], "interpolation": "bilinear", "preprocess": "rescale", "shape": [WIDTH]}
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
