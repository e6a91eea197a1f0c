"""What all measurements stand on: a folder of their own, removed at the end, and the programs that work in it."""

import argparse
import shutil
import signal
import tempfile
from pathlib import Path

import repository
from measurement import machine, processes
from report import Failure, say

# How photographs are prepared: as the tutorial does, and as the weights were trained.
RECIPES = {"article": ("--preprocess", "rescale", "--interpolation", "nearest"),
           "native": ("--preprocess", "auto", "--interpolation", "bilinear")}
# Share of the cores that others may have without a remark.
BUSY = 0.25


class Ground:
    """The folder and the programs of one measurement."""

    def __init__(self, name, options, may_draw=False):
        """`may_draw`: weights that are not there are drawn by a worker, where no file is named."""
        self.name, self.options, self.may_draw = name, options, may_draw
        self.machine = machine.machine()

    def __enter__(self):
        for name in ("extractor", "trainer", "evaluator"):
            self.program(name)
        self.options.folder.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f"bench-{self.name}-", dir=self.options.folder)).resolve()
        try:
            if self.options.base is not None:
                self.choose(self.options.base)
        except Failure:
            self.__exit__()
            raise
        say(f"bench: {machine.describe(self.machine)}")
        if self.machine["load_average"] > BUSY * self.machine["cores"]:
            say(f"remark: others compute here as well (load average {self.machine['load_average']:.1f}): "
                "figures are lower than they could be")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def choose(self, base):
        """The base that is extracted with from now on, and its weights."""
        weights = self.options.weights or repository.weights(base)
        # The speed of convolutions does not depend on what they multiply.
        self.draws_weights = self.options.weights is None and not weights.is_file() and self.may_draw
        if not weights.is_file() and not self.draws_weights:
            raise Failure(f"{weights}: expected the weights, found no file", "scripts/weights makes them")
        self.base = base
        self.weights = self.folder / f"drawn-{base}.safetensors" if self.draws_weights else weights.resolve()

    def program(self, name, folder=None):
        path = (folder or self.options.programs) / name
        if not path.is_file():
            raise Failure(f"{path}: expected a program, found none", "`just build` makes it, or give --programs DIR")
        return path.resolve()

    def extract(self, images, store, *further, recipe="article", programs=None, device="cpu"):
        """Extracts into a store that is not there before; on the processor, whatever machine this is, by default."""
        shutil.rmtree(store, ignore_errors=True)
        command = [self.program("extractor", programs), "extract", "--images", images, "--out", store,
                   *repository.base_options(self.base, self.weights), *RECIPES[recipe], "--device", device,
                   "--log-format", "json", *further]
        return processes.must("extractor extract", command)


def extraction_figures(measured):
    """From the extractor's log: seconds of the work alone, of the convolutions alone, and rows."""
    log = measured.log()
    ended = next((line for line in reversed(log) if "embedded" in line), None)
    rated = next((line for line in reversed(log) if "images_per_second" in line and "done" in line), None)
    if ended is None:
        raise Failure("extractor extract: expected a line with `embedded` in its log, found none",
                      "give --programs of this version")
    figures = {"rows": ended["embedded"], "total": None, "forward": None, "forward_rows": None}
    if rated is not None and rated["images_per_second"] > 0:
        seconds = rated["done"] / rated["images_per_second"]
        figures["total"] = seconds + processes.seconds_between(rated, ended)
        # Older programs, which `scripts/bench pair` runs too, say `convolving`.
        share = rated.get("computing", rated.get("convolving"))
        if share is not None:
            figures.update(forward=seconds * share, forward_rows=rated["done"])
    return figures


def interrupt(*_):
    """What SIGTERM does to a script here: the same as Ctrl-C."""
    # Once is enough: a second signal would interrupt the cleaning up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def add_arguments(parser):
    """The options that both scripts have."""
    parser.add_argument("--programs", type=Path, default=repository.ROOT / "target/release", metavar="DIR",
                        help="where the programs are (target/release)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="of the base (weights/BASE.safetensors)")
    parser.add_argument("--images", type=Path, default=repository.ROOT / "data/images/demo/test", metavar="DIR",
                        help="photographs, one folder per class (data/images/demo/test)")
    parser.add_argument("--images-limit", type=positive, metavar="N",
                        help="take N photographs at most, the first ones of each class")
    parser.add_argument("--runs", type=positive, default=5, metavar="N", help="rounds; everyone runs once in each (5)")
    parser.add_argument("--out", type=Path, default=repository.ROOT / "data/benchmarks", metavar="DIR",
                        help="where the figures go, as JSON and Markdown (data/benchmarks)")
    parser.add_argument("--folder", type=Path, default=repository.ROOT / "data", metavar="DIR",
                        help="a folder for the work is made in this one, and removed at the end (data)")


def positive(text):
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {number}")
    return number
