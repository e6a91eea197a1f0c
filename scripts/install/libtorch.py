"""Lays out libtorch in .toolchain/libtorch from pinned wheels: `include`, `lib` and nothing of Python.

The libraries look for one another in their own folder ($ORIGIN), so they lie
flat in `lib`. The processor-only kind leaves libtorch_cuda.so out: torch-sys
links CUDA exactly when it sees that file.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile

import repository
from install import environment, wheel
from report import Failure, say

STAMP = repository.LIBTORCH / "layout.json"
# The wheels are built for manylinux_2_28.
OLDEST_GLIBC = (2, 28)
# Python's own bindings: useless here, and they would drag in what only Python needs.
PYTHON_LIBRARIES = ("libtorch_python.so", "libshm.so", "libtorch_global_deps.so")
# What is left of torch/lib without these is what libtorch_cpu.so needs; that differs from processor to processor.
CUDA_LIBRARIES = ("libtorch_cuda.so", "libtorch_cuda_linalg.so", "libtorch_nvshmem.so", "libc10_cuda.so",
                  "libcaffe2_nvrtc.so", "libtorch.so")


def install(kind):
    """Installs libtorch of one kind, "cpu" or "cuda", unless it is there and whole; "any" keeps either."""
    check_system()
    pins = repository.pinned()["libtorch"]
    found = installed_layout()
    if kind == "any":
        kind = found["kind"] if found is not None and found.get("kind") in pins else "cpu"
    layout = {"version": pins["version"], "kind": kind, "machine": wheel.machine()}
    if found is not None and {key: found.get(key) for key in layout} == layout:
        say(f"libtorch: {pins['version']} ({kind}) already there")
        return
    if found is not None:
        say(f"libtorch: replacing {found.get('version')} ({found.get('kind')})")

    names = pins[kind]
    total = sum(wheel.pinned_file(name)[1]["bytes"] for name in names)
    say(f"libtorch: installing {pins['version']} ({kind}), {total / 1e9:.1f} GB of downloads")
    paths = [wheel.fetch(name) for name in names]
    staging = repository.TOOLCHAIN / "libtorch.unpacking"
    shutil.rmtree(staging, ignore_errors=True)
    (staging / "lib").mkdir(parents=True)
    for path in paths:
        say(f"libtorch: unpacking {path.name}")
        unpack(path, staging, kind)
    finish(staging, layout)
    for path in paths:
        # Half a gigabyte of wheel is of no use beside its unpacked libraries.
        path.unlink(missing_ok=True)
    say(f"libtorch: {repository.shown(repository.LIBTORCH)} is ready")


def check_system():
    remedy = "install libtorch 2.11.0 yourself and set LIBTORCH to its folder"
    if sys.platform != "linux":
        raise Failure(f"libtorch: this script lays it out for Linux only: found {platform.system()}", remedy)
    library, version = platform.libc_ver()
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if library != "glibc" or numbers < OLDEST_GLIBC:
        raise Failure(f"libtorch: expected glibc {'.'.join(map(str, OLDEST_GLIBC))} or newer, "
                      f"found {library or 'another C library'} {version}".rstrip(), remedy)


def installed_layout():
    """The stamp of a whole installation; None where there is none or a library was damaged."""
    try:
        layout = json.loads(STAMP.read_text(encoding="utf-8"))
        for name, size in layout["libraries"].items():
            if (repository.LIBTORCH / "lib" / name).stat().st_size != size:
                return None
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return layout


def unpack(path, staging, kind):
    """Unpacks the headers and the libraries that this kind needs."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            target = target_of(entry.filename, kind)
            if target is None or entry.is_dir():
                continue
            destination = staging / target
            destination.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, destination.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)


def target_of(entry, kind):
    """Where an entry of a wheel goes, relative to libtorch; None for what is not needed."""
    parts = entry.split("/")
    if ".." in parts or entry.startswith("/"):
        return None
    name = parts[-1]
    if parts[:2] == ["torch", "include"]:
        return "/".join(parts[1:])
    if ".so" not in name:
        return None
    if parts[:2] == ["torch", "lib"] and len(parts) == 3:
        unwanted = PYTHON_LIBRARIES + (CUDA_LIBRARIES if kind == "cpu" else ())
        return None if name in unwanted else f"lib/{name}"
    if parts[0] == "nvidia" and parts[-2] == "lib":
        wanted = kind == "cuda" or name.startswith(("libcudart.so", "libcupti.so"))
        return f"lib/{name}" if wanted else None
    return None


def finish(staging, layout):
    """Adds what the linker looks for, checks, and puts the folder in place in one step."""
    library = staging / "lib"
    # The linker wants plain names. On a processor libtorch.so is only a word for libtorch_cpu.so: the
    # wheel's own asks for libtorch_cuda.so.
    if layout["kind"] == "cpu":
        os.symlink("libtorch_cpu.so", library / "libtorch.so")
    for path in sorted(library.glob("libgomp*.so*")):
        if not (library / "libgomp.so").exists():
            os.symlink(path.name, library / "libgomp.so")
    (staging / "build-version").write_text(layout["version"] + "\n", encoding="utf-8")

    needed = ["libtorch.so", "libtorch_cpu.so", "libc10.so", "libgomp.so", "libcudart.so.13", "libcupti.so.13"]
    needed += ["libtorch_cuda.so", "libc10_cuda.so"] if layout["kind"] == "cuda" else []
    missing = [name for name in needed if not (library / name).exists()]
    if not (staging / "include" / "torch" / "csrc" / "api" / "include").is_dir():
        missing.append("include/torch/csrc/api/include")
    if missing:
        raise Failure(f"libtorch: the wheels lack what was expected in them: {', '.join(missing)}")

    # The system's loader is the judge of whether the libraries find one another.
    probe = [sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", str(library / "libtorch.so")]
    loaded = subprocess.run(probe, stderr=subprocess.PIPE, text=True)
    if loaded.returncode != 0:
        raise Failure(f"libtorch: {library / 'libtorch.so'} does not load: {environment.last_line(loaded.stderr)}")

    layout["libraries"] = {path.name: path.stat().st_size for path in sorted(library.iterdir())}
    (staging / STAMP.name).write_text(json.dumps(layout, indent=1) + "\n", encoding="utf-8")
    os.sync()
    previous = repository.TOOLCHAIN / "libtorch.previous"
    shutil.rmtree(previous, ignore_errors=True)
    if repository.LIBTORCH.exists():
        os.rename(repository.LIBTORCH, previous)
    os.rename(staging, repository.LIBTORCH)
    shutil.rmtree(previous, ignore_errors=True)
