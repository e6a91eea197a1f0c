"""The steps of scripts/bootstrap that are easier in Python: `libtorch any|cpu|cuda`, `just FOLDER`.

`cargo-deny FOLDER` is for scripts/deny.

`packages` installs what else comes with the first use (h5py, numpy, ONNX, Pillow, safetensors): for the tests.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[0] = str(Path(__file__).resolve().parents[1])

from install import environment, libtorch, program
from report import Failure, run


def main():
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "libtorch" and words[1] in ("any", "cpu", "cuda"):
        libtorch.install(words[1])
    elif len(words) == 2 and words[0] in program.WHEELS:
        program.install(words[0], Path(words[1]))
    elif words == ["packages"]:
        environment.ensure()
        environment.install("h5py", "numpy", "onnx", "pillow", "safetensors")
    else:
        raise Failure(f"expected `libtorch any|cpu|cuda`, `{'|'.join(program.WHEELS)} FOLDER` or `packages`, "
                      f"found `{' '.join(words)}`")


run("bootstrap", main)
