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
# Of the default base.
WEIGHTS = WEIGHTS_FOLDER / "vgg16.safetensors"
IMAGES = ROOT / "data" / "images" / "cats_vs_dogs_small"


def pinned():
    """Everything that may be downloaded, with the checksum it must have."""
    return json.loads((SCRIPTS / "downloads.json").read_text(encoding="utf-8"))


def shown(path):
    """A path as a person would type it from the repository root."""
    try:
        return str(Path(path).resolve().relative_to(ROOT))
    except ValueError:
        return str(path)
