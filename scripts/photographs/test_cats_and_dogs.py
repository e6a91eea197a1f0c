"""Tests of scripts/data on small made-up collections."""

import importlib.util
import io
import random
import tempfile
import unittest
import unittest.mock
import zipfile
from pathlib import Path

import report
from photographs import cats_and_dogs
from report import Failure

SPLITS = {"train": range(0, 3), "validation": range(3, 5), "test": range(5, 8)}


@unittest.skipUnless(importlib.util.find_spec("PIL"), "Pillow is not installed; scripts/data installs it")
class Photographs(unittest.TestCase):
    def setUp(self):
        report.stream = io.StringIO()
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.output = self.folder / "out"
        patch = unittest.mock.patch.object(cats_and_dogs, "SPLITS", SPLITS)
        patch.start()
        self.addCleanup(patch.stop)

    def jpeg(self, seed):
        from PIL import Image

        buffer = io.BytesIO()
        Image.frombytes("RGB", (40, 30), random.Random(seed).getrandbits(8 * 3600).to_bytes(3600, "little")).save(
            buffer, "JPEG")
        return buffer.getvalue()

    def set_of(self, pattern):
        """Path -> bytes of ten photographs of each class, four of them bad or absent."""
        files = {}
        for name in ("cat", "dog"):
            for number in range(10):
                files[pattern(name, number)] = self.jpeg(f"{name}{number}")
        files[pattern("cat", 1)] = b""
        files[pattern("dog", 4)] = files[pattern("dog", 4)][:400]
        files[pattern("dog", 5)] = b"no photograph"
        del files[pattern("cat", 6)]
        files["Thumbs.db"] = b"x"
        return files

    def kaggle(self, name, number):
        return f"train/{name}.{number}.jpg"

    def microsoft(self, name, number):
        return f"PetImages/{name.capitalize()}/{number}.jpg"

    def as_folder(self, files):
        for path, content in files.items():
            target = self.folder / "set" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return self.folder / "set"

    def as_zip(self, files, name="set.zip"):
        with zipfile.ZipFile(self.folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        return self.folder / name

    def check(self, source):
        cats_and_dogs.prepare(source, self.output)
        self.assertEqual(cats_and_dogs.counted(self.output), {
            "train/cats": 2, "train/dogs": 3, "validation/cats": 2, "validation/dogs": 1,
            "test/cats": 2, "test/dogs": 2})
        self.assertEqual((self.output / "test/dogs/dog.7.jpg").read_bytes(), self.jpeg("dog7"))
        said = report.stream.getvalue()
        for line in ("train/cats/cat.1.jpg: empty file", "validation/dogs/dog.4.jpg: does not decode",
                     "test/dogs/dog.5.jpg: does not decode", "test/cats: missing in the source: 6",
                     "12 photographs, 4 left out"):
            self.assertIn(line, said)

    def test_a_kaggle_folder_is_split_and_its_bad_files_are_listed(self):
        self.check(self.as_folder(self.set_of(self.kaggle)))

    def test_a_microsoft_folder_is_split_and_its_bad_files_are_listed(self):
        self.check(self.as_folder(self.set_of(self.microsoft)))

    def test_a_kaggle_zip_with_a_zip_inside_is_read(self):
        inner = self.as_zip(self.set_of(self.kaggle), "train.zip").read_bytes()
        self.check(self.as_zip({"sample_submission.csv": b"id,label", "test1.zip": b"", "train.zip": inner}))

    def test_a_microsoft_zip_is_read(self):
        self.check(self.as_zip(self.set_of(self.microsoft)))

    def test_a_second_run_does_nothing_and_says_the_same_counts(self):
        source = self.as_folder(self.set_of(self.kaggle))
        self.assertFalse(cats_and_dogs.already_there(self.output))
        cats_and_dogs.prepare(source, self.output)
        before = {path: path.stat().st_mtime_ns for path in self.output.rglob("*.jpg")}
        self.assertTrue(cats_and_dogs.already_there(self.output))
        self.assertIn("12 photographs, 4 left out", report.stream.getvalue())
        (self.output / "train/cats/cat.0.jpg").unlink()
        self.assertFalse(cats_and_dogs.already_there(self.output))
        cats_and_dogs.prepare(source, self.output)
        after = {path: path.stat().st_mtime_ns for path in self.output.rglob("*.jpg")}
        changed = [path.name for path in before if before[path] != after[path]]
        self.assertEqual(changed, ["cat.0.jpg"])

    def test_a_run_that_was_interrupted_is_continued(self):
        source = self.as_folder(self.set_of(self.kaggle))
        real, calls = cats_and_dogs.appear, []

        def interrupted(destination, content):
            calls.append(destination)
            if len(calls) == 6:
                raise KeyboardInterrupt
            real(destination, content)

        with unittest.mock.patch.object(cats_and_dogs, "appear", interrupted):
            with self.assertRaises(KeyboardInterrupt):
                cats_and_dogs.prepare(source, self.output)
        self.assertFalse(cats_and_dogs.already_there(self.output))
        self.check(source)

    def test_entries_of_a_zip_cannot_leave_the_folder(self):
        cats_and_dogs.prepare(self.as_zip({"../../train/cat.0.jpg": self.jpeg(0), "/train/dog.0.jpg": self.jpeg(1)}),
                            self.output)
        written = sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*.jpg"))
        self.assertEqual(written, ["out/train/dogs/dog.0.jpg"])
        self.assertEqual(list(self.folder.parent.glob("train")), [])

    def test_two_photographs_of_one_name_are_an_error(self):
        with self.assertRaises(Failure) as caught:
            cats_and_dogs.prepare(self.as_zip({"a/cat.0.jpg": b"x", "b/cat.0.jpg": b"y"}), self.output)
        self.assertIn("b/cat.0.jpg", str(caught.exception))

    def test_a_source_without_photographs_says_what_was_expected(self):
        for source in (self.as_zip({"readme.txt": b"x"}), self.folder / "absent", self.as_folder({"a.txt": b""})):
            with self.assertRaises(Failure):
                cats_and_dogs.prepare(source, self.output)
        broken = self.folder / "broken.zip"
        broken.write_bytes(b"PK no zip")
        with self.assertRaises(Failure) as caught:
            cats_and_dogs.prepare(broken, self.output)
        self.assertIn("not a zip", str(caught.exception))
