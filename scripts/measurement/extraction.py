"""Part of scripts/bench-peers: everyone turns the same photographs into features on disk."""

import shutil

from measurement import photographs, processes
from measurement.agreement import LIMITS, within
from measurement.graphs import Graphs
from measurement.ground import extraction_figures
from measurement.peers import roster
from measurement.peers.roster import EXTRACTION, OURS, TITLES, counterpart
from measurement.stores import store_paths
from measurement.table import small, spread, times
from report import Failure, say

RATES = ("forward_rate", "total_rate", "whole_rate")
FIGURES = (*RATES, "seconds", "cpu_seconds", "peak_bytes", "startup", "decode")
# The tutorial's own.
KERAS_BATCH = 20
# Photographs that are compared pixel for pixel, and those that our forward pass alone is timed with.
COMPARED, PREPARED = 64, 400
REFERENCE = f"{OURS}-fp32"
# Ours as it runs by default where bf16 is native, against the tutorial as it is written.
ACROSS = (f"{OURS}-bf16", "keras-fp32")
HEADER = ["extraction", "passes of", "forward alone, images/s", "end to end, images/s", "whole process, s",
          "peak memory, MB", "relative error", "with its own decoder", "forward, ours ÷ it", "end to end, ours ÷ it",
          "whole process, ours ÷ it"]
CAPTION = ("Forward alone: from pixels to features in memory, without the first pass. Convbase decodes while it "
           f"computes: its forward pass is that of a second extraction, of at most {PREPARED} of the photographs as "
           "BMP files of the base's size and with pooled features, where there is hardly anything to decode or to "
           "write, all passes counted. End to end: from the first photograph opened to features on disk. Whole "
           "process: with its start. PyTorch, ONNX Runtime and OpenVINO have no generator of their own and decode "
           "with Pillow in a plain loop. Each figure is the median of the rounds, with minimum and maximum; ratios "
           "are of images per second, medians of the rounds' ratios, and above 1 where Convbase, in the same "
           f"precision, is faster. Relative error: of the features of at most {COMPARED} photographs, copied as PNG, against those of Convbase in fp32. With its own decoder: the same "
           "of all photographs as they are.")


