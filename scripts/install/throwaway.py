"""Python environments for frameworks that nothing else uses: installed from a list of pins, removed when not wanted."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import repository
from install import environment
from report import Failure, say

# For these there are wheels of everything that is pinned.
PYTHONS = ((3, 11), (3, 13))
# torch's module asks for these at its start, GPU or not.
GPU_LIBRARY = re.compile(r"(lib(?:cu|nv|nccl)[\w.]*\.so[\w.]*): cannot open shared object file")
# An empty library has no functions, so they may only be looked for when they are called.
IMPORT_TORCH = "import os, sys; sys.setdlopenflags(os.RTLD_LAZY); import torch"


@dataclass(frozen=True)
class Throwaway:
    """What an environment holds, and for which script."""

    # Also the name of the file by which a folder is known as one of these.
    name: str
    script: str
    requirements: Path
    # What is installed and how large it is, for people.
    content: str

    def ensure(self, folder):
        """Makes the environment unless it is there, whole, and of the same pins and Python; gives its interpreter."""
        stamp, wanted = folder / "complete", self.stamp_text()
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and starts(folder):
            return interpreter(folder)
        self.check_python()
        self.check_folder(folder)
        environment.install_venv_module()
        say(f"{self.name}: installing {self.content} in {repository.shown(folder)}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # An interrupted installation has this and no stamp: it is known as ours, and made again.
        (folder / self.name).touch()
        run([environment.base_interpreter(), "-m", "venv", str(folder)],
            f"{folder}: cannot make a Python environment",
            "run `python3 -m venv --help` to see whether venv is installed")
        run([str(interpreter(folder)), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet",
             "--no-deps", "--only-binary", ":all:", "--requirement", str(self.requirements)],
            f"{folder}: cannot install {repository.shown(self.requirements)}",
            "connect to the internet, or point pip at a folder of wheels with PIP_FIND_LINKS and PIP_NO_INDEX=1")
        if next(folder.glob("lib/python*/site-packages/torch/lib"), None):
            self.stand_in_for_gpu_libraries(folder)
        # Written last: an interrupted installation leaves no stamp.
        stamp.write_text(wanted, encoding="utf-8")
        return interpreter(folder)

    def remove(self, folder):
        """Only what was made here."""
        if folder.is_dir():
            self.check_folder(folder)
            shutil.rmtree(folder)
            say(f"{self.name}: {repository.shown(folder)} removed")

    def check_python(self):
        found = sys.version_info[:2]
        if not PYTHONS[0] <= found <= PYTHONS[1]:
            low, high = (".".join(map(str, version)) for version in PYTHONS)
            raise Failure(f"python3: expected {low} to {high}, for which the frameworks are pinned, "
                          f"found {sys.version.split()[0]}",
                          f"run the script with another one: `python{high} {self.script}`")

    def check_folder(self, folder):
        if folder.is_dir() and any(folder.iterdir()) and not (folder / self.name).is_file():
            raise Failure(f"{folder}: expected an empty folder or one that this script made, found other files",
                          "give another --environment")

    def stamp_text(self):
        pins = hashlib.sha256(self.requirements.read_bytes()).hexdigest()
        return f"{sys.version.split()[0]} {pins}\n"

    def stand_in_for_gpu_libraries(self, folder):
        """An empty library beside torch's for each GPU library that it asks for: 2 GB that nothing here would use."""
        libraries = next(folder.glob("lib/python*/site-packages/torch/lib"), None)
        if libraries is None:
            return
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
                raise Failure(f"{self.name}: expected a C compiler (cc), found none", "install gcc")
            run([compiler, "-shared", "-nostdlib", "-x", "c", "/dev/null", f"-Wl,-soname,{missing.group(1)}", "-o",
                 str(libraries / missing.group(1))], f"{libraries}: cannot make {missing.group(1)}", None)
        raise Failure(f"{folder}: torch does not start: {environment.last_line(tried.stderr)}")


def interpreter(folder):
    return folder / "bin" / "python"


def starts(folder):
    try:
        return subprocess.run([str(interpreter(folder)), "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def run(command, failure, hint):
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ended.returncode != 0:
        raise Failure(f"{failure}: {environment.last_line(ended.stdout)}", hint)
