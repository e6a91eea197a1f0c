"""`stress kill-training`: a training may be killed at any moment; resumed, it ends at the same bytes."""

import json
import shutil
from collections import Counter

from conversion import safetensors_file
from endurance import drawn
from endurance.ground import TOO_LATE, difference, temporary_files, usual_seconds
from report import Failure, say

# Two kinds of training, killed in turn: many short epochs, whose states fall between them, and few long ones,
# whose states fall within them as well (the trainer saves every 500 steps). The steps are large, so that the
# best epoch of the first lies somewhere in the middle.
SHORT = ("--epochs", "120", "--hidden", "64", "--batch-size", "8", "--learning-rate", "2e-4")
LONG = ("--epochs", "3", "--hidden", "16", "--batch-size", "1", "--learning-rate", "1e-4")
LONG_ROWS = 2200
COMMON = ("--device", "cpu", "--log-format", "json")


def kill_training(ground, options):
    """One kill per round, at a moment drawn from the whole duration of a run; then the run is resumed."""
    rounds, stores = options.runs or 30, (ground.folder / "photographs", ground.folder / "drawn")
    ground.must(ground.extract(ground.images(160), stores[0]))
    drawn.draw_store(stores[1], LONG_ROWS, 32, ground.seed)
    trainings = [Training(ground, store, ground.folder / f"uninterrupted-{store.name}", shape)
                 for store, shape in zip(stores, (SHORT, LONG))]
    stages, left, between = Counter(), 0, 0
    while (number := sum(stages.values()) - stages[TOO_LATE] + 1) <= rounds:
        training, run = trainings[number % 2], ground.folder / "round"
        moment = ground.chance.uniform(0, training.duration * 1.05)
        hit = ground.kill(training.fit(run), moment)
        last, temporary = last_state(run), temporary_files(run)
        place = stage(hit, last, training.epochs)
        stages[place] += 1
        left, between = left + bool(temporary), between + (rows_of_history(run) > last["epoch"])
        ended, name = ground.call(training.fit(run, "--resume")), f"kill {number}/{rounds}"
        say(f"{name}: after {moment:.2f} s {place}, {last['epoch']} of {training.epochs} epochs finished, "
            f"{len(temporary)} temporary files; resumed: {len(trained_epochs(ended))} epochs")
        training.check_resumed(name, ended, run, last["epoch"])
        shutil.rmtree(run)
        if stages[TOO_LATE] > rounds + 10:
            raise Failure("most kills came too late: the machine's speed changes too much to aim")
    places = ", ".join(f"{stages[place]} {place}" for place in sorted(stages))
    return ground.checks.close(f"{rounds} kills ({places}), {left} left temporary files, {between} between "
                               f"history and state")


class Training:
    """A training, its uninterrupted run and how long that takes."""

    def __init__(self, ground, store, whole, shape):
        self.command = ground.command("trainer", "fit", "--features", store, *shape, *COMMON)
        self.checks, self.whole, self.epochs = ground.checks, whole, int(shape[1])
        self.duration = usual_seconds(lambda: ground.must(self.fit(whole)))
        best = json.loads(safetensors_file.metadata(whole / "best.safetensors")["convbase"])["epoch"]
        say(f"uninterrupted: {self.duration:.2f} s, {self.epochs} epochs, the best is {best}")

    def fit(self, out, *more):
        return [*self.command, "--out", str(out), *more]

    def check_resumed(self, name, ended, run, last):
        """All files of the run folder, not only the three that count, are those of the uninterrupted run."""
        if not self.checks.that(ended.code == 0, f"{name}: exit code {ended.code}: {ended.error}"):
            return
        wrong, rest, trained = difference(self.whole, run), temporary_files(run), trained_epochs(ended)
        self.checks.that(wrong is None, f"{name}: {wrong}")
        self.checks.that(not rest, f"{name}: temporary files are left: {', '.join(rest)}")
        self.checks.that(trained == list(range(last + 1, self.epochs + 1)),
                         f"{name}: expected the epochs from {last + 1} on, found {trained[:3]}")


def trained_epochs(ended):
    """The numbers of the epochs that a training says it finished."""
    return [line["epoch"] for line in ended.log() if "accuracy" in line]


def stage(hit, last, epochs):
    """Where in its work the kill met the training."""
    if not hit:
        return TOO_LATE
    if not last["there"]:
        return "before the first state"
    if last["steps"]:
        return "after a state within an epoch"
    return "after the last state" if last["epoch"] == epochs else "after a state between epochs"


def last_state(run):
    """What a training goes on from: finished epochs, and steps of the next one."""
    path = run / "last.safetensors"
    if not path.exists():
        return {"there": False, "epoch": 0, "steps": 0}
    metadata = json.loads(safetensors_file.metadata(path)["convbase-training"])
    return {"there": True, "epoch": metadata["epoch"], "steps": metadata.get("begun", {}).get("steps", 0)}


def rows_of_history(run):
    """Epochs that `history.csv` tells of: one more than the state when the kill came between the two."""
    path = run / "history.csv"
    return len(path.read_text(encoding="utf-8").splitlines()) - 1 if path.exists() else 0
