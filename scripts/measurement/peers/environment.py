"""The throw-away Python environment of scripts/bench-peers: what requirements-peers.txt lists."""

import hashlib
import os
import re
import shutil
import subprocess
import sys

import repository
from install import environment
from report import Failure, say

FOLDER = repository.TOOLCHAIN / "peers"
REQUIREMENTS = repository.SCRIPTS / "requirements-peers.txt"
# For these there are wheels of everything that is pinned.
PYTHONS = ((3, 11), (3, 13))
# torch's module asks for these at its start, GPU or not.
GPU_LIBRARY = re.compile(r"(lib(?:cu|nv|nccl)[\w.]*\.so[\w.]*): cannot open shared object file")
# An empty library has no functions, so they may only be looked for when they are called.
IMPORT_TORCH = "import os, sys; sys.setdlopenflags(os.RTLD_LAZY); import torch"


def interpreter(folder):
    return folder / "bin" / "python"


def ensure(folder):
    """Makes the environment unless it is there, whole, and of the same pins and Python; gives its interpreter."""
    stamp, wanted = folder / "complete", stamp_text()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and starts(folder):
        return interpreter(folder)
    check_python()
    check_folder(folder)
    environment.install_venv_module()
    say(f"peers: installing TensorFlow, PyTorch, ONNX Runtime and OpenVINO in {repository.shown(folder)} "
        "(1 GB of downloads, 3 GB unpacked)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # An interrupted installation has this and no stamp: it is known as ours, and made again.
    (folder / "peers").touch()
    run([environment.base_interpreter(), "-m", "venv", str(folder)], f"{folder}: cannot make a Python environment",
        "run `python3 -m venv --help` to see whether venv is installed")
    run([str(interpreter(folder)), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet",
         "--no-deps", "--only-binary", ":all:", "--requirement", str(REQUIREMENTS)],
        f"{folder}: cannot install {repository.shown(REQUIREMENTS)}",
        "connect to the internet, or point pip at a folder of wheels with PIP_FIND_LINKS and PIP_NO_INDEX=1")
    stand_in_for_gpu_libraries(folder)
    # Written last: an interrupted installation leaves no stamp.
    stamp.write_text(wanted, encoding="utf-8")
    return interpreter(folder)


def remove(folder):
    """Only what was made here."""
    if folder.is_dir():
        check_folder(folder)
        shutil.rmtree(folder)
        say(f"peers: {repository.shown(folder)} removed")


def check_python():
    found = sys.version_info[:2]
    if not PYTHONS[0] <= found <= PYTHONS[1]:
        low, high = (".".join(map(str, version)) for version in PYTHONS)
        raise Failure(f"python3: expected {low} to {high}, for which the frameworks are pinned, "
                      f"found {sys.version.split()[0]}",
                      f"run the script with another one: `python{high} scripts/bench-peers`")


def check_folder(folder):
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "peers").is_file():
        raise Failure(f"{folder}: expected an empty folder or one that this script made, found other files",
                      "give another --environment")


def stamp_text():
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    return f"{sys.version.split()[0]} {pins}\n"


def starts(folder):
    try:
        return subprocess.run([str(interpreter(folder)), "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def run(command, failure, hint):
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ended.returncode != 0:
        raise Failure(f"{failure}: {environment.last_line(ended.stdout)}", hint)


def stand_in_for_gpu_libraries(folder):
    """Puts an empty library beside torch's for each GPU library that it asks for: 2 GB that nothing here would use."""
    libraries = next(folder.glob("lib/python*/site-packages/torch/lib"))
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    # One run finds one library; torch 2.11 asks for ten.
    for _ in range(30):
        tried = subprocess.run([str(interpreter(folder)), "-c", IMPORT_TORCH], capture_output=True, text=True,
                               env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
        if tried.returncode == 0:
            return
        missing = GPU_LIBRARY.search(tried.stderr)
        if missing is None:
            break
        if compiler is None:
            raise Failure("peers: expected a C compiler (cc), found none", "install gcc")
        run([compiler, "-shared", "-nostdlib", "-x", "c", "/dev/null", f"-Wl,-soname,{missing.group(1)}", "-o",
             str(libraries / missing.group(1))], f"{libraries}: cannot make {missing.group(1)}", None)
    raise Failure(f"{folder}: torch does not start: {environment.last_line(tried.stderr)}")
