"""`stress kill-extraction`: an extraction may be killed at any moment; resumed, it ends at the same bytes."""

import json
import shutil
from collections import Counter

from endurance.ground import TOO_LATE, difference, log_lines, temporary_files, usual_seconds
from report import Failure, say

# Two batches a shard: between them a shard is half written.
SHAPE = ("--shard-size", "4", "--batch-size", "2")


def kill_extraction(ground, options):
    """One kill per round, at a moment drawn from the whole duration of a run; then the run is resumed."""
    images, rounds = ground.images(160), options.runs or 100
    whole = ground.folder / "uninterrupted"
    duration = usual_seconds(lambda: ground.must(ground.extract(images, whole, *SHAPE, "--overwrite")))
    listing = listed(whole)
    say(f"uninterrupted: {duration:.2f} s, {sum(map(len, listing))} photographs in {len(listing)} shards")
    stages, left, decoded_again = Counter(), 0, 0
    while sum(stages.values()) - stages[TOO_LATE] < rounds:
        number = sum(stages.values()) - stages[TOO_LATE] + 1
        moment = ground.chance.uniform(0, duration * 1.05)
        killed = Killed(ground, ground.folder / "round", images, listing, moment)
        stages[killed.stage] += 1
        left += bool(killed.temporary)
        decoded_again += killed.resume_and_check(whole, f"kill {number}/{rounds}")
        shutil.rmtree(killed.folder)
        if stages[TOO_LATE] > rounds + 10:
            raise Failure("most kills came too late: the machine's speed changes too much to aim")
    places = ", ".join(f"{stages[stage]} {stage}" for stage in sorted(stages))
    return ground.checks.close(f"{rounds} kills ({places}), {left} left temporary files, "
                               f"{decoded_again} photographs of finished shards decoded again")


class Killed:
    """An extraction that was killed, and what lay in its folder then."""

    def __init__(self, ground, folder, images, listing, moment):
        self.ground, self.folder, self.listing, self.moment = ground, folder, listing, moment
        self.store, self.links = folder / "store", folder / "images"
        for path in (path for shard in listing for path in shard):
            link = self.links / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(images / path)
        self.hit = ground.kill(self.command(), moment)
        self.temporary = temporary_files(self.store)
        self.finished = finished_shards(self.store)
        self.stage = self.find_stage()

    def command(self):
        return self.ground.extract(self.links, self.store, *SHAPE)

    def find_stage(self):
        """Where in its work the kill met the extraction."""
        if not self.hit:
            return TOO_LATE
        if not (self.store / "manifest.json").exists():
            return "before the manifest"
        if not self.finished:
            return "before the first receipt"
        return "after the last receipt" if len(self.finished) == len(self.listing) else "between receipts"

    def resume_and_check(self, whole, name):
        """Resumes; gives the number of photographs that were decoded although their shard was finished."""
        # A second witness beside the log: the photographs of finished shards become empty files, so that a
        # shard that is made again has other bytes.
        for shard in self.finished:
            for path in self.listing[shard]:
                (self.links / path).unlink()
                (self.links / path).touch()
        before = identities(self.store, self.finished)
        ended = self.ground.call(self.command())
        to_do = sum(len(paths) for shard, paths in enumerate(self.listing) if shard not in self.finished)
        decoded = decoded_images(ended.log())
        say(f"{name}: after {self.moment:.2f} s {self.stage}, {len(self.finished)} of {len(self.listing)} "
            f"shards finished, {len(self.temporary)} temporary files; resumed: {decoded} photographs of "
            f"{to_do}")
        checks = self.ground.checks
        checks.that(ended.code == 0, f"{name}: exit code {ended.code}: {ended.error}")
        if ended.code != 0:
            return 0
        wrong = difference(whole, self.store)
        checks.that(wrong is None, f"{name}: {wrong}")
        rest = temporary_files(self.store)
        checks.that(not rest, f"{name}: temporary files are left: {', '.join(rest)}")
        checks.that(decoded == to_do, f"{name}: expected {to_do} photographs decoded, found {decoded}")
        touched = sorted(set(before.items()) - set(identities(self.store, self.finished).items()))
        checks.that(not touched, f"{name}: files of finished shards were written again: {touched[:3]}")
        return max(0, decoded - to_do)


def listed(store):
    """The paths of each shard, from the rows files."""
    files = sorted(store.glob("rows-*.jsonl"))
    return [[row["path"] for row in log_lines(file.read_text(encoding="utf-8"))] for file in files]


def finished_shards(store):
    """The indices of the shards that have a receipt."""
    return {json.loads(path.read_text(encoding="utf-8"))["shard"] for path in store.glob("shard-*.json")}


def identities(store, shards):
    """Inode and time of every file of these shards: both change when a file is written again."""
    found = {}
    for shard in shards:
        for path in store.glob(f"*-{shard:05}-of-*"):
            status = path.stat()
            found[path.name] = (status.st_ino, status.st_mtime_ns)
    return found


def decoded_images(log):
    """How many photographs an extraction worked on, by the last line that counts them; none, no such line."""
    return next((line["done"] for line in reversed(log) if "done" in line), 0)
