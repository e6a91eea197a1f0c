"""Where things lie in this repository, whatever the working directory is."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
TOOLCHAIN = ROOT / ".toolchain"
DOWNLOADS = TOOLCHAIN / "downloads"
PYTHON = TOOLCHAIN / "python"
LIBTORCH = TOOLCHAIN / "libtorch"
WEIGHTS_FOLDER = ROOT / "weights"
# The tutorial's base, which everything takes unless another is named.
BASE = "vgg16"
IMAGES = ROOT / "data" / "images" / "cats_vs_dogs_small"


def weights(base):
    """Where the weights of a base lie: its file in weights/, or a network that is a file itself."""
    return Path(base) if str(base).endswith(".onnx") else WEIGHTS_FOLDER / f"{base}.safetensors"


def base_options(base, weights):
    """How the extractor is told its base; it takes the tutorial's where none is named."""
    if str(base).endswith(".onnx"):
        return "--base", Path(base).resolve()
    return (*(() if base == BASE else ("--base", base)), "--weights", weights)


def pinned():
    """Everything that may be downloaded, with the checksum it must have."""
    return json.loads((SCRIPTS / "downloads.json").read_text(encoding="utf-8"))


def shown(path):
    """A path as a person would type it from the repository root."""
    try:
        return str(Path(path).resolve().relative_to(ROOT))
    except ValueError:
        return str(path)
