"""Tests of scripts/pictures on figures that are drawn here."""

import importlib.util
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PICTURES = Path(__file__).resolve().parent / "pictures"


@unittest.skipUnless(importlib.util.find_spec("PIL"), "Pillow is not installed; scripts/pictures installs it")
class Pictures(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.run_folder, self.out = Path(holder.name) / "run", Path(holder.name) / "a" / "pictures"
        (self.run_folder / "test").mkdir(parents=True)
        self.draw("curves.png", 1800, 900)
        self.draw("test/confusion_matrix.png", 700, 600)

    def draw(self, name, width, height):
        from PIL import Image, ImageDraw

        picture = Image.new("RGB", (width, height), "white")
        ImageDraw.Draw(picture).ellipse((20, 20, width - 20, height - 20), "orange", "black", 9)
        picture.save(self.run_folder / name, dpi=(300, 300))

    def start(self):
        command = [sys.executable, str(PICTURES), "--run", str(self.run_folder), "--out", str(self.out)]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def fails(self, words):
        result = self.start()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual([line.split(": ")[0] for line in result.stderr.splitlines()], ["pictures", "hint"])
        self.assertIn(words, result.stderr)
        self.assertFalse(self.out.exists())

    def test_figures_become_narrow_enough_with_few_colours_and_no_metadata(self):
        from PIL import Image

        self.assertEqual(self.start().returncode, 0)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), ["confusion_matrix.png", "curves.png"])
        for name, size in (("curves.png", (900, 450)), ("confusion_matrix.png", (700, 600))):
            with Image.open(self.out / name) as picture:
                self.assertEqual((picture.size, picture.mode, picture.info), (size, "P", {}))
                self.assertLessEqual(len(picture.getcolors()), 64)

    def test_the_same_run_gives_the_same_bytes(self):
        self.start()
        first = {path.name: path.read_bytes() for path in self.out.iterdir()}
        self.start()
        self.assertEqual({path.name: path.read_bytes() for path in self.out.iterdir()}, first)

    def test_a_run_without_a_report_is_refused(self):
        (self.run_folder / "test" / "confusion_matrix.png").unlink()
        self.fails("confusion_matrix.png: expected a figure, found none")

    def test_a_broken_figure_is_refused(self):
        path = self.run_folder / "curves.png"
        path.write_bytes(path.read_bytes()[:500])
        self.fails("curves.png: expected a PNG, found other bytes")

    def test_what_is_no_drawing_is_refused(self):
        from PIL import Image

        noise = random.Random(7).getrandbits(8 * 3 * 900 * 450).to_bytes(3 * 900 * 450, "little")
        Image.frombytes("RGB", (900, 450), noise).save(self.run_folder / "curves.png")
        self.fails("expected a figure of at most 60000 bytes in 16 colours")


if __name__ == "__main__":
    unittest.main()
