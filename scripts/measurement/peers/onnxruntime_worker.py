"""ONNX Runtime on the processor, with its defaults: all graph optimisations, a thread for each core."""

import time

BEGUN = time.perf_counter()

import sys

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 3)[0]

import onnxruntime

from measurement.peers import work


class Base:
    def __init__(self, network, _, setting):
        self.photographs = int(setting)
        self.session = onnxruntime.InferenceSession(network.graph, providers=["CPUExecutionProvider"])

    @staticmethod
    def settings(batch_sizes):
        return [str(size) for size in batch_sizes]

    def features(self, pixels):
        return self.session.run(None, {"pixels": pixels})[0]


if __name__ == "__main__":
    work.main("onnxruntime", BEGUN, Base, {"onnxruntime": onnxruntime.__version__})
