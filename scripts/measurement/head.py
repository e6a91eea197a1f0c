"""The second half of scripts/bench-peers: everyone trains the same head on the same features."""

import math
import shutil

from measurement import photographs, processes
from measurement.ground import extraction_figures
from measurement.peers import roster
from measurement.peers.roster import OURS, TITLES
from measurement.table import spread, times
from report import Failure, say

FIGURES = ("seconds", "fit", "val_accuracy", "peak_bytes", "cpu_seconds")
# Seeds of different programs draw different numbers: equal accuracy cannot be asked for.
ACCURACY_BAND = 0.03
HEADER = ["head", "fit alone, s", "whole process, s", "peak memory, MB", "validation accuracy",
          "fit alone, it ÷ ours", "whole process, it ÷ ours"]
CAPTION = ("256 units with ReLU, dropout 0.5, RMSprop with learning rate 2e-5, batches of 32; the first 30 % of each "
           "class validate after every epoch, and the accuracy is that of the epoch with the lowest validation loss. "
           "Ratios are of seconds, above 1 where Convbase is faster.")


class Head:
    """Holds what all rounds share."""

    def __init__(self, ground, workers, report, names):
        self.ground, self.workers, self.report, self.names = ground, workers, report, names
        self.section = report.document["head"] = {"runs": [], "epochs": ground.options.epochs}

    def run(self):
        options = self.ground.options
        images, self.store = self.ground.folder / "training-images", self.ground.folder / "training"
        paths = photographs.farm(training_images(options), images, options.images_limit)
        say(f"features of {len(paths)} training photographs")
        figures = extraction_figures(self.ground.extract(images, self.store, "--precision", "fp32"))
        roster.check_rows("training features", figures, len(paths))
        self.rows = self.section["photographs"] = len(paths)
        for number in range(1, options.runs + 1):
            for name in processes.rotated(self.names, number):
                run = {"round": number, "candidate": name, **self.once(name)}
                self.report.add("head", run)
                say(f"round {number}/{options.runs}, head, {name}: {run['seconds']:.1f} s, {run['fit']:.1f} s of it in "
                    f"the fit, validation accuracy {run['val_accuracy']:.3f}")
            self.summarise()
            self.report.write()
        self.compare()

    def once(self, name):
        options = self.ground.options
        out = self.ground.folder / f"head-{name}"
        if name == OURS:
            shutil.rmtree(out, ignore_errors=True)
            measured = processes.must("trainer fit", [
                self.ground.program("trainer"), "fit", "--features", self.store, "--validation-split", "0.3", "--out",
                out, "--epochs", options.epochs, "--seed", options.seed, "--device", "cpu", "--log-format", "json"])
            answer = fit_figures(measured.log())
        else:
            kept = out.with_suffix(".keras" if name == "keras" else ".pt")
            measured, answer = self.workers.run(name, name, "fit", "--features", self.store, "--epochs",
                                                options.epochs, "--seed", options.seed, "--out", kept)
            roster.check_rows(name, answer, self.rows)
        return {**answer, **measured.figures()}

    def summarise(self):
        runs = self.section["runs"]
        self.section["medians"] = processes.summaries(runs, FIGURES)
        self.section["ratios"] = [
            {"ours": OURS, "peer": peer, **{name: processes.ratio(runs, name, peer, OURS)
                                            for name in ("fit", "seconds")}}
            for peer in self.names if peer != OURS and OURS in self.names]

    def compare(self):
        """Whoever learns something else than ours is a failed check."""
        found = {name: medians["val_accuracy"]["median"] for name, medians in self.section["medians"].items()}
        for name, accuracy in found.items():
            most = band(found.get(OURS, accuracy), self.rows * 0.3)
            if OURS in found and abs(accuracy - found[OURS]) > most:
                self.report.fail(f"head, {name}: expected a validation accuracy within {most:.3f} of "
                                 f"{found[OURS]:.3f}, found {accuracy:.3f}")

    def table(self):
        medians = self.section.get("medians", {})
        ratios = {found["peer"]: found for found in self.section.get("ratios", [])}
        rows = []
        for name in self.names:
            found, ratio = medians.get(name, {}), ratios.get(name, {})
            rows.append([TITLES[name], spread(found.get("fit"), 2),
                         spread(found.get("seconds"), 2),
                         spread(found.get("peak_bytes"), 0, 1e-6),
                         spread(found.get("val_accuracy"), 3),
                         times(ratio.get("fit")), times(ratio.get("seconds"))])
        return HEADER, rows


def band(accuracy, rows):
    """How far another program may be away: 0.03, or on few validation rows two standard deviations."""
    # Rounding must not decide: 0.90 and 0.93 are within the band.
    return max(ACCURACY_BAND, 2 * math.sqrt(accuracy * (1 - accuracy) / max(rows, 1))) + 1e-6


def training_images(options):
    """Those that were given, else `train` beside the photographs."""
    if options.training_images:
        return options.training_images
    beside = options.images.resolve().parent / "train"
    if not beside.is_dir():
        raise Failure(f"{beside}: expected the training photographs beside {options.images}, found no folder",
                      "give --training-images DIR, or --only extraction")
    return beside


def fit_figures(log):
    """From the line before the first epoch to the last epoch's: training and validation, without the start."""
    epochs = [position for position, line in enumerate(log) if "epoch" in line and "loss" in line]
    if not epochs or epochs[0] == 0 or "val_accuracy" not in log[-1]:
        raise Failure("trainer fit: expected lines with `epoch` and `loss` in its log, and the best of them last",
                      "give --programs of this version")
    best = log[-1]
    return {"fit": processes.seconds_between(log[epochs[0] - 1], log[epochs[-1]]),
            "val_accuracy": best["val_accuracy"], "epoch": best["epoch"]}
