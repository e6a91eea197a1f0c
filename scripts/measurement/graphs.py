"""The files that peers of scripts/bench-peers compute: the base as we export it, without a head, and that in 8 bits."""

from measurement import photographs, processes
from measurement.peers.roster import EXTRACTION

# Enough for a head of no account.
HEAD_PHOTOGRAPHS = 40
# Whose pixels tell the ranges of the maps that become 8 bits.
CALIBRATION_PHOTOGRAPHS = 64
# Who reads such a file; the others have the base themselves.
READERS = ("torch", "onnxruntime", "openvino")


class Graphs:
    """Files are made when somebody takes part who reads them."""

    def __init__(self, ground, workers, names):
        self.ground, self.workers = ground, workers
        self.base, self.in_8_bits = (ground.folder / name for name in ("base.onnx", "base-int8.onnx"))
        self.read = any(EXTRACTION[name].framework in READERS for name in names)
        self.quantised = any(EXTRACTION[name].precision == "int8" and EXTRACTION[name].framework in READERS
                             for name in names)

    def make(self, images):
        """Gives what is told of the model in 8 bits; None where there is none."""
        if self.ground.draws_weights:
            self.workers.run("weights", "agreement", "draw", self.ground.options.base, self.ground.weights)
        if self.read:
            self.export()
        if not self.quantised:
            return None
        _, answer = self.workers.run("quantisation", "agreement", "quantise", self.base, images,
                                     CALIBRATION_PHOTOGRAPHS, self.ground.options.image_size, self.in_8_bits)
        return answer

    def export(self):
        ground, size = self.ground, self.ground.options.image_size
        some, store, run, whole = (ground.folder / name for name in ("some", "some-store", "some-run", "whole.onnx"))
        photographs.farm(ground.options.images, some, HEAD_PHOTOGRAPHS)
        ground.extract(some, store, "--image-size", str(size))
        processes.must("trainer fit", [ground.program("trainer"), "fit", "--features", store, "--out", run, "--epochs",
                                       "1", "--hidden", "0", "--device", "cpu"])
        processes.must("evaluator export", [ground.program("evaluator"), "export", "--checkpoint",
                                            run / "best.safetensors", "--weights", ground.weights, "--format", "onnx",
                                            "--out", whole])
        self.workers.run("graph", "agreement", "cut", whole, self.base)
        whole.unlink()

    def told(self, name):
        """What the worker of a candidate is told of the base."""
        options, (framework, precision) = self.ground.options, EXTRACTION[name]
        graph = ["--graph", self.in_8_bits if precision == "int8" else self.base] if framework in READERS else []
        return ["--weights", self.ground.weights, "--base", options.base, "--image-size", str(options.image_size),
                *graph]
