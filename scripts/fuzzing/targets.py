"""Builds the fuzz targets and runs them."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import repository
from report import Failure

# Target → the longest input, in bytes: about twice what it begins from.
LIGHT = {"decode": 65_536, "store": 8_192, "manifest": 4_096, "receipt": 8_192, "spec": 2_048,
         "csv": 4_096, "weights": 65_536}
HEAVY = {"checkpoint": 65_536, "state": 8_192, "onnx": 32_768}

PACKAGE = repository.ROOT / "crates/fuzz"
FOLDER = repository.ROOT / "target/fuzz"
# As cargo-fuzz has them, without that program: libFuzzer's counters in all crates, and the address sanitizer.
FLAGS = ("-Zsanitizer=address --cfg fuzzing -Ccodegen-units=4 -Cpasses=sancov-module "
         "-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters "
         "-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares")


@dataclass
class Outcome:
    """What a run of a target came to."""

    executions: int
    coverage: int
    corpus: int
    crashes: int

    @classmethod
    def of(cls, log, crashes):
        """Reads libFuzzer's log."""
        status = re.findall(r"cov: (\d+) .*?corp: (\d+)/", log)
        coverage, corpus = map(int, status[-1]) if status else (0, 0)
        executions = re.search(r"^stat::number_of_executed_units: +(\d+)", log, re.MULTILINE)
        return cls(int(executions.group(1)) if executions else 0, coverage, corpus, crashes)

    def line(self, name):
        return (f"{name}: {self.executions:,} executions, coverage {self.coverage:,}, "
                f"{self.corpus:,} inputs, {self.crashes} crashes")


class Fuzzer:
    """The targets, built for this machine."""

    def __init__(self, heavy):
        self.features = ["--features", "nn"] if heavy else []
        self.triple = host()

    def build(self):
        # With a target of its own, build scripts and macros stay without instrumentation.
        command = ["cargo", "+nightly", "build", "--release", "--locked", "--bins", "--target", self.triple,
                   *self.features]
        environment = {**os.environ, "RUSTFLAGS": FLAGS, "CARGO_TARGET_DIR": str(FOLDER)}
        if subprocess.run(command, cwd=PACKAGE, env=environment).returncode != 0:
            raise Failure("cannot build crates/fuzz", "`rustup toolchain install nightly` installs what it needs")

    def run(self, name, seconds):
        """One target on one thread, from what earlier runs kept."""
        programs = FOLDER / self.triple / "release"
        corpus, crashes = FOLDER / "corpora" / name, FOLDER / "crashes" / name
        crashes.mkdir(parents=True, exist_ok=True)
        before = set(crashes.iterdir())
        limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
                  f"-max_len={LIGHT.get(name) or HEAVY[name]}"]
        # Many small files: in memory where the system has such a folder.
        memory = Path("/dev/shm")
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as scratch:
            # Programs of a package of its own know nothing of where libtorch lies.
            environment = {**os.environ, "TMPDIR": scratch, "ASAN_OPTIONS": "detect_leaks=0",
                           "LD_LIBRARY_PATH": str(repository.LIBTORCH / "lib")}
            subprocess.run([programs / "seeds", name, corpus], env=environment, check=True)
            log = FOLDER / f"{name}.log"
            with open(log, "wb") as out:
                subprocess.run([programs / name, corpus, *limits, "-print_final_stats=1", "-artifact_prefix=./"],
                               cwd=crashes, env=environment, stdout=out, stderr=subprocess.STDOUT)
        found = sorted(set(crashes.iterdir()) - before)
        return Outcome.of(log.read_text(encoding="utf-8", errors="replace"), len(found))


def host():
    """The triple of this machine."""
    try:
        told = subprocess.run(["rustc", "+nightly", "-vV"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise Failure("no nightly Rust", "`rustup toolchain install nightly`")
    return re.search(r"^host: (.+)$", told, re.MULTILINE).group(1)
