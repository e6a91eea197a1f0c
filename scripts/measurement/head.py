"""Part of scripts/bench-peers: everyone trains the same head on the same features."""

import shutil

from measurement import processes
from measurement.learning import VALIDATION_SHARE, Learning, fit_figures
from measurement.peers import roster
from measurement.peers.roster import OURS


class Head(Learning):
    NAME = "head"
    COLUMNS = (("fit alone, s", "fit", 2, 1), ("whole process, s", "seconds", 2, 1),
               ("peak memory, MB", "peak_bytes", 0, 1e-6), ("validation accuracy", "val_accuracy", 3, 1))
    RATIOS = (("fit alone, it ÷ ours", "fit"), ("whole process, it ÷ ours", "seconds"))
    caption = ("256 units with ReLU, dropout 0.5, RMSprop with learning rate 2e-5, batches of 32; the first 30 % of "
               "each class validate after every epoch, and the accuracy is that of the epoch with the lowest "
               "validation loss. Ratios are of seconds, above 1 where Convbase is faster.")

    def prepare(self):
        self.section["epochs"] = self.ground.options.epochs
        self.store = self.stores.get("training").path

    def once(self, name):
        options = self.ground.options
        out = self.ground.folder / f"head-{name}"
        if name == OURS:
            measured = fit(self.ground, self.store, out, options.epochs)
            return {**fit_figures(measured.log()), **measured.figures()}
        kept = out.with_suffix(".keras" if name == "keras" else ".pt")
        measured, answer = self.workers.run(name, name, "fit", "--features", self.store, "--epochs",
                                            options.epochs, "--seed", options.seed, "--out", kept)
        roster.check_rows(name, answer, self.section["photographs"])
        return {**answer, **measured.figures()}

    def told(self, run):
        return (f"{run['seconds']:.1f} s, {run['fit']:.1f} s of it in the fit, validation accuracy "
                f"{run['val_accuracy']:.3f}")

    def compare(self):
        self.compare_accuracy()


def fit(ground, store, out, epochs, *further):
    """Our head on a store, measured."""
    shutil.rmtree(out, ignore_errors=True)
    return processes.must("trainer fit", [
        ground.program("trainer"), "fit", "--features", store, "--validation-split", VALIDATION_SHARE, "--out", out,
        "--epochs", epochs, "--seed", ground.options.seed, "--device", "cpu", "--log-format", "json", *further])
