"""Parts of scripts/bench-peers: the tutorial's chapters in which Keras computes the base in every epoch."""

import shutil

from measurement import processes
from measurement.head import fit
from measurement.learning import VALIDATION_SHARE, Learning, fit_figures
from measurement.peers import roster
from measurement.peers.roster import OURS

# What Keras' layers in front of the base are, in the words of the extractor.
AUGMENT = "flip,rotate=0.1,zoom=0.2"
# Where block5, which is trained on, begins.
INNER_LAYER = "block4_pool"


class Chapter(Learning):
    """`before` an epoch: ours extract, Keras starts. `total`: that and all epochs."""

    COLUMNS = (("before, s", "before", 1, 1), ("an epoch, s", "epoch_seconds", 2, 1), ("in all, s", "total", 1, 1),
               ("peak memory, MB", "peak_bytes", 0, 1e-6), ("validation accuracy", "val_accuracy", 3, 1))
    RATIOS = (("an epoch, it ÷ ours", "epoch_seconds"), ("in all, it ÷ ours", "total"))

    def keras(self, action, epochs, *further):
        """A worker that computes the base in every epoch; it says how long each took."""
        options = self.ground.options
        measured, answer = self.workers.run(
            "keras", "keras_chapters", action, "--images", self.stores.images("training"), "--weights",
            self.ground.weights, "--recipe", options.recipe, "--share", VALIDATION_SHARE, "--epochs", epochs, "--seed",
            options.seed, "--out", self.ground.folder / "chapter.weights.h5", *further)
        roster.check_rows("keras", answer, self.section["photographs"])
        return measured, answer

    def told(self, run):
        return (f"{run['before']:.1f} s before, {run['epoch_seconds']:.1f} s an epoch, {run['total']:.0f} s in all, "
                f"validation accuracy {run['val_accuracy']:.3f}")


class Augmentation(Chapter):
    NAME = "augmentation"

    @property
    def caption(self):
        options = self.ground.options
        measured = measured_epochs(options)
        told = "" if measured == options.epochs else (
            f"; {measured} measured, which its accuracy is of, and {options.epochs} in all told from their median")
        return (f"The head on photographs that are drawn anew (flipped, rotated by up to 0.1, zoomed by up to 0.2), "
                f"{options.recipe} recipe, {options.epochs} epochs. Keras computes the base in each of them{told}. "
                f"Convbase extracts {options.views} views of each photograph before, and takes one of them in an "
                "epoch. An epoch is with its validation; ratios are of seconds, above 1 where Convbase is faster.")

    def prepare(self):
        options = self.ground.options
        self.section.update(recipe=options.recipe, views=options.views, epochs=options.epochs,
                            measured_epochs=measured_epochs(options))

    def once(self, name):
        options = self.ground.options
        if name == OURS:
            return self.ours()
        measured, answer = self.keras("augmentation", measured_epochs(options))
        return {**answer, **measured.figures(), **times_of(answer["startup"], answer["epoch_seconds"], options.epochs)}

    def ours(self):
        options, store = self.ground.options, self.ground.folder / "views"
        extracted = self.ground.extract(self.stores.images("training"), store, "--precision", "fp32",
                                        "--views", options.views, "--augment", AUGMENT, recipe=options.recipe)
        fitted = fit(self.ground, store, self.ground.folder / "head-views", options.epochs, "--views", "one")
        shutil.rmtree(store)
        found = fit_figures(fitted.log())
        return {**found, **together(extracted, fitted), "before": extracted.seconds,
                "epoch_seconds": found["fit"] / found["epochs"], "total": extracted.seconds + fitted.seconds}

    def compare(self):
        if measured_epochs(self.ground.options) == self.ground.options.epochs:
            self.compare_accuracy()


