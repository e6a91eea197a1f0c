"""Part of scripts/bench-peers: a logistic regression on pooled features, its C chosen on the same folds."""

import csv
import json
import shutil

from measurement import processes
from measurement.learning import Learning
from measurement.peers import roster
from measurement.peers.roster import OURS, SCIKIT_LEARN
from measurement.table import share
from report import Failure

RECIPE = "native"
# With scikit-learn's own, 1e-4, weak penalties end so early that its choice of C may be another.
TOLERANCE = 1e-8
# Of the predictions on the test photographs, at least so many are the same.
EQUAL = 0.999


class Probe(Learning):
    NAME = "probe"
    COLUMNS = (("fit alone, s", "fit", 2, 1), ("whole process, s", "seconds", 2, 1),
               ("peak memory, MB", "peak_bytes", 0, 1e-6), ("log loss of the folds", "val_loss", 4, 1))
    RATIOS = (("fit alone, it ÷ ours", "fit"), ("whole process, it ÷ ours", "seconds"))
    caption = ("Logistic regression on average-pooled features of the native recipe, C the best of nine powers of ten "
               "on the same five folds, then fitted to all training photographs. scikit-learn: `LogisticRegressionCV`, "
               "folds side by side (`n_jobs=-1`); its fit alone begins with pooled rows in memory. Convbase's log has "
               "no such line: its whole process stands for the fit as well. Converged: once more with a tolerance of "
               f"{TOLERANCE:.0e}, which is not measured; scikit-learn's accuracy and predictions are of this one. "
               "Ratios are of seconds, above 1 where Convbase is faster.")

    def prepare(self):
        self.training = self.stores.get("training", RECIPE).path
        self.test = self.stores.get("test", RECIPE).path
        # Who has no run of ours in the rounds still takes our folds.
        self.fitted, self.model = self.ground.folder / "probe", self.ground.folder / "probe.joblib"
        self.ours()

    def ours(self):
        shutil.rmtree(self.fitted, ignore_errors=True)
        return processes.must("trainer probe", [
            self.ground.program("trainer"), "probe", "--features", self.training, "--pooling", "avg", "--scaling",
            "none", "--seed", self.ground.options.seed, "--out", self.fitted, "--log-format", "json"])

    def once(self, name):
        if name == OURS:
            measured = self.ours()
            return {**chosen(rows(self.fitted / "grid.csv")), "fit": measured.seconds, **measured.figures()}
        measured, answer = self.theirs()
        return {**answer, **measured.figures()}

    def theirs(self, *further):
        measured, answer = self.workers.run(SCIKIT_LEARN, "scikit_learn", "probe", "--features", self.training,
                                            "--folds", self.fitted / "held_out.csv", "--out", self.model, *further)
        roster.check_rows(SCIKIT_LEARN, answer, self.section["photographs"])
        return measured, answer

    def told(self, run):
        return f"{run['seconds']:.1f} s, {run['fit']:.1f} s of it in the fit, C {run['c']:g}"

    def compare(self):
        """The choice of C, and what both say of photographs that neither has seen."""
        self.section["test_photographs"] = self.stores.count("test")
        accuracies, predicted = self.section.setdefault("test_accuracy", {}), {}
        if SCIKIT_LEARN in self.names:
            _, converged = self.theirs("--tolerance", TOLERANCE)
            self.section["converged"] = {"tolerance": TOLERANCE, "c": converged["c"],
                                         "val_loss": converged["val_loss"], "fit": converged["fit"]}
            _, answer = self.workers.run(SCIKIT_LEARN, "scikit_learn", "predict", "--features", self.test, "--model",
                                         self.model)
            classes = json.loads((self.test / "manifest.json").read_text(encoding="utf-8"))["classes"]
            predicted[SCIKIT_LEARN] = [classes[label] for label in answer["predictions"]]
            accuracies[SCIKIT_LEARN] = equal_share(answer["predictions"], answer["labels"])
        if OURS in self.names:
            found = self.predictions()
            predicted[OURS] = [row["prediction"] for row in found]
            accuracies[OURS] = equal_share(predicted[OURS], [row["label"] for row in found])
        if len(predicted) == 2:
            self.section["equal_predictions"] = equal_share(*predicted.values())
            for reason in differences(self.choices()[OURS], [converged["c"]], self.section["equal_predictions"]):
                self.report.fail(reason)
        self.report.write()

    def predictions(self):
        """Ours of the test photographs, in their order."""
        report = self.ground.folder / "probe-report"
        processes.must("evaluator evaluate", [
            self.ground.program("evaluator"), "evaluate", "--features", self.test, "--checkpoint",
            self.fitted / "best.safetensors", "--out", report, "--device", "cpu"])
        return rows(report / "predictions.csv")

    def choices(self):
        """Candidate -> the C of its rounds."""
        return {name: sorted({run["c"] for run in self.section["runs"] if run["candidate"] == name})
                for name in self.names}

    def further(self):
        accuracies, equal = self.section.get("test_accuracy", {}), self.section.get("equal_predictions")
        converged = {SCIKIT_LEARN: f"{self.section['converged']['c']:g}"} if "converged" in self.section else {}
        return {"C": {name: ", ".join(f"{c:g}" for c in found) for name, found in self.choices().items()},
                "C, converged": converged,
                "test accuracy": {name: share(accuracy) for name, accuracy in accuracies.items()},
                "predictions equal to ours": {SCIKIT_LEARN: share(equal)}}


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def chosen(grid):
    """The lowest log loss of a grid's lines; the stronger penalty of equals."""
    if not grid:
        raise Failure("trainer probe: expected lines in its grid.csv, found none")
    best = min(grid, key=lambda line: (float(line["val_loss"]), float(line["c"])))
    return {"c": float(best["c"]), "val_loss": float(best["val_loss"])}


def equal_share(found, expected):
    """Of two lists of one length."""
    if len(found) != len(expected) or not expected:
        raise Failure(f"probe: expected {len(expected)} predictions, found {len(found)}")
    return sum(one == other for one, other in zip(found, expected)) / len(expected)


def differences(ours, theirs, equal):
    """What may not differ between the C of our rounds, scikit-learn's, and the predictions, in words."""
    if ours != theirs:
        yield f"probe: expected scikit-learn's C, {theirs}, found {ours}"
    if equal < EQUAL:
        yield f"probe: expected at least {EQUAL:.1%} of scikit-learn's predictions, found {equal:.2%}"
