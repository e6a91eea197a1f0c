"""The names that PyTorch's models have for our tensors, where their weights fit ours, and why others do not."""

import re

from report import Failure

RESNET = ("another network: its stride is in the 3 × 3 convolution of a block, Keras' in the first 1 × 1, and its "
          "convolutions have no biases; weights do not carry over")
# What the names of other models of torchvision and timm look like.
STRANGERS = (
    (r"layer1\.0\.conv1\.weight", "PyTorch's ResNet", RESNET),
    (r"Mixed_5b\..*", "PyTorch's InceptionV3", "another training, with other names"),
    (r"features\.\d+\.conv\..*|conv_stem\.weight", "a MobileNet or EfficientNet of PyTorch", "another network"),
    (r"features\.1\.running_mean", "a VGG with batch normalisation", "another network"),
)
# EfficientNet-Lite0's blocks in order, and the names of their parts in efficientnet_lite_pytorch.
PARTS = {"expand_conv": "_expand_conv", "expand_bn": "_bn0", "dwconv": "_depthwise_conv", "bn": "_bn1",
         "project_conv": "_project_conv", "project_bn": "_bn2"}
ENDS = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "head_conv": "_conv_head", "head_bn": "_bn1"}
VARIABLES = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
             "moving_variance": "running_var"}


def names(architecture):
    """`layer/variable` -> PyTorch's name; empty where no model of PyTorch has this base's weights."""
    if all(re.fullmatch(r"block\d_conv\d", layer) for layer in architecture.layers):
        modules = sequential(architecture.layers)
    elif set(ENDS) <= set(architecture.layers):
        modules = inverted_residuals(architecture.layers)
    else:
        return {}
    return {f"{layer}/{variable}": f"{modules[layer]}.{VARIABLES[variable]}"
            for layer, variables in architecture.layers.items() for variable in variables}


def sequential(layers):
    """torchvision's VGG counts convolutions, activations and poolings in one row."""
    modules, position, block = {}, 0, None
    for layer in layers:
        if block not in (None, layer.split("_")[0]):
            position += 1
        block = layer.split("_")[0]
        modules[layer] = f"features.{position}"
        position += 2
    return modules


def inverted_residuals(layers):
    """`block3b_bn` -> `_blocks.4._bn1`: the blocks are counted through."""
    modules, blocks = dict(ENDS), []
    for layer in layers:
        if layer in ENDS:
            continue
        block, _, part = layer.partition("_")
        if block not in blocks:
            blocks.append(block)
        modules[layer] = f"_blocks.{blocks.index(block)}.{PARTS[part]}"
    return modules


def renamed(state, architecture):
    """A state dict's arrays under our names, in Keras' layout; what is not there is left out."""
    arrays = {}
    for ours, theirs in names(architecture).items():
        array = state.get(theirs)
        if array is None:
            continue
        arrays[ours] = keras_layout(array, architecture.shapes()[ours])
    return arrays


def keras_layout(array, shape):
    """[out, in, height, width] -> [height, width, in, out]; depthwise [channels, 1, …] -> [height, width, channels, 1]."""
    if len(array.shape) != 4 or not hasattr(array, "transpose"):
        return array
    depthwise = array.shape[1] == 1 and len(shape) == 4 and shape[3] == 1
    return array.transpose(2, 3, 0, 1) if depthwise else array.transpose(2, 3, 1, 0)


def explain(found, architecture, source):
    """Raises the reason why a file with these names cannot become this base."""
    for pattern, what, reason in STRANGERS:
        if any(re.fullmatch(pattern, re.sub(r"^(module|model)\.", "", name)) for name in found):
            raise Failure(f"{source}: expected the weights of {architecture.title}, found those of {what}: {reason}",
                          f"Keras' file has {architecture.title}'s weights; or export the model to ONNX with "
                          "scripts/export-onnx")
    if not names(architecture):
        raise Failure(f"{source}: expected the weights of {architecture.title}, whose source is Keras' .h5, found a "
                      "file of PyTorch", "export a model of PyTorch to ONNX with scripts/export-onnx")