class FineTuning(Chapter):
    NAME = "fine-tuning"
    COLUMNS = (*Chapter.COLUMNS, ("test accuracy", "test_accuracy", 4, 1))

    @property
    def caption(self):
        options = self.ground.options
        before = self.section.get("test_accuracy_before")
        told = "" if before is None else f" (test accuracy before: {before:.4f})"
        return (f"block5 and a trained head{told} trained on, {options.recipe} recipe, RMSprop with learning rate "
                f"1e-5, batches of 32, epochs: {options.fine_tuning_epochs}. Both begin with the same head. Keras "
                f"computes the frozen blocks in every epoch, Convbase has extracted {INNER_LAYER} before. An epoch is "
                "with its validation; accuracies are of the epoch with the lowest validation loss. Ratios are of seconds, above "
                "1 where Convbase is faster.")

    def prepare(self):
        options = self.ground.options
        self.section.update(recipe=options.recipe, epochs=options.fine_tuning_epochs)
        head = self.ground.folder / "head-tuned"
        fit(self.ground, self.stores.get("training", options.recipe).path, head, options.epochs)
        self.checkpoint = head / "best.safetensors"
        self.section["test_accuracy_before"] = self.test_accuracy(
            self.stores.get("test", options.recipe).path, self.checkpoint)
        if OURS in self.names:
            self.maps = self.stores.get("training", options.recipe, INNER_LAYER)
            self.test = self.stores.get("test", options.recipe, INNER_LAYER)

    def once(self, name):
        epochs = self.ground.options.fine_tuning_epochs
        if name == OURS:
            return self.ours()
        measured, answer = self.keras("fine-tuning", epochs, "--checkpoint", self.checkpoint, "--test",
                                      self.stores.images("test"))
        return {**answer, **measured.figures(), **times_of(answer["startup"], answer["epoch_seconds"], epochs)}

    def ours(self):
        out = self.ground.folder / "tuned"
        measured = tune(self.ground, self.maps.path, self.checkpoint, out, "--epochs",
                        self.ground.options.fine_tuning_epochs, "--seed", self.ground.options.seed)
        found = fit_figures(measured.log())
        return {**found, **measured.figures(), "before": self.maps.seconds,
                "epoch_seconds": found["fit"] / found["epochs"], "total": self.maps.seconds + measured.seconds,
                "test_accuracy": self.test_accuracy(self.test.path, out / "best.safetensors")}

    def test_accuracy(self, store, checkpoint):
        report = self.ground.folder / "tuning-report"
        shutil.rmtree(report, ignore_errors=True)
        measured = processes.must("evaluator evaluate", [
            self.ground.program("evaluator"), "evaluate", "--features", store, "--checkpoint", checkpoint, "--out",
            report, "--device", "cpu", "--log-format", "json"])
        return next(line["test_accuracy"] for line in measured.log() if "test_accuracy" in line)

    def compare(self):
        self.compare_accuracy()


def tune(ground, store, checkpoint, out, *further):
    """The layers behind the store's and the head, trained on; measured."""
    shutil.rmtree(out, ignore_errors=True)
    return processes.must("trainer fine-tune", [
        ground.program("trainer"), "fine-tune", "--features", store, "--validation-split", VALIDATION_SHARE,
        "--checkpoint", checkpoint, "--weights", ground.weights, "--out", out, "--device", "cpu", "--log-format",
        "json", *further])


def measured_epochs(options):
    """Of Keras' augmentation: never more than there are."""
    return min(options.augmentation_epochs, options.epochs)


def times_of(startup, epochs, count):
    """What `count` epochs take, of which some were measured."""
    middle = processes.summary(epochs)["median"]
    return {"before": startup, "epoch_seconds": middle, "measured_seconds": epochs,
            "total": startup + sum(epochs) + (count - len(epochs)) * middle}


def together(first, second):
    """The figures of two processes, one after the other."""
    return {"seconds": first.seconds + second.seconds, "cpu_seconds": first.cpu_seconds + second.cpu_seconds,
            "peak_bytes": max(first.peak_bytes, second.peak_bytes)}
