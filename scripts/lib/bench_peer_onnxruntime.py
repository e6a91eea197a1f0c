"""ONNX Runtime on the processor, with its defaults: all graph optimisations, a thread for each core."""

import time

BEGUN = time.perf_counter()

import sys

sys.dont_write_bytecode = True
sys.path.insert(0, __file__.rsplit("/", 2)[0])

import onnxruntime

from lib import bench_peer_graph
from lib import bench_peer_work as work


class Base:
    def __init__(self, weights, _, setting):
        self.photographs = int(setting)
        self.session = onnxruntime.InferenceSession(bench_peer_graph.model(weights),
                                                    providers=["CPUExecutionProvider"])

    @staticmethod
    def settings(batch_sizes):
        return [str(size) for size in batch_sizes]

    def features(self, pixels):
        return self.session.run(None, {"pixels": pixels})[0]


if __name__ == "__main__":
    work.main("onnxruntime", BEGUN, Base, {"onnxruntime": onnxruntime.__version__})
