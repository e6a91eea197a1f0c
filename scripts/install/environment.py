"""The hidden Python environment in .toolchain/python: made when needed, never activated by hand."""

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys

import repository
from report import Failure, say

OLDEST_PYTHON = (3, 9)
# From this version on, pip answers "where is this wheel?" without downloading the wheel.
OLDEST_PIP = (23, 3)
# Packages that are imported by another name.
MODULES = {"pillow": "PIL", "protobuf": "google.protobuf", "ml-dtypes": "ml_dtypes",
           "typing-extensions": "typing_extensions"}
# What a package needs in turn: they are installed with --no-deps, at the versions of requirements.txt.
NEEDS = {"h5py": ("numpy",), "onnx": ("numpy", "protobuf", "ml-dtypes", "typing-extensions"), "safetensors": ("numpy",)}
# Of the wheels, about, so that a person knows what is coming.
MEGABYTES = {"h5py": 5, "numpy": 17, "onnx": 9, "pillow": 7, "pip": 2, "ml-dtypes": 0.4, "protobuf": 0.4,
             "safetensors": 0.5, "typing-extensions": 0.1}
INTERPRETER = repository.PYTHON / "bin" / "python"
STAMP = repository.PYTHON / "complete"


def check_python():
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise Failure(
            f"python3 is too old: expected {'.'.join(map(str, OLDEST_PYTHON))} or newer, "
            f"found {sys.version.split()[0]}", "install a newer python3 and put it first on PATH")


def ensure():
    """Makes the environment unless it is there and starts."""
    check_python()
    if STAMP.exists() and starts():
        return
    install_venv_module()
    say(f"python: making {repository.shown(repository.PYTHON)}")
    shutil.rmtree(repository.PYTHON, ignore_errors=True)
    repository.TOOLCHAIN.mkdir(parents=True, exist_ok=True)
    made = subprocess.run([base_interpreter(), "-m", "venv", str(repository.PYTHON)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        raise Failure(f"{repository.shown(repository.PYTHON)}: cannot make a Python environment: "
                      f"{last_line(made.stdout)}", "run `python3 -m venv --help` to see whether venv is installed")
    # Written last: an interrupted start leaves no stamp, and the next run begins again.
    STAMP.write_text(sys.version.split()[0] + "\n", encoding="utf-8")


def starts():
    """False after the system's Python was upgraded or removed under the environment."""
    try:
        return subprocess.run([str(INTERPRETER), "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def base_interpreter():
    """The Python outside any environment, so that an activated one is not the parent of ours."""
    return getattr(sys, "_base_executable", None) or sys.executable


def install_venv_module():
    """Debian's python3 comes without ensurepip; its package is small, so install it where we may."""
    probe = [base_interpreter(), "-c", "import ensurepip, venv"]
    if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0:
        return
    remedy = "install it: `apt-get install -y python3-venv python3-pip` (or your system's packages of that kind)"
    prefix = privilege()
    if shutil.which("apt-get") is None or prefix is None:
        raise Failure("python3 has no venv module (ensurepip is missing)", remedy)
    say("python: installing python3-venv and python3-pip with apt-get")
    noninteractive = prefix + ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    # A fresh container has no package lists; a failure here shows in the next step.
    subprocess.run(noninteractive + ["-qq", "update"], stdout=subprocess.DEVNULL)
    packages = ["install", "-y", "-qq", "python3-venv", "python3-pip"]
    subprocess.run(noninteractive + packages, stdout=subprocess.DEVNULL)
    if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode != 0:
        raise Failure("python3 has no venv module (ensurepip is missing), also after apt-get install", remedy)


def privilege():
    """The words that make a command run as root, or None."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return ["sudo", "-n"]
    return None


def enter():
    """Goes on inside the environment: replaces this process unless it runs there already."""
    if os.path.realpath(sys.prefix) == os.path.realpath(repository.PYTHON):
        return
    ensure()
    sys.stdout.flush()
    os.execv(str(INTERPRETER), [str(INTERPRETER), *sys.argv])


def pip(*arguments):
    """Runs the environment's pip; its configuration (mirrors, certificates, offline folders) stays in force."""
    ensure()
    command = [str(INTERPRETER), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def install(*packages):
    """Installs packages and what they need at the versions and checksums of requirements.txt, and nothing else."""
    packages = list(dict.fromkeys(need for package in packages for need in (*NEEDS.get(package, ()), package)))
    wanted = requirement_blocks(packages)
    stamp = repository.PYTHON / "installed"
    stamp.mkdir(parents=True, exist_ok=True)
    missing = [name for name in packages if not installed(stamp / name, wanted[name])]
    if not missing:
        return
    say(f"python: installing {', '.join(missing)} (about {sum(MEGABYTES.get(name, 1) for name in missing):.0f} MB)")
    listing = stamp / "requirements.txt"
    listing.write_text("".join(wanted[name] for name in missing), encoding="utf-8")
    result = pip("install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:",
                 "--requirement", str(listing))
    if result.returncode != 0:
        raise Failure(f"{repository.shown(repository.PYTHON)}: cannot install {', '.join(missing)}: "
                      f"{last_line(result.stderr)}",
                      "connect to the internet, or point pip at a folder of wheels with PIP_FIND_LINKS "
                      "and PIP_NO_INDEX=1")
    for name in missing:
        (stamp / name).write_text(wanted[name], encoding="utf-8")


def provide(*packages):
    """Makes packages importable; nothing is installed where they are already."""
    if all(map(importable, packages)):
        return
    ensure()
    install(*packages)
    enter()
    # The environment runs already: what was just installed is not known yet.
    importlib.invalidate_caches()


def importable(package):
    try:
        return importlib.util.find_spec(MODULES.get(package, package)) is not None
    except ModuleNotFoundError:  # The package around it is missing.
        return False


def installed(stamp, block):
    return stamp.exists() and stamp.read_text(encoding="utf-8") == block


def requirement_blocks(packages):
    """Name -> its lines of requirements.txt (one block for each range of Python versions)."""
    text = (repository.SCRIPTS / "requirements.txt").read_text(encoding="utf-8")
    blocks = {name: "" for name in packages}
    for block in re.split(r"(?m)^(?=\S)", text):
        name = block.partition("==")[0].strip()
        if name in blocks:
            blocks[name] += block
    return blocks


def modern_pip():
    """Brings the environment's pip up to the pinned version when it is too old to be asked."""
    ensure()
    found = pip("--version").stdout.split()
    version = tuple(int(part) for part in re.findall(r"\d+", found[1])[:2]) if len(found) > 1 else (0, 0)
    if version >= OLDEST_PIP:
        return
    try:
        install("pip")
    except Failure as failure:
        # An old pip still answers, only more slowly: it downloads what it is asked about.
        say(f"python: pip stays at {'.'.join(map(str, version))} ({failure})")


def last_line(text):
    """pip's verdict: its last line that says ERROR, else the last line of all."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no message"])[-1]
