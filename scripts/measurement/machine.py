"""What the measuring machine is, as far as speed depends on it. Nothing that tells one machine from its twin."""

import os
import platform
import re
from pathlib import Path

from measurement.processes import cores

# Instructions by which convolutions are faster or slower.
FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16", "asimd",
         "bf16", "i8mm", "sve")


def machine():
    text = read("/proc/cpuinfo")
    flags = set(field(text, "flags|Features").split())
    memory = re.search(r"MemTotal:\s+(\d+) kB", read("/proc/meminfo"))
    return {"processor": field(text, "model name") or platform.machine(), "architecture": platform.machine(),
            "cores": cores(), "cores_of_the_machine": os.cpu_count(),
            "flags": [flag for flag in FLAGS if flag in flags],
            "memory_bytes": int(memory.group(1)) * 1024 if memory else None,
            # Of the last minute, before anything is measured.
            "load_average": os.getloadavg()[0]}


def multiplies_bf16(found):
    """Whether bf16 is multiplied natively, by the measure of `--precision auto`."""
    return "amx_bf16" in found["flags"]


def adds_bytes_in_16_bits(found):
    """Whether sums of bytes' products may be cut off: on x86 without the instructions that add them up in 32 bits."""
    return found["architecture"] == "x86_64" and not {"avx_vnni", "avx512_vnni", "amx_int8"} & set(found["flags"])


def describe(found):
    memory = f", {found['memory_bytes'] / 2**30:.0f} GiB" if found["memory_bytes"] else ""
    return f"{found['processor']}, {found['cores']} cores{memory}, {' '.join(found['flags']) or 'no vector flags'}"


def read(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def field(text, name):
    found = re.search(rf"^(?:{name})\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else ""
