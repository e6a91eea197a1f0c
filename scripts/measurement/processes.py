"""Whole processes, measured: wall time, processor time and peak memory; and the medians and ratios of rounds."""

import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime

from endurance.ground import environment, log_lines
from report import Failure


@dataclass
class Measured:
    """A process that ended by itself. Its peak memory is at least this script's own, from which it was forked."""

    code: int
    out: str
    err: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    def log(self):
        """The objects of `--log-format json`."""
        return log_lines(self.err)

    def cpu_share(self):
        """Processor time as a share of what all cores could have given."""
        return self.cpu_seconds / self.seconds / cores()

    def figures(self):
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds, "peak_bytes": self.peak_bytes}


def cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def measure(command, variables=None):
    """Runs a command to its end. Whatever interrupts this ends the process too."""
    # Files, not pipes: nobody has to read while the process is timed.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        # As people run it: threads may spin while they wait.
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   env={**environment(yields=False), **(variables or {})})
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begun
            # Popen must not wait for a process that is gone.
            process.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    return Measured(process.returncode, *texts, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def must(name, command, variables=None):
    """Measures a command that has to succeed; `name` is what an error calls it."""
    measured = measure(command, variables)
    if measured.code != 0:
        said = [line for line in measured.err.splitlines() if line.strip() and not line.startswith("hint: ")]
        # Wrong use ends with how to get help, not with what is wrong.
        last = next((line for line in said if line.startswith("error: ")), said[-1]) if said else "it said nothing"
        found = log_lines(last)
        raise Failure(f"{name}: exit code {measured.code}: {found[0].get('message', last) if found else last}")
    return measured


def rotated(items, round_number):
    """The items in the order of a round: who comes first changes from round to round."""
    items = list(items)
    first = (round_number - 1) % len(items) if items else 0
    return items[first:] + items[:first]


def summary(values):
    """Median, minimum and maximum of what is there; None where nothing is."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"median": statistics.median(known), "minimum": min(known), "maximum": max(known)}


def ratio(runs, name, first, second):
    """The median over the rounds of `first`'s figure divided by `second`'s in the same round; None without a round."""
    figures = {}
    for run in runs:
        if run.get(name) is not None:
            figures[run["candidate"], run["round"]] = run[name]
    rounds = sorted(number for candidate, number in figures if candidate == first and (second, number) in figures)
    found = [figures[first, number] / figures[second, number] for number in rounds]
    return statistics.median(found) if found else None


def summaries(runs, names):
    """Candidate -> name -> summary of its runs, in the order in which the candidates first ran."""
    candidates = dict.fromkeys(run["candidate"] for run in sorted(runs, key=lambda run: run["round"]))
    return {candidate: {name: summary(run.get(name) for run in runs if run["candidate"] == candidate)
                        for name in names} for candidate in candidates}


def seconds_between(first, second):
    """Of two lines of a log."""
    times = [datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00")) for line in (first, second)]
    return (times[1] - times[0]).total_seconds()


def rounds(runs):
    """Rounds that everyone has finished."""
    candidates = {run["candidate"] for run in runs}
    done = [{run["candidate"] for run in runs if run["round"] == number} for number in {run["round"] for run in runs}]
    return sum(found == candidates for found in done)
