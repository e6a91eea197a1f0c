"""What all stress tests stand on: a folder to work in, the programs, photographs, and a count of checks."""

import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import repository
from report import Failure, say

# Variables that would change what the programs do or say.
FOREIGN = ("RUST_LOG", "RUST_BACKTRACE", "JOB_COMPLETION_INDEX")
# Every rejection allowed: what counts here is the number of shards and files.
EXTRACT = ("--preprocess", "rescale", "--precision", "fp32", "--device", "cpu",
           "--max-rejected", "1")
# Nothing here takes a program longer than a minute or two; one that hangs is a failure.
PATIENCE = 600
# A kill that met nothing: the program had just ended. It is not counted, and another moment is drawn.
TOO_LATE = "too late"


@dataclass
class Ended:
    """A program that ended by itself."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def crashed(self):
        """Ended by a signal, or by a panic of Rust."""
        return self.code < 0 or self.code == 101 or "panicked" in self.err

    @property
    def error(self):
        """The line that says what failed, without the hint; empty where nothing did."""
        lines = [line for line in self.err.splitlines() if line and not line.startswith("hint: ")]
        last = lines[-1] if lines and self.code != 0 else ""
        return next((line["message"] for line in log_lines(last)), last)

    def log(self):
        """The objects of `--log-format json`."""
        return log_lines(self.err)


class Checks:
    """Counts what held and what did not, and says what did not at once."""

    def __init__(self, name):
        self.name, self.passed, self.failed = name, 0, 0

    def that(self, holds, otherwise):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            say(f"failed: {otherwise}")
        return bool(holds)

    def close(self, figures):
        """The last line; gives the number of failures."""
        say(f"stress {self.name}: {figures}; {self.passed} passed, {self.failed} failed")
        return self.failed


class Ground:
    """A folder of its own, removed at the end, and the programs that work in it."""

    def __init__(self, name, options):
        self.name, self.options, self.seed = name, options, options.seed
        self.chance = random.Random(f"{options.seed} {name}")
        self.checks = Checks(name)

    def __enter__(self):
        for name in ("extractor", "trainer", "evaluator", "demo_data"):
            self.program(name)
        weights = self.options.weights or repository.weights(self.options.base)
        if not weights.is_file():
            raise Failure(f"{weights}: expected the weights, found no file", "scripts/weights makes them")
        self.base = repository.base_options(self.options.base, weights.resolve())
        self.options.folder.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f"stress-{self.name}-", dir=self.options.folder)).resolve()
        return self

    def __exit__(self, *_):
        if self.options.keep:
            say(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, name):
        """The path of a program; cargo puts the generator of photographs into a folder of its own."""
        places = [self.options.programs / name, self.options.programs / "examples" / name]
        for place in places:
            if place.is_file():
                return place.resolve()
        raise Failure(f"{places[0]}: expected a program, found none",
                      "`just build` makes it, or give --programs DIR")

    def command(self, name, *arguments):
        return [str(self.program(name)), *map(str, arguments)]

    def extract(self, images, out, *arguments):
        """The command of an extraction with the options that all stores here share."""
        return self.command("extractor", "extract", "--images", images, "--out", out, *self.base,
                            "--image-size", self.options.image_size, *EXTRACT, "--log-format", "json", *arguments)

    def call(self, command, threads=None):
        """Runs a command to its end. Whatever interrupts this ends the program too."""
        begun = time.monotonic()
        try:
            ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
                                   env=environment(threads), check=False)
        except subprocess.TimeoutExpired:
            return Ended(-9, "", f"killed: it ran longer than {PATIENCE} s", PATIENCE)
        out, err = (text.decode("utf-8", "replace") for text in (ended.stdout, ended.stderr))
        return Ended(ended.returncode, out, err, time.monotonic() - begun)

    def must(self, command, threads=None):
        """Runs a command that has to succeed before anything can be tested."""
        ended = self.call(command, threads)
        if ended.code != 0:
            raise Failure(f"{' '.join(command[:2])}: exit code {ended.code}: {ended.error}")
        return ended

    def kill(self, command, moment):
        """Starts a command and kills it after `moment` seconds. False when it had ended well before."""
        with open(self.folder / "killed.log", "wb") as log:
            program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env=environment())
            try:
                program.wait(timeout=moment)
            except subprocess.TimeoutExpired:
                pass
            finally:
                program.kill()
                program.wait()
        if program.returncode not in (0, -9):
            said = (self.folder / "killed.log").read_text(encoding="utf-8", errors="replace").splitlines()
            raise Failure(f"{' '.join(command[:2])}: exit code {program.returncode}: {(said or [''])[-1]}")
        return program.returncode == -9

    def images(self, count):
        """Photographs: those that were given, or `count` drawn ones of which every 20th is cut short."""
        if self.options.images:
            return self.options.images.resolve()
        drawn = self.folder / f"images-{count}"
        if not drawn.exists():
            self.must(self.command("demo_data", "--out", drawn, "--train", count, "--test", 2, "--seed",
                                   self.seed))
            for photograph in sorted((drawn / "train").rglob("*.*"))[7::20]:
                photograph.write_bytes(photograph.read_bytes()[:100])
        return drawn / "train"


def environment(threads=None, yields=True):
    """This process's variables, without those that the programs would heed."""
    kept = {name: value for name, value in os.environ.items()
            if name not in FOREIGN and not name.startswith("SLURM_")}
    if yields:
        # Threads that spin while they wait make everything several times slower where others compute as well.
        kept["OMP_WAIT_POLICY"] = "passive"
    if threads:
        kept["OMP_NUM_THREADS"] = kept["RAYON_NUM_THREADS"] = str(threads)
    return kept


def log_lines(text):
    """The JSON objects among the lines of a log."""
    found = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def usual_seconds(run, times=3):
    """How long a command takes: the median, for the first run reads cold files."""
    return statistics.median(run().seconds for _ in range(times))


def difference(expected, found):
    """The first thing by which the files of two folders differ, or None."""
    names = [{path.name for path in folder.iterdir()} for folder in (expected, found)]
    for name in sorted(names[0] | names[1]):
        if name not in names[1]:
            return f"{name} is missing"
        if name not in names[0]:
            return f"{name} should not be there"
        if (expected / name).read_bytes() != (found / name).read_bytes():
            return f"{name} has other bytes"
    return None


def temporary_files(folder):
    """What a killed writer leaves: the programs begin such names with a dot."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")] if folder.is_dir() else []
