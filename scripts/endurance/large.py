"""`stress large-store`: memory and speed of the trainer on a store that is larger than its memory may be."""

import json
import re
import shutil
import statistics
import subprocess
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from endurance import drawn
from endurance.ground import difference, environment, log_lines
from endurance.store import DESCRIPTORS, StoreWriter
from report import Failure, say

# Its block5_pool is [5, 5, 512].
IMAGE_SIZE = 180
ROW_BYTES = drawn.row_bytes(IMAGE_SIZE)
# Anonymous memory: what the trainer itself asks for, without the pages of the mapped store.
MOST_MEMORY = 700_000_000
SECONDS_BETWEEN_LOOKS = 0.005


def large_store(ground, options):
    """Draws a store and one a tenth of its size, and trains on them alternately."""
    checks, runs, rows = ground.checks, options.runs or 2, options.rows
    check_space(ground.folder, int(rows * 1.1 * (ROW_BYTES + 400)))
    check_writer(ground)
    stores = {}
    for size in (rows, max(rows // 10, 10)):
        stores[size] = ground.folder / f"store-{size}"
        begun = time.monotonic()
        drawn.draw_store(stores[size], size, IMAGE_SIZE, ground.seed)
        say(f"{size} rows drawn in {time.monotonic() - begun:.0f} s")
        verified = ground.call(ground.command("extractor", "verify", stores[size]))
        verdict = verified.out.strip().splitlines()[-1].split(": ")[-1]
        say(f"extractor verify, {verified.seconds:.1f} s: {verdict}")
        checks.that(verified.code == 0, f"verify: {verified.out.strip()}")
    rates, peaks = defaultdict(list), defaultdict(list)
    for number in range(1, runs + 1):
        for size, store in stores.items():
            rate, memory = train(ground, store, size, ground.folder / f"run-{size}-{number}")
            rates[size].append(rate)
            peaks[size].append(memory["RssAnon"])
            say(f"{size} rows, run {number}/{runs}: {rate:.0f} rows/s; " + ", ".join(
                f"{name} {value / 1e6:.0f} MB" for name, value in sorted(memory.items())))
            checks.that(0 < memory["RssAnon"] < MOST_MEMORY,
                        f"{size} rows: expected less than {MOST_MEMORY / 1e6:.0f} MB of anonymous memory, "
                        f"found {memory['RssAnon'] / 1e6:.0f} MB")
    large, small = (statistics.median(rates[size]) for size in stores)
    told = "; ".join(f"{size} rows ({size * ROW_BYTES / 1e9:.2f} GB): {statistics.median(rates[size]):.0f} "
                     f"rows/s, {max(peaks[size]) / 1e6:.0f} MB anonymous" for size in stores)
    return checks.close(f"{told}; ratio of the medians of {runs}: {large / small:.2f}")


def check_space(folder, needed):
    """Fails in the first second, not after gigabytes."""
    free = shutil.disk_usage(folder).free
    if free < needed * 1.05 + 200_000_000:
        raise Failure(f"{folder}: expected {needed / 1e9 + 0.3:.1f} GB of free space, "
                      f"found {free / 1e9:.1f} GB", "give another --folder, or fewer --rows")


def check_writer(ground):
    """This script's writer has to make, from the extractor's numbers, the extractor's bytes."""
    made, again = ground.folder / "extracted", ground.folder / "written"
    for dtype in DESCRIPTORS:
        ground.must(ground.extract(ground.images(10), made, "--shard-size", "4", "--dtype", dtype))
        rewrite(made, again)
        wrong = difference(made, again)
        say(f"a store of the extractor ({dtype}), written again from data/README.md: {wrong or 'byte-equal'}")
        ground.checks.that(wrong is None, f"written from data/README.md: {wrong}")
        shutil.rmtree(made)
        shutil.rmtree(again)


def rewrite(made, again):
    """Writes a store anew from its numbers and from what the page does not let one compute."""
    manifest = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    rows = [[json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            for path in sorted(made.glob("rows-*.jsonl"))]
    listing = [(row["path"], row["label"]) for shard in rows for row in shard]
    # JSON keeps no order that counts: the writer has to know it.
    spec = {name: manifest["spec"][name] for name in sorted(manifest["spec"])}
    writer = StoreWriter(again, listing, spec, manifest["classes"], manifest["shard_size"],
                         manifest["precision"], manifest["dtype"])
    writer.begin()
    for shard, details in enumerate(rows):
        content = (made / writer.name("features", shard, "npy")).read_bytes()
        receipt = json.loads((made / writer.name("shard", shard, "json")).read_text(encoding="utf-8"))
        extra = {name: receipt[name] for name in ("canary",) if name in receipt}
        writer.write(shard, content[10 + int.from_bytes(content[8:10], "little"):], details, **extra)


def train(ground, store, rows, out):
    """One epoch: rows per second of the epoch, and the highest memory that was seen."""
    command = ground.command("trainer", "fit", "--features", store, "--out", out, "--epochs", 1,
                             "--device", "cpu", "--log-format", "json")
    log = ground.folder / "trainer.log"
    with open(log, "wb") as file:
        # As people run it: this is about speed.
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                   env=environment(yields=False))
        try:
            memory = watch(program)
        finally:
            program.kill()
            program.wait()
    said = log.read_text(encoding="utf-8")
    if program.returncode != 0:
        raise Failure(f"trainer fit on {rows} rows: exit code {program.returncode}: {said.splitlines()[-1]}")
    shutil.rmtree(out)
    return rows / epoch_seconds(log_lines(said)), memory


def watch(program):
    """The highest of each kind of memory in bytes, looked at until the program ends."""
    highest = defaultdict(int)
    status = Path(f"/proc/{program.pid}/status")
    while program.poll() is None:
        for name, value in memory_of(status.read_text()).items():
            highest[name] = max(highest[name], value)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return highest


def memory_of(status):
    """RssAnon, RssFile and VmHWM of a /proc/PID/status in bytes; a process that ended has none."""
    found = re.findall(r"^(RssAnon|RssFile|VmHWM):\s+(\d+) kB$", status, re.MULTILINE)
    return {name: int(value) * 1024 for name, value in found}


def epoch_seconds(log):
    """From the line before the first epoch to its own: training and validation, without the start."""
    begun = next(line for line in log if "training rows" in line["message"])
    ended = next(line for line in log if line.get("epoch") == 1 and "loss" in line)
    times = [datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00")) for line in (begun, ended)]
    return (times[1] - times[0]).total_seconds()
