"""PyTorch, channels-last, in inference mode, eager or compiled: a base; and the head with torch.optim's RMSprop."""

import time

BEGUN = time.perf_counter()

import os
import shutil
import sys

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 3)[0]

# The GPU libraries that torch asks for are empty here: nothing may be looked for in them before it is called.
flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_LAZY)
import torch

sys.setdlopenflags(flags)
import numpy
from torch import nn

from measurement.peers import graph_module, work


class Base:
    def __init__(self, network, precision, setting):
        mode, size = setting.split()
        self.photographs = int(size)
        self.kind = torch.bfloat16 if precision == "bf16" else torch.float32
        self.model = graph_module.Module(network.graph).eval().to(self.kind).to(memory_format=torch.channels_last)
        if mode == "compiled":
            self.model = torch.compile(self.model, dynamic=False)

    @staticmethod
    def settings(batch_sizes):
        compiled = [size for size in batch_sizes if shutil.which("c++") and size == max(batch_sizes)]
        return [f"eager {size}" for size in batch_sizes] + [f"compiled {size}" for size in compiled]

    @torch.inference_mode()
    def features(self, pixels):
        # A permuted view of [n, h, w, 3] is channels-last as it lies.
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255).to(self.kind)
        return self.model(images).permute(0, 2, 3, 1).float().contiguous().numpy()


def fit(options, _, begun):
    torch.manual_seed(options.seed)
    training, validation = work.split_store(options.features)
    classes = int(training[1].max()) + 1
    rows, labels = torch.from_numpy(training[0]).flatten(1), torch.from_numpy(training[1])
    held, held_labels = torch.from_numpy(validation[0]).flatten(1), torch.from_numpy(validation[1])
    model = nn.Sequential(nn.Linear(rows.shape[1], 256), nn.ReLU(), nn.Dropout(0.5),
                          nn.Linear(256, 1 if classes == 2 else classes))
    for layer in (model[0], model[3]):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-5, alpha=0.9, eps=1e-7)
    ready = time.perf_counter()
    best = (float("inf"), 0.0, 0)
    for epoch in range(1, options.epochs + 1):
        model.train()
        for chosen in torch.randperm(len(rows)).split(32):
            optimizer.zero_grad()
            loss(model(rows[chosen]), labels[chosen]).backward()
            optimizer.step()
        model.eval()
        with torch.inference_mode():
            logits = model(held)
            found = (float(loss(logits, held_labels)), float(accuracy(logits, held_labels)), epoch)
        if found[0] < best[0]:
            best = found
            torch.save(model.state_dict(), options.out)
    fitted = time.perf_counter()
    return {"startup": ready - begun, "fit": fitted - ready, "rows": len(rows) + len(held),
            "val_accuracy": best[1], "epoch": best[2]}


def loss(logits, labels):
    if logits.shape[1] == 1:
        return nn.functional.binary_cross_entropy_with_logits(logits[:, 0], labels.float())
    return nn.functional.cross_entropy(logits, labels)


def accuracy(logits, labels):
    predicted = (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)
    return (predicted == labels).float().mean()


if __name__ == "__main__":
    work.main("torch", BEGUN, Base, {"torch": torch.__version__, "numpy": numpy.__version__}, fit=fit)
