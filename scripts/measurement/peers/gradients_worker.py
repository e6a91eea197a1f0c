"""PyTorch's gradients of block5 and the head on stored maps, beside what one step of another program has changed."""

import time

BEGUN = time.perf_counter()

import sys

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 3)[0]

from safetensors.numpy import load_file

from measurement.peers import work
from measurement.peers.torch_worker import loss, nn, torch

LAYERS = ("block5_conv1", "block5_conv2", "block5_conv3")


def gradients(options, *_):
    """Tensor -> norm of (before − after) / rate − gradient, over the gradient's.

    Float32 as in training: double precision puts single units on the other side of ReLU, each worth 1e-4 of a gradient.
    """
    training, validation = work.split_store(options.features, options.share)
    after = load_file(options.model)
    found = {}
    for name, tensor in differentiated(*training, parameters(options)).items():
        before, gradient = tensor.detach().double(), tensor.grad.double()
        changed = (before - torch.from_numpy(after[name]).double()) / options.rate
        found[name] = float((changed - gradient).norm() / gradient.norm())
    return {"tensors": found, "rows": len(training[0]) + len(validation[0])}


def parameters(options):
    """The tensors that are trained, before the step, by their names in a checkpoint."""
    known, named = work.arrays("vgg16", options.weights), {}
    for layer in LAYERS:
        named[f"{layer}.weight"] = known[f"{layer}/kernel"].transpose(3, 2, 0, 1)
        named[f"{layer}.bias"] = known[f"{layer}/bias"]
    named.update(load_file(options.checkpoint))
    return {name: torch.tensor(tensor).requires_grad_() for name, tensor in named.items()}


def differentiated(maps, labels, tensors):
    """The same tensors, with the gradients of the mean loss."""
    state = torch.from_numpy(maps).permute(0, 3, 1, 2)
    for layer in LAYERS:
        state = nn.functional.conv2d(state, tensors[f"{layer}.weight"], tensors[f"{layer}.bias"], padding=1).relu()
    # Flattened as Keras does: height, width, channels.
    rows = nn.functional.max_pool2d(state, 2).permute(0, 2, 3, 1).flatten(1)
    units = nn.functional.linear(rows, tensors["dense.weight"], tensors["dense.bias"]).relu()
    logits = nn.functional.linear(units, tensors["output.weight"], tensors["output.bias"])
    total = loss(logits, torch.from_numpy(labels))
    total.backward()
    return tensors


if __name__ == "__main__":
    work.main("gradients", BEGUN, None, {"torch": torch.__version__}, gradients=gradients)
