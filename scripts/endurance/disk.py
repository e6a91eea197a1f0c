"""`stress full-disk`: a disk fills up under the extractor and the trainer, and gets more space."""

import os
import shutil
import subprocess

from endurance.ground import difference, temporary_files
from report import say

SIZE, MORE = "40m", "160m"
# The first layer's maps at 32 x 32 are 256 KB a photograph: 200 of them are 52 MB.
SHAPE = ("--layer", "block1_conv1", "--shard-size", "16")
# A head of 8 MB: best (8) and last (17) fit after the first epoch, the next last (17) beside them does not.
FIT = ("--epochs", "3", "--hidden", "32", "--device", "cpu")


class NoDisk(Exception):
    """No file system can be mounted here."""


class Disk:
    """A file system of its own size, in memory; gone at the end, whatever happens."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.folder.mkdir()
        try:
            mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", self.folder)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if os.path.ismount(self.folder):
            ended = subprocess.run(["umount", str(self.folder)], capture_output=True, check=False)
            if ended.returncode != 0:
                # Something still looks into it: it goes as soon as that stops.
                subprocess.run(["umount", "-l", str(self.folder)], check=False)
        self.folder.rmdir()

    def grow(self):
        mount("-o", f"remount,size={MORE}", self.folder)

    def clear(self):
        """Empty and small again."""
        for path in self.folder.iterdir():
            shutil.rmtree(path)
        mount("-o", f"remount,size={SIZE}", self.folder)


def mount(*arguments):
    """Mounts; in a container that takes a right of its own, beside root's."""
    if os.geteuid() != 0:
        raise NoDisk("expected root, which may mount a tmpfs, found another user")
    ended = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise NoDisk(ended.stderr.strip())


def full_disk(ground, options):
    """The same story twice: fill, fail, grow, resume, compare with what a large disk gives."""
    checks, store, run = ground.checks, ground.folder / "store", ground.folder / "run"
    images = ground.images(200)
    extract = lambda out: ground.extract(images, out, *SHAPE)
    command = ground.command("trainer", "fit", "--features", store, *FIT)
    fit = lambda out, *more: [*command, "--out", str(out), *more]
    try:
        with Disk(ground.folder / "disk") as disk:
            ground.must(extract(store))
            ground.must(fit(run))
            full, again = disk.folder / "store", disk.folder / "run"
            finished = fill(checks, "extraction", ground.call(extract(full)), full, "shard-*.json")
            disk.grow()
            finish(checks, "extraction", ground.call(extract(full)), store, full)
            verified = ground.call(ground.command("extractor", "verify", full))
            checks.that(verified.code == 0, f"extraction, resumed: verify: {verified.out.strip()}")
            disk.clear()
            states = fill(checks, "training", ground.call(fit(again)), again, "last.safetensors")
            disk.grow()
            finish(checks, "training", ground.call(fit(again, "--resume")), run, again)
    except NoDisk as reason:
        say(f"skipped: full-disk: {reason}")
        return 0
    size = sum(path.stat().st_size for path in store.iterdir())
    return checks.close(f"a disk of {SIZE} filled by a store of {size / 2**20:.0f} MB ({finished} shards "
                        f"finished) and by a run ({states} state saved); then {MORE}")


def fill(checks, name, ended, folder, mark):
    """Checks how a program fails on a full disk; gives how many files of the kind `mark` it had finished."""
    say(f"{name}: exit code {ended.code}: {ended.error}")
    checks.that(ended.code == 1 and not ended.crashed, f"{name}: expected exit code 1, found {ended.code}")
    clear = "No space left on device" in ended.error and str(folder) in ended.error
    checks.that(clear, f"{name}: expected an error that names a file and the full disk, found: {ended.error}")
    rest = temporary_files(folder)
    checks.that(not rest, f"{name}: temporary files are left: {', '.join(rest)}")
    finished = len(list(folder.glob(mark)))
    checks.that(finished > 0, f"{name}: expected a part to be finished, found nothing")
    return finished


def finish(checks, name, ended, expected, folder):
    """Checks that the program, run again with more space, ends at the right bytes."""
    checks.that(ended.code == 0, f"{name}, resumed: exit code {ended.code}: {ended.error}")
    wrong = difference(expected, folder)
    say(f"{name}, resumed with {MORE}: {wrong or 'byte-equal'}")
    checks.that(wrong is None, f"{name}, resumed: {wrong}")
