"""A file of any format that weights come in: which one it is, what reads it, and what it was trained with."""

from conversion import keras_file, onnx_file, safetensors_file, torch_file, torch_names
from conversion.architecture import PREPROCESS, architectures
from conversion.tensors import checked, findings
from install import environment
from report import Failure

KERAS, TORCH, SAFETENSORS, ONNX = "Keras", "PyTorch", "safetensors", "ONNX"
FORMATS = {".h5": KERAS, ".hdf5": KERAS, ".pth": TORCH, ".pt": TORCH, ".safetensors": SAFETENSORS, ".onnx": ONNX}
PACKAGES = {KERAS: ("numpy", "h5py"), TORCH: ("numpy",), SAFETENSORS: ("numpy", "safetensors"),
            ONNX: ("numpy", "onnx")}


def format_of(path):
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise Failure(f"{path}: expected one of {', '.join(FORMATS)}, found `{path.suffix}`")
    return form


def provide(form):
    """What a format's reader needs; goes on in the hidden environment where it is missing."""
    environment.provide(*PACKAGES[form])


def read(path, architecture):
    """The base's tensors in the graph's order, in Keras' names and layout."""
    form = format_of(path)
    provide(form)
    if form == KERAS:
        arrays = keras_file.read(path, architecture)
    elif form == ONNX:
        arrays = onnx_file.read(path.read_bytes(), architecture, path)
    else:
        arrays = named(path, architecture, torch_file if form == TORCH else safetensors_file)
    return checked(arrays, architecture, path)


def named(path, architecture, reader):
    """A file of named tensors: ours, or a state dict of PyTorch; a classifier in it is ignored."""
    arrays, names = renamed(path, architecture, reader)
    if findings(arrays, architecture):
        # Which base it is says more than which tensors differ.
        for other in architectures().values():
            if other is not architecture and not findings(renamed(path, other, reader)[0], other):
                raise Failure(f"{path}: expected the weights of {architecture.title}, found those of {other.title}",
                              "give the base's NAME that fits the file")
        if not set(architecture.shapes()) & set(names):
            torch_names.explain(names, architecture, path)
    return arrays


def renamed(path, architecture, reader):
    """What the file has of the base under our names, and all names in it."""
    ours, theirs = set(architecture.shapes()), set(torch_names.names(architecture).values())
    state, names = reader.read(path, ours | theirs)
    if ours & set(state):
        return {name: array for name, array in state.items() if name in ours}, names
    return torch_names.renamed(state, architecture), names


def preprocess(path, architecture, original, asked):
    """What the weights were trained with: known for the published ones, by Keras' habit for its own files."""
    known = architecture.preprocess
    if original:
        if asked not in (None, known):
            raise Failure(f"{path}: these are the published weights, trained with {known}: expected "
                          f"--preprocess {known}, found {asked}",
                          "leave --preprocess out here and give it to the extractor instead")
        return known
    form = format_of(path)
    own = safetensors_file.metadata(path).get("preprocess") if form == SAFETENSORS else None
    usual = {KERAS: known, TORCH: "torch" if architecture.preprocess == "caffe" else known}.get(form, own)
    if asked or usual:
        return asked or usual
    raise Failure(f"{path}: not the published weights, so what they were trained with is unknown",
                  f"add --preprocess {{{','.join(PREPROCESS)}}} (torch for torchvision's and timm's)")
