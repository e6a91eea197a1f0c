"""Part of scripts/bench-peers: what one step changes in block5 and the head, beside PyTorch's gradients."""

from measurement import photographs
from measurement.chapters import INNER_LAYER, tune
from measurement.head import fit
from measurement.learning import VALIDATION_SHARE
from measurement.peers import roster
from measurement.stores import LAYER, training_images
from measurement.table import small
from report import say

# Photographs of the one step, before some are held back to validate.
PHOTOGRAPHS = 64
# Norm of the difference over that of PyTorch's gradient.
LIMIT = 1e-4
# So large a step that the weights before it do not round the gradient away.
RATE = 1000


class Gradients:
    NAME = "gradients"
    caption = (f"Of the mean loss over the training rows of {PHOTOGRAPHS} photographs, without dropout: what one step "
               "of plain gradient descent takes from each tensor, divided by its rate, beside PyTorch's gradient on "
               "the same maps. Relative error: norm of the difference over that of PyTorch's.")

    def __init__(self, ground, workers, report, names, _):
        self.ground, self.workers, self.report, self.names = ground, workers, report, names
        self.section = report.document[self.NAME] = {"runs": [], "tensors": {}}

    def run(self):
        recipe, folder = self.ground.options.recipe, self.ground.folder
        images, features, maps, head, out = (folder / f"gradients-{name}" for name in ("images", "features", "maps",
                                                                                       "head", "out"))
        paths = photographs.farm(training_images(self.ground.options), images, PHOTOGRAPHS)
        for store, layer in ((features, LAYER), (maps, INNER_LAYER)):
            self.ground.extract(images, store, "--precision", "fp32", "--layer", layer, recipe=recipe)
        # One epoch: a head that already knows everything has no gradients.
        fit(self.ground, features, head, 1)
        tune(self.ground, maps, head / "best.safetensors", out, "--epochs", 1, "--batch-size", 65536, "--dropout", 0,
             "--optimizer", "sgd", "--learning-rate", RATE)
        measured, answer = self.workers.run(
            "torch", "gradients", "gradients", "--features", maps, "--weights", self.ground.weights, "--share",
            VALIDATION_SHARE, "--checkpoint", head / "best.safetensors", "--model", out / "last.safetensors", "--rate",
            RATE)
        roster.check_rows("torch", answer, len(paths))
        self.section.update(photographs=len(paths), recipe=recipe, tensors=answer["tensors"])
        self.report.add(self.NAME, {"round": 1, "candidate": "torch", **measured.figures()})
        for reason in failures(answer["tensors"]):
            self.report.fail(reason)
        say(f"gradients: largest relative error {max(answer['tensors'].values()):.1e}")
        self.report.write()

    def table(self):
        return ["gradient of", "relative error"], [[name, small(error)]
                                                   for name, error in self.section["tensors"].items()]


def failures(tensors):
    """In words; what is no number is too far away as well."""
    return [f"gradient of {name}: expected a relative error of at most {LIMIT:.0e}, found {error:.1e}"
            for name, error in tensors.items() if not error <= LIMIT]