class Extraction:
    """Holds what all rounds share."""

    caption = CAPTION

    def __init__(self, ground, workers, report, names):
        self.ground, self.workers, self.report, self.names = ground, workers, report, names
        self.graphs = Graphs(ground, workers, names)
        self.section = report.document["extraction"] = {"runs": [], "settings": {}, "agreement": {}, "own_decoder": {}}

    def run(self):
        options = self.ground.options
        images = self.ground.folder / "images"
        paths = photographs.farm(options.images, images, options.images_limit)
        self.section["photographs"] = len(paths)
        photographs.warm(images)
        told = self.graphs.make(images)
        if told:
            self.section["quantisation"] = told
            say(f"quantisation: kernels of {told['weight_bits']} bits, maps of 8 by {told['photographs']} photographs, "
                f"{told['seconds']:.0f} s")
        for name in self.names:
            self.section["settings"][name] = self.setting(name, images)
        self.check(images)
        # What everyone is compared with; not measured.
        self.once(REFERENCE, images, paths, "reference")
        prepared = self.prepare(images)
        for number in range(1, options.runs + 1):
            for name in processes.rotated(self.names, number):
                run = {"round": number, "candidate": name, **self.once(name, images, paths, name),
                       **self.forward(name, prepared)}
                self.report.add("extraction", run)
                say(f"round {number}/{options.runs}, {name}: {run['seconds']:.1f} s, "
                    f"{run['total_rate'] or 0:.1f} images/s end to end, {run['peak_bytes'] / 1e6:.0f} MB")
            if number == 1:
                self.section["own_decoder"] = self.compare("reference", {name: name for name in self.names})
            self.summarise()
            self.report.write()

    def setting(self, name, images):
        """How many photographs a pass takes, and for OpenVINO in which mode: the fastest of a short try."""
        framework, precision = EXTRACTION[name]
        size = self.ground.options.batch_size
        if size and framework not in ("openvino", "torch"):
            return str(size)
        if framework in (OURS, "keras"):
            return "default" if framework == OURS else str(KERAS_BATCH)
        sizes = ",".join(map(str, [size] if size else self.ground.options.batch_sizes))
        _, answer = self.workers.run(name, framework, "calibrate", "--images", images, *self.graphs.told(name),
                                     "--precision", precision, "--batch-sizes", sizes)
        best = roster.fastest(answer["rates"])
        self.section.setdefault("calibration", {})[name] = answer["rates"]
        say(f"{name}: passes of {best}; " + ", ".join(f"{key}: {rate:.1f}" for key, rate in answer["rates"].items())
            + " images/s")
        if answer["apart"]:
            self.remark(f"{name}: left out, as their features are not those of `{next(iter(answer['rates']))}`: "
                        + ", ".join(f"{key} (relative error {far:.1e})" for key, far in answer["apart"].items()))
        return best

    def remark(self, text):
        """Said, and kept with the figures."""
        say(f"remark: {text}")
        self.report.document.setdefault("remarks", []).append(text)

    def check(self, images):
        """From the same pixels, everyone's features are ours within a band; whoever is outside is a failed check."""
        copies = self.ground.folder / "copies"
        _, answer = self.workers.run("copies", "agreement", "copy", images, COMPARED, copies)
        paths = answer["paths"]
        self.once(REFERENCE, copies, paths, "copies-reference")
        for name in self.names:
            self.check_kinds(name, self.once(name, copies, paths, f"copies-{name}"))
        found = self.compare("copies-reference", {name: f"copies-{name}" for name in self.names})
        self.section["agreement"] = found
        for name, figures in found.items():
            limit = LIMITS[EXTRACTION[name].precision]
            told = (f"{name}: relative error {figures['relative']:.1e}, largest difference {figures['largest']:.1e}, "
                    f"least cosine {figures['cosine']:.6f}")
            say(told)
            if not within(figures, EXTRACTION[name].precision):
                self.report.fail(f"{told}: expected a relative error of at most {limit:.0e}; furthest is "
                                 f"{paths[figures['worst_row']]} with {figures['worst_relative']:.1e}")
        shutil.rmtree(copies)

    def check_kinds(self, name, answer):
        """Most of what is called 8 bits is computed in them; whatever is not is said."""
        if EXTRACTION[name].precision != "int8" or EXTRACTION[name].framework == OURS:
            return
        kinds = answer.get("convolutions", {})
        narrow, count = sum(kinds.get(kind, 0) for kind in ("i8", "u8")), sum(kinds.values())
        if 2 * narrow <= count:
            self.report.fail(f"{name}: expected most convolutions in 8 bits, found {narrow} of {count}")
        elif narrow < count:
            self.remark(f"{name}: {narrow} of {count} convolutions are computed in 8 bits.")

    def prepare(self, images):
        """Photographs with which there is hardly anything to decode: a folder and their number."""
        folder = self.ground.folder / "prepared"
        if not any(EXTRACTION[name].framework == OURS for name in self.names):
            return folder, 0
        _, answer = self.workers.run("prepared", "agreement", "prepare", images, PREPARED, folder,
                                     self.ground.options.image_size)
        return folder, len(answer["paths"])

    def forward(self, name, prepared):
        """Ours, without decoding beside it; the others time theirs alone as they extract."""
        if EXTRACTION[name].framework != OURS:
            return {}
        images, count = prepared
        found = extraction_figures(self.ours(name, images, self.ground.folder / "forward", "--pooling", "avg"))
        roster.check_rows(name, found, count)
        return {"forward": found["forward"], "forward_rows": found["forward_rows"], "forward_rate": rate(found)}

    def ours(self, name, images, out, *further):
        setting = self.section["settings"].get(name, "default")
        size = [] if setting == "default" else ["--batch-size", setting]
        return self.ground.extract(images, out, "--precision", EXTRACTION[name].precision, "--image-size",
                                   str(self.ground.options.image_size), *size, *further)

    def once(self, name, images, paths, out):
        """One process from its start to its end."""
        framework, precision = EXTRACTION[name]
        out = self.features(name, out)
        if framework == OURS:
            measured = self.ours(name, images, out)
            answer = extraction_figures(measured)
            answer["order"] = photographs.order_digest(store_paths(out))
        else:
            out.unlink(missing_ok=True)
            measured, answer = self.workers.run(name, framework, "extract", "--images", images,
                                                *self.graphs.told(name), "--precision", precision, "--setting",
                                                self.section["settings"][name], "--out", out)
        roster.check_rows(name, answer, len(paths))
        roster.check_order(name, answer, photographs.order_digest(paths))
        return {**answer, **measured.figures(), "forward_rate": rate(answer),
                "whole_rate": len(paths) / measured.seconds,
                "total_rate": len(paths) / answer["total"] if answer["total"] else None}

    def features(self, name, out):
        """A store for ours, an array for the others."""
        return self.ground.folder / (out if EXTRACTION[name].framework == OURS else f"{out}.npy")

    def compare(self, reference, outs):
        """Name -> how far its features are from the reference's."""
        paths = [self.features(name, out) for name, out in outs.items()]
        _, answer = self.workers.run("agreement", "agreement", "compare", self.ground.folder / reference, *paths)
        for name, found in zip(outs, answer["agreement"]):
            if "error" in found:
                raise Failure(f"{name}: {found['error']}")
        return dict(zip(outs, answer["agreement"]))

    def summarise(self):
        runs = self.section["runs"]
        self.section["medians"] = processes.summaries(runs, FIGURES)
        self.section["ratios"] = [
            {"ours": ours, "peer": peer, **{name: processes.ratio(runs, name, ours, peer) for name in RATES}}
            for ours, peer in pairs(self.names)]

    def table(self):
        """Header and rows."""
        medians, rows = self.section.get("medians", {}), []
        ratios = {(found["ours"], found["peer"]): found for found in self.section.get("ratios", [])}
        for name in self.names:
            framework, precision = EXTRACTION[name]
            found = medians.get(name, {})
            rows.append([f"{TITLES[framework]}, {precision}", self.section["settings"].get(name, ""),
                         spread(found.get("forward_rate")),
                         spread(found.get("total_rate")),
                         spread(found.get("seconds")),
                         spread(found.get("peak_bytes"), 0, 1e-6),
                         *(small(self.section[kind].get(name, {}).get("relative"))
                           for kind in ("agreement", "own_decoder")),
                         *ratio_cells(ratios.get((counterpart(name), name)))])
        if ACROSS in ratios:
            rows.append([f"{TITLES[OURS]}, bf16, ÷ {TITLES['keras']}, fp32", *["–"] * 7,
                         *ratio_cells(ratios[ACROSS])])
        return HEADER, rows


def rate(answer):
    """Photographs per second of the forward pass."""
    return answer["forward_rows"] / answer["forward"] if answer["forward"] else None


def ratio_cells(found):
    return [times((found or {}).get(name)) for name in RATES]


def pairs(names):
    """(ours, peer), and one across."""
    found = [(counterpart(name), name) for name in names if EXTRACTION[name].framework != OURS]
    return [pair for pair in [*found, ACROSS] if set(pair) <= set(names)]
