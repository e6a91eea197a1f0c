"""The three programs, run where exported files are checked."""

import json
import subprocess
from pathlib import Path

from report import Failure


class Programs:
    """In one folder, with one folder to work in."""

    def __init__(self, programs, folder):
        self.programs, self.folder = Path(programs), Path(folder)

    def run(self, name, *words):
        """What a program writes to stdout; it has to succeed."""
        ended = subprocess.run(self.command(name, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        if ended.returncode != 0:
            raise Failure(f"{name} {words[0]}: exit code {ended.returncode}: {ended.stderr.strip()}")
        return ended.stdout

    def command(self, name, *words):
        return [str(self.programs / name), *map(str, words)]

    def extract(self, base, weights, images, store, *further):
        self.run("extractor", "extract", "--base", base, "--weights", weights, "--images", images, "--out", store,
                 "--precision", "fp32", "--device", "cpu", *further)

    def demo(self, photographs):
        """Drawn feathers and leaves, where no photographs are given."""
        folder = self.folder / "demo"
        if not folder.is_dir():
            self.run("examples/demo_data", "--out", folder, "--train", photographs, "--test", 2)
        return folder / "train"


def spec(store):
    """What the features of a store are."""
    return json.loads((store / "manifest.json").read_text(encoding="utf-8"))["spec"]
