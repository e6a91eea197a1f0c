"""What tests of measurements share: a folder, and silence."""

import io
import tempfile
import unittest
from pathlib import Path

import report


class Quiet(unittest.TestCase):
    """A folder of its own, and nothing said on the terminal."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.addCleanup(setattr, report, "stream", report.stream)
        report.stream = io.StringIO()

    def touch(self, *names):
        for name in names:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"1")
