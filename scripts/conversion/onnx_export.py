"""Runs in an environment with PyTorch: writes a model of timm or torchvision as ONNX, up to its classifier.

Started by scripts/export-onnx, whose options it takes as one JSON object.
"""

import difflib
import json
import os
import sys
import warnings

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 2)[0]

# The GPU libraries that torch asks for may be empty here: nothing may be looked for in them before it is called.
flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_LAZY)
import torch

sys.setdlopenflags(flags)
from pathlib import Path

import onnx
from torch import nn

from conversion.safetensors_file import appear
from report import Failure, run, say

# What the extractor's ONNX engine has been tried with.
OPSET = 17
NAMED = {"torch": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), "tf": ((0.5,) * 3, (0.5,) * 3),
         "rescale": ((0.0,) * 3, (1.0,) * 3)}


def main():
    options = json.loads(sys.argv[1])
    warnings.filterwarnings("ignore")
    torch.manual_seed(options["seed"])
    out = Path(options["out"])
    model, photographs = {"timm": of_timm, "torchvision": of_torchvision}[options["from"]](options)
    model.eval()
    if options["layer"]:
        model = Until(model, options["layer"])
    if options["size"]:
        photographs["size"] = [options["size"]] * 2
    shape = write(model, photographs, out, options["any_size"])
    say(json.dumps({"features": shape, **photographs}))


def of_timm(options):
    """The model without its classifier, pooled, and what it wants of photographs."""
    import timm
    from timm.data import resolve_model_data_config

    if not timm.is_model(options["name"]):
        raise unknown(options["name"], timm.list_models(), "timm")
    # Attention in the standard operators, not in one that only torch has.
    timm.layers.set_fused_attn(False)
    timm.layers.set_exportable(True)
    further = {"img_size": options["size"]} if options["size"] else {}
    try:
        model = pretrained(options, lambda wanted: timm.create_model(options["name"], pretrained=wanted, **further))
    except TypeError:  # Networks of convolutions take any size, and no such argument.
        model = pretrained(options, lambda wanted: timm.create_model(options["name"], pretrained=wanted))
    classifier = model.pretrained_cfg.get("classifier") or ()
    load(model, options, (classifier,) if isinstance(classifier, str) else tuple(classifier))
    wanted = resolve_model_data_config(model)
    if not options["layer"]:
        model.reset_classifier(0)
    return model, described(wanted["mean"], wanted["std"], wanted["input_size"][1:], wanted["interpolation"])


def of_torchvision(options):
    """The model with its last dense layer taken off, and what it wants of photographs."""
    from torchvision import models

    names = models.list_models(module=models)
    if options["name"] not in names:
        raise unknown(options["name"], names, "torchvision")
    published = models.get_model_weights(options["name"]).DEFAULT
    arguments = {}
    if options["name"] in ("inception_v3", "googlenet") and options["untrained"]:
        arguments = {"aux_logits": False, "init_weights": True}
    model = pretrained(options, lambda wanted: models.get_model(options["name"], weights=published if wanted else None,
                                                                **arguments))
    dense = [(name, module) for name, module in model.named_modules()
             if isinstance(module, nn.Linear) and module.out_features == len(published.meta["categories"])
             and not name.startswith("AuxLogits")]
    load(model, options, (dense[-1][0],) if dense else ())
    if not options["layer"]:
        if not dense:
            raise Failure(f"{options['name']}: it has no dense layer to take off",
                          "give --layer with the name of the module whose output is wanted")
        model.set_submodule(dense[-1][0], nn.Identity())
    wanted = published.transforms()
    size = wanted.crop_size * 2 if len(wanted.crop_size) == 1 else wanted.crop_size
    return model, described(wanted.mean, wanted.std, size, wanted.interpolation.value)


def pretrained(options, make):
    if options["untrained"] or options["weights"]:
        return make(False)
    try:
        return make(True)
    except TypeError:
        raise
    except Exception as error:  # Each of the libraries between here and the network has errors of its own.
        raise Failure(f"{options['name']}: its published weights need the internet: {one_line(error)}",
                      "bring them with --weights FILE, or take random ones with --untrained") from error


