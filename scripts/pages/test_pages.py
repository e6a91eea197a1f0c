"""The page of a report in a browser, from pictures drawn for it; and pages with faults, which must be found."""

import io
import random
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

import report
import repository
from pages import browser, thresholds

PROGRAMS = repository.ROOT / "target/release"
BROWSE = repository.SCRIPTS / "browse"
WEIGHTS = repository.WEIGHTS_FOLDER / "vgg16.safetensors"


def missing():
    if browser.find() is None:
        return "not installed: Chromium; no page was looked at in a browser"
    if not (browser.FOLDER / "complete").is_file():
        return "not installed: what drives a browser (`scripts/browse --install`); no page was looked at in one"
    return None


def ran(*command):
    return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def draw(path, number, split):
    """Stripes across or down, with noise: a BMP file of 48 x 48 pixels."""
    side, chance = 48, random.Random(f"{split} {number}")
    pixels = bytearray()
    for y in range(side):
        for x in range(side):
            stripe = 180 if (y if number % 2 else x) // 6 % 2 else 70
            pixels += bytes(min(255, max(0, stripe + chance.randrange(-60, 60))) for _ in range(3))
    header = struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + pixels)


class Thresholds(unittest.TestCase):
    def test_accuracy_counts_what_exceeds_the_threshold(self):
        found = [(True, 0.5), (True, 0.75), (False, 0.5), (False, 0.25)]
        self.assertEqual([thresholds.accuracy(found, threshold) for threshold in (0, 0.25, 0.5, 0.8)],
                         [0.5, 0.75, 0.75, 0.5])


@unittest.skipIf(missing(), missing())
class Pages(unittest.TestCase):
    def setUp(self):
        report.stream = io.StringIO()
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def must(self, *command):
        ended = ran(*command)
        self.assertEqual(ended.returncode, 0, ended.stdout)
        return ended.stdout

    def write(self, text):
        page = self.folder / "page.html"
        page.write_text(f'<!doctype html><html lang="en"><head><title>t</title><link rel="icon" href="data:,"></head>'
                        f'<body><main><h1>t</h1>{text}</main></body></html>', encoding="utf-8")
        return page

    def test_a_report_has_no_fault(self):
        images, store, run = self.folder / "images", self.folder / "features", self.folder / "run"
        for split in ("train", "test"):
            for number in range(40):
                draw(images / split / ("across", "down")[number % 2] / f"{number}.bmp", number, split)
        for split in ("train", "test"):
            self.must(PROGRAMS / "extractor", "extract", "--images", images / split, "--out", store / split,
                      "--image-size", 64, "--weights", WEIGHTS)
        self.must(PROGRAMS / "trainer", "fit", "--features", store / "train", "--validation-split", 0.3, "--epochs", 3,
                  "--out", run)
        self.must(PROGRAMS / "evaluator", "evaluate", "--features", store / "test", "--checkpoint",
                  run / "best.safetensors", "--images", images / "test", "--out", run / "test")
        said = self.must(BROWSE, run / "test/report.html", "--screenshots", self.folder / "shots")
        self.assertIn("11 thresholds compared", said)
        self.assertIn("1 pages, 0 problems", said)
        for name in ("light", "dark", "phone"):
            self.assertTrue((self.folder / f"shots/report-{name}.png").stat().st_size > 10_000, name)

    def test_faults_are_found(self):
        faults = {
            "<script>throw new Error('no')</script>": "script: no",
            "<script>console.error('bad')</script>": "console: bad",
            "<img src='none.png' alt='nothing'>": "request: file://",
            "<img src='data:image/png;base64,AAAA' alt='nothing'>": "image: nothing did not load",
            "<p style='color: #999; background: #aaa'>faint</p>": "axe-core, light: color-contrast",
            "<a href='#b' tabindex='3'>first</a><a href='#a' tabindex='2'>second</a>": "tab key: expected 2 controls in order",
            "<div style='width: 900px'>wide</div>": "phone: expected a page of 390 pixels, found 9",
        }
        ended = ran(BROWSE, self.write("".join(faults)))
        self.assertEqual(ended.returncode, 1, ended.stdout)
        for expected in faults.values():
            self.assertIn(expected, ended.stdout)
