"""A way of scripts/bench: an NVIDIA GPU and the processor extract the same photographs; their features are compared."""

import re
import shutil
import subprocess

from conversion.architecture import architectures
from install import environment
from measurement import processes
from measurement.agreement import LIMITS
from measurement.peers.roster import Workers
from measurement.rounds import Rounds
from measurement.table import small, spread, times
from measurement.ways import extraction, photographs
from report import Failure, say

# What all are divided by and compared with.
REFERENCE = ("processor", "fp32")
CANDIDATES = (REFERENCE, ("GPU", "fp32"), ("processor", "bf16"), ("GPU", "bf16"))
# Bases whose features bf16 moves further than its limit: a GPU may move them so many times as far as the processor does.
OWN_ERRORS = 2
HEADER = ["images/s", "images/s at work", "peak memory, MB", "at work, it ÷ processor in fp32",
          "whole process, it ÷ processor in fp32", "relative error"]
CAPTION = ("Medians of {rounds} rounds, with minimum and maximum, of whole processes from their start to their end; at "
           "work only from the listing of the photographs to the last one's features. Peak memory is that of the "
           "process, without the GPU's own. Ratios are of images per second, medians of the rounds' ratios, and above "
           "1 where it is faster. Relative error: of all features, against those of the processor in fp32.")


def expect_device(ground):
    """Ends before any work where the programs themselves see no such GPU."""
    command = [ground.program("evaluator"), "predict", "--device", ground.options.device, "--checkpoint",
               "no-checkpoint", ground.options.images]
    # Where there is a GPU, it is the checkpoint that is missing.
    found = re.search(r"\bdevice: (.+)", processes.measure(command).err)
    if found:
        raise Failure(f"gpu: --device {ground.options.device}: {found.group(1)}",
                      "`scripts/bootstrap --cuda` installs a libtorch for NVIDIA GPUs; nvidia-smi lists those that the "
                      "driver knows")


def bases(options):
    """Those that are asked for; all of the catalogue where none is named."""
    known = list(architectures())
    if options.base is None:
        if options.weights:
            raise Failure("gpu: expected --base beside --weights, found none", "one file holds the weights of one base")
        return known
    if options.base not in known:
        raise Failure(f"gpu: --base: expected one of {', '.join(known)}, found `{options.base}`")
    return [options.base]


def gpu(ground, options):
    """One base after another, each on both devices."""
    chosen = bases(options)
    environment.ensure()
    environment.install("numpy", "pillow")
    workers = Workers(environment.INTERPRETER, ground.folder / "home")
    images, count = photographs(ground)
    rounds = Devices(ground, photographs=count, device=options.device, gpu=card(options.device), bases=chosen)
    for base in chosen:
        ground.choose(base)
        if ground.draws_weights:
            say(f"{base}: its weights are not there, they are drawn")
            workers.run("weights", "agreement", "draw", base, ground.weights)
        stores = {candidate: ground.folder / "-".join(candidate) for candidate in CANDIDATES}
        rounds.take({title(base, candidate): lambda candidate=candidate: extract(ground, images, stores[candidate],
                                                                                candidate)
                     for candidate in CANDIDATES})
        rounds.compare(base, workers, stores)
        for store in stores.values():
            shutil.rmtree(store)
    return rounds.close()


def extract(ground, images, store, candidate):
    device, precision = candidate
    size = ground.options.image_size
    measured = ground.extract(images, store, "--precision", precision,
                              *([] if size is None else ["--image-size", size]),
                              device="cpu" if device == "processor" else ground.options.device)
    engine = next((line["engine"] for line in measured.log() if "engine" in line), None)
    return {**extraction(measured), "device": device, "engine": engine}


class Devices(Rounds):
    """Rounds of all bases, and how far the features of each candidate are from the reference's."""

    def __init__(self, ground, **further):
        super().__init__(ground, **further, agreement={})
        self.table, self.caption = self.by_base, CAPTION

    def compare(self, base, workers, stores):
        reference, *others = CANDIDATES
        _, answer = workers.run("agreement", "agreement", "compare", stores[reference],
                                *(stores[candidate] for candidate in others))
        self.judge(base, dict(zip(others, answer["agreement"])))
        self.report.write()

    def judge(self, base, agreement):
        """A GPU that is further off than it may be is a failed check."""
        own = agreement["processor", "bf16"].get("relative", 0.0)
        limits = {"fp32": LIMITS["fp32"], "bf16": max(LIMITS["bf16"], OWN_ERRORS * own)}
        for (device, precision), found in agreement.items():
            name = title(base, (device, precision))
            if "error" in found:
                self.report.fail(f"{name}: {found['error']}")
                continue
            self.document["agreement"][name] = found
            told = f"{name}: relative error {found['relative']:.1e}, least cosine {found['cosine']:.6f}"
            say(told)
            # What is no number is not within anything.
            if device == "GPU" and not found["relative"] <= limits[precision]:
                self.report.fail(f"{told}: expected a relative error of at most {limits[precision]:.1e}")

    def summarise(self):
        super().summarise()
        runs = self.document["runs"]
        for name in self.document["medians"]:
            reference = title(name.split(", ")[0], REFERENCE)
            if name != reference:
                self.document["ratios"][name] = {figure: processes.ratio(runs, figure, name, reference)
                                                 for figure in ("total_rate", "images_per_second")}

    def by_base(self):
        rows = []
        for name, found in self.document["medians"].items():
            ratios = self.document["ratios"].get(name, {})
            error = self.document["agreement"].get(name, {}).get("relative")
            rows.append([name, spread(found["images_per_second"]), spread(found["total_rate"]),
                         spread(found["peak_bytes"], 0, 1e-6), times(ratios.get("total_rate")),
                         times(ratios.get("images_per_second")), small(error)])
        return [self.document["gpu"] or "gpu", *HEADER], rows


def title(base, candidate):
    return ", ".join((base, *candidate))


def card(device):
    """The name of the GPU, where nvidia-smi is there to tell it; nothing depends on it."""
    number = device.partition(":")[2] or "0"
    try:
        ended = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader", f"--id={number}"],
                               capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.strip() or None if ended.returncode == 0 else None