def load(model, options, classifiers):
    """A file's state dict; of the classifier, which is taken off anyway, nothing needs to fit."""
    if not options["weights"]:
        return
    path = options["weights"]
    try:
        if path.endswith(".safetensors"):
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            # Only numbers: a pickle could else run anything.
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise Failure(f"{path}: not a state dict: {one_line(error)}",
                      "expected a .safetensors file or what `torch.save(model.state_dict(), FILE)` writes") from error
    state = state.get("state_dict", state.get("model", state))
    ours = model.state_dict()
    beside = tuple(f"{name}." for name in classifiers if name)
    kept = {name: tensor for name, tensor in state.items() if not name.startswith(beside or ("\0",))}
    differ = [f"{name}: {'missing' if name not in kept else 'of another shape'}" for name, tensor in ours.items()
              if not name.startswith(beside or ("\0",)) and (name not in kept or kept[name].shape != tensor.shape)]
    differ += [f"{name}: not of this model" for name in kept if name not in ours]
    if differ:
        raise Failure(f"{path}: not the weights of {options['name']}, {len(differ)} tensors differ: "
                      f"{'; '.join(differ[:3])}")
    model.load_state_dict(kept, strict=False)


class Until(nn.Module):
    """A model whose output is that of one of its modules; the exporter leaves out what comes behind."""

    def __init__(self, model, layer):
        super().__init__()
        modules = dict(model.named_modules())
        if not layer or layer not in modules:
            raise unknown(layer, [name for name in modules if name], "the model", "--layer")
        self.model, self.found = model, None
        modules[layer].register_forward_hook(self.keep)

    def keep(self, _module, _inputs, output):
        self.found = output

    def forward(self, pixels):
        self.model(pixels)
        return self.found


def described(mean, std, size, interpolation):
    """The value of the `convbase` key: a name where one fits, else mean and std of pixels from 0 to 255."""
    mean, std = tuple(map(float, mean)), tuple(map(float, std))
    name = next((name for name, numbers in NAMED.items() if (mean, std) == numbers), None)
    scaling = {"preprocess": name} if name else {
        "mean": [round(255 * number, 6) for number in mean], "std": [round(255 * number, 6) for number in std]}
    return {**scaling, "size": [int(side) for side in size], "interpolation": interpolation}


def write(model, photographs, out, any_size):
    """Gives the features' shape for one photograph."""
    pixels = torch.zeros(1, 3, *photographs["size"])
    try:
        with torch.no_grad():
            features = model(pixels)
    except Exception as error:
        raise Failure(f"{out}: the model cannot take {photographs['size']} pixels: {one_line(error)}",
                      "give another --size, or none") from error
    if not isinstance(features, torch.Tensor) or features.ndim not in (2, 3, 4):
        raise Failure(f"{out}: expected features [n, channels], [n, tokens, channels] or a map, found "
                      f"{list(features.shape) if isinstance(features, torch.Tensor) else type(features).__name__}",
                      "give --layer with the name of another module")
    free = {0: "n", **({2: "height", 3: "width"} if any_size else {})}
    temporary = out.with_name(f".{out.name}.{os.getpid()}.exported")
    try:
        # The older exporter writes the operators that runtimes have known for years, and no second file.
        torch.onnx.export(model, pixels, str(temporary), dynamo=False, opset_version=OPSET, input_names=["image"],
                          output_names=["features"], dynamic_axes={"image": free, "features": {0: "n"}})
        graph = onnx.load(temporary)
    except Exception as error:
        raise Failure(f"{out}: torch cannot export it: {one_line(error)}",
                      "give --layer with the name of an earlier module") from error
    finally:
        temporary.unlink(missing_ok=True)
    for node in graph.graph.node:
        # Where in whose sources an operator comes from: folders of this machine.
        node.doc_string = ""
        del node.metadata_props[:]
    entry = graph.metadata_props.add()
    entry.key, entry.value = "convbase", json.dumps(photographs)
    onnx.checker.check_model(graph)
    appear(out, [graph.SerializeToString(deterministic=True)])
    return list(features.shape[1:])


def unknown(name, names, place, what="NAME"):
    near = difflib.get_close_matches(name, names, 5, 0.5) or sorted(names)[:5]
    return Failure(f"{what}: expected a name that {place} knows, found `{name}`", f"near it are {', '.join(near)}")


def one_line(error):
    return (" ".join(str(error).split()) or type(error).__name__)[:300]


if __name__ == "__main__":
    run("export-onnx", main)
