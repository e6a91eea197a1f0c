"""Puts the `just` program into a folder, from its pinned wheel."""

import os
import zipfile

from install import wheel
from report import Failure, say


def install(folder):
    path = wheel.fetch("rust-just")
    with zipfile.ZipFile(path) as archive:
        entries = [name for name in archive.namelist() if name.endswith(".data/scripts/just")]
        if len(entries) != 1:
            raise Failure(f"{path.name}: expected one program `just` in it, found {len(entries)}")
        program = archive.read(entries[0])
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".just.{os.getpid()}.part"
    try:
        temporary.write_bytes(program)
        temporary.chmod(0o755)
        os.replace(temporary, folder / "just")
    finally:
        temporary.unlink(missing_ok=True)
    path.unlink()
    say(f"just: installed in {folder}")
