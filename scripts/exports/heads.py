"""Every kind of head, trained on photographs of a base: a name, and the folder of its run."""

from dataclasses import dataclass
from pathlib import Path

# Of each base, a layer near its end from which the rest can be trained on.
INNER = {"vgg16": "block4_pool", "vgg19": "block4_pool", "resnet50": "conv5_block2_out", "inception_v3": "mixed9",
         "xception": "add_11", "mobilenet": "conv_pw_12_relu", "efficientnet_lite0": "block6d_add"}
FIT = ("--epochs", 2, "--batch-size", 8, "--device", "cpu")
PROBE = ("--folds", 2)
# scikit-learn's C of a probe on rows of length 1 and of one on rows as they are. To a base that was never trained
# photographs look alike: a weaker penalty tells them apart all the same.
STRENGTHS = {"trained": (10, 1), "drawn": (1e3, 1e1)}


@dataclass(frozen=True)
class Photographs:
    """A folder for each number of classes."""

    two: Path
    three: Path


class Heads:
    """Trains them one after another, and extracts what they need when they need it."""

    def __init__(self, programs, base, weights, kind, photographs, folder, extraction):
        self.programs, self.base, self.weights, self.kind = programs, base, weights, kind
        self.photographs, self.folder, self.extraction = photographs, folder, extraction

    def all(self):
        """Name and run of each."""
        yield "dense, relu", self.fit("relu", "two", "--hidden", 64)
        yield "dense, no activation", self.fit("plain", "two", "--hidden", 64, "--activation", "none")
        yield "linear", self.fit("linear", "two", "--hidden", 0)
        yield "dense, three classes", self.fit("three", "three", "--hidden", 64)
        yield "dense, pooling avg", self.fit("avg", "two-avg", "--hidden", 64)
        yield "dense, pooling max", self.fit("max", "two-max", "--hidden", 64)
        of_length_one, plain = STRENGTHS[self.kind]
        yield "probe avg, unit length", self.probe("l2", "two", "avg", "l2", of_length_one, "--no-calibration")
        yield "probe avg+max, standard", self.probe("standard", "two", "avg+max", "standard", 1)
        yield "probe max, three classes", self.probe("probe-three", "three", "max", "none", plain, "--no-calibration")
        yield "fine-tuned dense", self.tune("tuned", "relu")
        yield "fine-tuned probe", self.tune("tuned-probe", "l2")

    def store(self, name):
        """Of two or three classes, with a pooling or of the inner layer."""
        store = self.folder / "features" / name
        if not store.is_dir():
            count, _, what = name.partition("-")
            further = {"": (), "inner": ("--layer", INNER[self.base])}.get(what, ("--pooling", what))
            images = getattr(self.photographs, count)
            self.programs.extract(self.base, self.weights, images, store, *self.extraction, *further)
        return store

    def fit(self, run, store, *further):
        return self.train(run, "fit", "--features", self.store(store), *FIT, *further)

    def probe(self, run, store, pooling, scaling, strength, *further):
        return self.train(run, "probe", "--features", self.store(store), *PROBE, "--pooling", pooling, "--scaling",
                          scaling, "--c", strength, *further)

    def tune(self, run, head):
        return self.train(run, "fine-tune", "--features", self.store("two-inner"), *FIT, "--checkpoint",
                          self.folder / "runs" / head / "best.safetensors", "--weights", self.weights)

    def train(self, run, *words):
        out = self.folder / "runs" / run
        self.programs.run("trainer", *words, "--out", out)
        return out
