"""The bases whose weights can be made, as weights/architectures.json lists them: layers, tensors and shapes."""

import json
from dataclasses import dataclass
from functools import lru_cache

import repository
from report import Failure

PREPROCESS = ("rescale", "caffe", "torch", "tf")


@dataclass(frozen=True)
class Architecture:
    """One base: its layers with weights in the graph's order, and what its published weights were trained with."""

    name: str
    # What people call it.
    title: str
    preprocess: str
    # Of the published weights, where it is known; None where nobody publishes one.
    digest: str
    # Layer name -> variable name -> Keras' shape.
    layers: dict

    def shapes(self):
        """`layer/variable` -> shape, in the graph's order."""
        return {f"{layer}/{variable}": tuple(shape)
                for layer, variables in self.layers.items() for variable, shape in variables.items()}

    def output(self):
        """Where the programs look for its weights."""
        return repository.weights(self.name)


@lru_cache(maxsize=None)
def architectures():
    """Name -> Architecture, the default first."""
    path = repository.WEIGHTS_FOLDER / "architectures.json"
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return {name: Architecture(name, entry["title"], entry["preprocess"], entry.get("digest"), entry["layers"])
                for name, entry in listed.items()}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise Failure(f"{repository.shown(path)}: cannot read the architectures: {error}",
                      "restore the file with `git checkout weights`") from error


def product(shape):
    total = 1
    for size in shape:
        total *= size
    return total
