"""`stress crowd`: very many photographs in one folder are listed in seconds."""

import os
import subprocess
import time

from endurance.ground import environment
from endurance.identity import identity
from endurance.pictures import encoded
from PIL import Image
from report import say

COUNT = 200_000
# The most links that a file may have on ext4.
LINKS = 60_000
SIZE = 4
LISTED, FIRST, MEMORY = 3.0, 5.0, 150e6


def crowd(ground, options):
    """Lists them by `check`, and begins to extract them."""
    checks, count = ground.checks, options.runs or COUNT
    images = ground.folder / "images"
    (images / "all").mkdir(parents=True)
    content = encoded(Image.new("RGB", (2, 2), (9, 99, 199)), "PNG")
    for number in range(count):
        path = images / "all" / f"photograph-{number:07}.png"
        if number % LINKS == 0:
            first = path
            path.write_bytes(content)
        else:
            os.link(first, path)
    (images / "other").mkdir()
    (images / "other" / "one.png").write_bytes(content)
    listed, memory = measured(ground.command("extractor", "check", images, "--json"))
    checks.that(listed < LISTED, f"check: expected less than {LISTED} s, found {listed:.2f}")
    checks.that(memory < MEMORY, f"check: expected less than {MEMORY / 1e6:.0f} MB, found {memory / 1e6:.0f}")
    network, out = ground.folder / "identity.onnx", ground.folder / "store"
    network.write_bytes(identity(SIZE))
    begun = time.monotonic()
    with open(ground.folder / "extract.log", "wb") as log:
        extraction = subprocess.Popen(ground.command(
            "extractor", "extract", "--images", images, "--out", out, "--base", network, "--shard-size", 64,
            "--preprocess", "mean=0,0,0/std=1,1,1"), stderr=log, env=environment())
        while extraction.poll() is None and not any(out.glob("shard-*.json")):
            time.sleep(0.02)
        first_features = time.monotonic() - begun
        extraction.terminate()
        code = extraction.wait()
    checks.that(code == 75, f"extract: expected exit code 75, found {code}")
    checks.that(first_features < LISTED + FIRST, f"expected features within {LISTED + FIRST} s, found {first_features:.2f}")
    say(f"{count} photographs in one folder: listed in {listed:.2f} s and {memory / 1e6:.0f} MB, first shard of 64 after "
        f"{first_features:.2f} s")
    return checks.close(f"{count} photographs")


def measured(command):
    """Seconds and the peak of memory, in bytes, of a command that has to succeed."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.monotonic() - begun, usage.ru_maxrss * 1024
