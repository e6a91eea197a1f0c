"""What the parts of scripts/bench-peers that train have in common: rounds in which everyone learns, and a table."""

import math

from measurement import processes
from measurement.peers.roster import OURS, TITLES
from measurement.table import spread, times
from report import Failure, say

# Seeds of different programs draw different numbers: equal accuracy cannot be asked for.
ACCURACY_BAND = 0.03
# Of each class, the first photographs: they validate, as in Keras.
VALIDATION_SHARE = 0.3


class Learning:
    """A part says who learns what in `prepare` and `once`, and what of it is told in COLUMNS."""

    NAME = ""
    # Header, figure of a run, digits, scale.
    COLUMNS = ()
    # Header, figure whose ratio, theirs divided by ours, is told.
    RATIOS = ()
    caption = ""

    def __init__(self, ground, workers, report, names, stores):
        self.ground, self.workers, self.report, self.names, self.stores = ground, workers, report, names, stores
        self.section = report.document[self.NAME] = {"runs": []}

    def run(self):
        runs = self.ground.options.runs
        self.section["photographs"] = self.stores.count("training")
        self.prepare()
        for number in range(1, runs + 1):
            for name in processes.rotated(self.names, number):
                run = {"round": number, "candidate": name, **self.once(name)}
                self.report.add(self.NAME, run)
                say(f"round {number}/{runs}, {self.NAME}, {name}: {self.told(run)}")
            self.summarise()
            self.report.write()
        self.compare()

    def prepare(self):
        """What all rounds need and nobody is measured by."""

    def once(self, name):
        """The figures of one candidate's run."""
        raise NotImplementedError

    def told(self, run):
        return f"{run['seconds']:.1f} s"

    def compare(self):
        """Failed checks, after the rounds."""

    def summarise(self):
        runs, figures = self.section["runs"], [figure for _, figure, _, _ in self.COLUMNS]
        self.section["medians"] = processes.summaries(runs, figures)
        self.section["ratios"] = [
            {"ours": OURS, "peer": peer, **{figure: processes.ratio(runs, figure, peer, OURS)
                                            for _, figure in self.RATIOS}}
            for peer in self.names if peer != OURS and OURS in self.names]

    def further(self):
        """More columns: header -> candidate -> cell."""
        return {}

    def table(self):
        """Header and rows."""
        medians, further, rows = self.section.get("medians", {}), self.further(), []
        ratios = {found["peer"]: found for found in self.section.get("ratios", [])}
        for name in self.names:
            found, ratio = medians.get(name, {}), ratios.get(name, {})
            rows.append([TITLES[name],
                         *(spread(found.get(figure), digits, scale) for _, figure, digits, scale in self.COLUMNS),
                         *(cells.get(name, "–") for cells in further.values()),
                         *(times(ratio.get(figure)) for _, figure in self.RATIOS)])
        headers = [*(column[0] for column in self.COLUMNS), *further, *(header for header, _ in self.RATIOS)]
        return [self.NAME, *headers], rows

    def compare_accuracy(self):
        """Whoever learns something else than ours is a failed check."""
        found = {name: medians["val_accuracy"]["median"] for name, medians in self.section["medians"].items()}
        for name, accuracy in found.items():
            most = band(found.get(OURS, accuracy), self.section["photographs"] * VALIDATION_SHARE)
            if OURS in found and abs(accuracy - found[OURS]) > most:
                self.report.fail(f"{self.NAME}, {name}: expected a validation accuracy within {most:.3f} of "
                                 f"{found[OURS]:.3f}, found {accuracy:.3f}")


def band(accuracy, rows):
    """How far another program may be away: 0.03, or on few validation rows two standard deviations."""
    # Rounding must not decide: 0.90 and 0.93 are within the band.
    return max(ACCURACY_BAND, 2 * math.sqrt(accuracy * (1 - accuracy) / max(rows, 1))) + 1e-6


def fit_figures(log):
    """From the line before the first epoch to the last epoch's: training and validation, without the start."""
    epochs = [position for position, line in enumerate(log) if "epoch" in line and "loss" in line]
    best = next((line for line in reversed(log) if "val_accuracy" in line and "loss" not in line), None)
    if not epochs or epochs[0] == 0 or best is None:
        raise Failure("trainer: expected lines with `epoch` and `loss` in its log, and the best of them at the end",
                      "give --programs of this version")
    return {"fit": processes.seconds_between(log[epochs[0] - 1], log[epochs[-1]]), "epochs": len(epochs),
            "val_accuracy": best["val_accuracy"], "epoch": best["epoch"]}
