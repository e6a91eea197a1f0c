"""Runs in an environment with TensorBoard: event files of trainings, read by TensorBoard.

Started by scripts/check-exports, whose options it takes as one JSON object.
"""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 2)[0]

import numpy
from tensorboard.backend.event_processing import event_accumulator, event_file_loader

from conversion.architecture import architectures
from exports import pictures, untrained
from exports.heads import INNER
from exports.programs import Programs
from report import Failure, run, say

NAME = "events.out.tfevents.convbase"
SERIES = ("loss", "accuracy", "val_loss", "val_accuracy")
# Small and quick; nothing here depends on it.
BASE = "mobilenet"
EXTRACTION = ("--image-size", 64, "--interpolation", "bilinear")
# Enough epochs that an interruption meets the program at work.
EPOCHS = 300
PATIENCE_SECONDS = 60


def main():
    options = json.loads(sys.argv[1])
    programs, folder = Programs(options["programs"], options["folder"]), Path(options["folder"]) / "tensorboard"
    images = Path(options["images"]) if options["images"] else programs.demo(options["photographs"])
    pictures.write(pictures.listing(images, options["photographs"]), (64, 64), folder / "images", ("cats", "dogs"))
    weights = folder / "weights.safetensors"
    untrained.write(architectures()[BASE], weights)
    outer, inner = folder / "outer", folder / "inner"
    programs.extract(BASE, weights, folder / "images", outer, *EXTRACTION)
    programs.extract(BASE, weights, folder / "images", inner, *EXTRACTION, "--layer", INNER[BASE])
    fit = ("fit", "--features", outer, "--hidden", 16, "--device", "cpu", "--epochs", EPOCHS, "--tensorboard")
    whole, stopped, tuned = (folder / name for name in ("whole", "stopped", "tuned"))
    programs.run("trainer", *fit, "--out", whole)
    interrupt(programs.command("trainer", *fit, "--out", stopped), stopped)
    programs.run("trainer", *fit, "--out", stopped, "--resume")
    programs.run("trainer", "fine-tune", "--features", inner, "--checkpoint", whole / "best.safetensors", "--weights",
                 weights, "--device", "cpu", "--epochs", 3, "--tensorboard", "--out", tuned)
    for name, trained in (("fit", whole), ("fit, interrupted and resumed", stopped), ("fine-tune", tuned)):
        epochs = compare(trained)
        say(f"{name}: {epochs} epochs of {', '.join(SERIES)}, each history.csv's in float32")
    if (whole / NAME).read_bytes() != (stopped / NAME).read_bytes():
        raise Failure(f"{stopped / NAME}: expected the bytes of a run that was never interrupted, found others")
    say("check-exports tensorboard: 3 runs, equal bytes where one was resumed; passed")


def interrupt(command, folder):
    """Starts a training and kills it when it has written some epochs."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    begun = time.monotonic()
    while not ((folder / "last.safetensors").is_file() and (folder / NAME).stat().st_size > 1000):
        if program.poll() is not None or time.monotonic() - begun > PATIENCE_SECONDS:
            program.kill()
            raise Failure(f"trainer fit: expected epochs in {folder / NAME}: {program.communicate()[1].decode()}")
        time.sleep(0.001)
    program.send_signal(signal.SIGKILL)
    program.communicate()
    # What lies behind the state's epoch must go, whatever it is.
    with (folder / NAME).open("ab") as file:
        file.write(b"half a record")


def compare(folder):
    """By TensorBoard's accumulator and its plain reader; gives the number of epochs."""
    with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
        history = list(csv.DictReader(file))
    accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance={event_accumulator.SCALARS: 0})
    accumulator.Reload()
    tags = accumulator.Tags()["scalars"]
    if sorted(tags) != sorted(SERIES):
        raise Failure(f"{folder / NAME}: expected {', '.join(SERIES)}, found {tags}")
    for series in SERIES:
        expected = [(int(row["epoch"]), float(row["epoch"]), numpy.float32(row[series])) for row in history]
        found = [(event.step, event.wall_time, numpy.float32(event.value)) for event in accumulator.Scalars(series)]
        if found != expected:
            raise Failure(f"{folder / NAME}: {series}: expected {expected[:3]}…, found {found[:3]}…")
    events = list(event_file_loader.LegacyEventFileLoader(str(folder / NAME)).Load())
    if len(events) != len(history) + 1 or events[0].file_version != "brain.Event:2":
        raise Failure(f"{folder / NAME}: expected a version and {len(history)} epochs, found {len(events)} events")
    return len(history)


if __name__ == "__main__":
    run("check-exports tensorboard", main)
