"""OpenVINO on the processor: one request after another, or its throughput mode with a queue of them."""

import time

BEGUN = time.perf_counter()

import sys

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 3)[0]

import numpy
import openvino

from measurement.peers import graph, work

PRECISIONS = {"fp32": "f32", "bf16": "bf16"}
# Requests a queue is given at once, for each that it works on: enough that none waits for the last of the others long.
DEPTH = 4


class Base:
    def __init__(self, network, precision, setting):
        mode, size = setting.split()
        self.batch = int(size)
        core = openvino.Core()
        model = core.read_model(graph.model(network))
        compiled = core.compile_model(model, "CPU", {
            "PERFORMANCE_HINT": "THROUGHPUT" if mode == "queue" else "LATENCY",
            "INFERENCE_PRECISION_HINT": PRECISIONS[precision]})
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


if __name__ == "__main__":
    work.main("openvino", BEGUN, Base, {"openvino": openvino.__version__})
