"""OpenVINO on the processor: one request after another, or its throughput mode with a queue of them."""

import time

BEGUN = time.perf_counter()

import sys

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 3)[0]

import numpy
import openvino

from measurement.peers import work

# Of what the model itself does not say: the one in 8 bits brings its own.
PRECISIONS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
# Requests a queue is given at once, for each that it works on: enough that none waits for the last of the others long.
DEPTH = 4


class Base:
    def __init__(self, network, precision, setting):
        mode, size = setting.split()
        self.batch = int(size)
        core = openvino.Core()
        model = core.read_model(network.graph)
        compiled = core.compile_model(model, "CPU", {
            "PERFORMANCE_HINT": "THROUGHPUT" if mode == "queue" else "LATENCY",
            "INFERENCE_PRECISION_HINT": PRECISIONS[precision]})
        self.told = {"convolutions": convolutions(compiled)}
        self.queue = openvino.AsyncInferQueue(compiled) if mode == "queue" else None
        self.request = None if self.queue else compiled.create_infer_request()
        self.photographs = self.batch * (DEPTH * len(self.queue) if self.queue else 1)
        if self.queue:
            self.queue.set_callback(self.keep)

    @staticmethod
    def settings(batch_sizes):
        return [f"{mode} {size}" for mode in ("single", "queue") for size in batch_sizes]

    def keep(self, request, first):
        # The request's memory is used again for the next one.
        self.found[first] = request.get_output_tensor().data.copy()

    def features(self, pixels):
        if self.request:
            return self.request.infer([pixels])[0].astype(numpy.float32)
        self.found = {}
        for first in range(0, len(pixels), self.batch):
            self.queue.start_async([pixels[first:first + self.batch]], first)
        self.queue.wait_all()
        return numpy.concatenate([self.found[first] for first in sorted(self.found)])


def convolutions(compiled):
    """Kind of number -> how many convolutions are computed in it, by the runtime's own words."""
    operators = [operator.get_rt_info() for operator in compiled.get_runtime_model().get_ordered_ops()]
    kinds = [operator["runtimePrecision"].astype(str) for operator in operators
             if "Convolution" in operator["layerType"].astype(str)]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


if __name__ == "__main__":
    work.main("openvino", BEGUN, Base, {"openvino": openvino.__version__})
