"""Tests of scripts/check-exports: its words, what it draws, and the check itself where ONNX Runtime is there."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import repository
from conversion.architecture import architectures

MISSING = [name for name in ("numpy", "PIL") if not importlib.util.find_spec(name)]
READERS = [name for name in ("onnx", "onnxruntime", "tensorboard") if not importlib.util.find_spec(name)]
PROGRAMS = repository.ROOT / "target/release"
BUILT = all((PROGRAMS / name).is_file() for name in ("extractor", "trainer", "evaluator", "examples/demo_data"))


class CheckExports(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def start(self, *words, **variables):
        command = [sys.executable, repository.SCRIPTS / "check-exports", *words, "--folder", self.folder / "work"]
        return subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**os.environ, **variables})

    def programs(self):
        """Files in place of programs, of which none is started."""
        folder = self.folder / "programs"
        folder.mkdir()
        for name in ("extractor", "trainer", "evaluator"):
            (folder / name).touch()
        return folder

    def test_wrong_words_are_usage_and_missing_programs_are_told(self):
        for words in ([], ["keras"], ["onnx", "--photographs", "0"], ["onnx", "--image-size", "x"]):
            self.assertEqual(self.start(*words).returncode, 2, words)
        ended = self.start("onnx", "--programs", self.folder)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("expected a program, found none", ended.stderr)

    def test_a_folder_of_somebody_elses_is_no_environment(self):
        theirs = self.folder / "theirs"
        theirs.mkdir()
        (theirs / "file").touch()
        ended = self.start("all", "--programs", self.programs(), "--environment", theirs)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("expected an empty folder or one that this script made", ended.stderr)
        self.assertTrue((theirs / "file").exists())

    def test_what_cannot_be_installed_is_skipped_with_a_line_and_leaves_nothing(self):
        ended = self.start("all", "--programs", self.programs(), "--environment", self.folder / "environment",
                           PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.folder / "work"))
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended.stdout)
        self.assertIn("\nskipped: exported files were read by no other program: ", "\n" + ended.stdout)
        self.assertFalse((self.folder / "environment").exists())

    def test_every_pin_is_exact(self):
        text = (repository.SCRIPTS / "requirements-exports.txt").read_text(encoding="utf-8")
        pins = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.assertTrue(all(line.count("==") == 1 for line in pins))
        self.assertTrue({"onnx", "onnxruntime", "tensorboard"} <= {pin.split("==")[0] for pin in pins})

    def test_every_base_has_a_layer_to_train_on_from(self):
        from exports.heads import INNER

        self.assertEqual(set(INNER), set(architectures()))

    @unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; no weights and pictures were drawn")
    def test_drawn_weights_are_whole_and_the_same_each_time(self):
        from conversion import safetensors_file
        from exports import untrained

        base = architectures()["mobilenet"]
        paths = [self.folder / name for name in ("a.safetensors", "b.safetensors")]
        for path in paths:
            untrained.write(base, path)
        self.assertEqual(paths[0].read_bytes(), paths[1].read_bytes())
        self.assertEqual(safetensors_file.shapes(paths[0]), base.shapes())
        self.assertEqual(safetensors_file.metadata(paths[0])["preprocess"], "rescale")

    @unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; no weights and pictures were drawn")
    def test_pictures_have_the_size_and_are_dealt_out(self):
        import numpy
        from PIL import Image

        from exports import pictures

        for number in range(3):
            for name in ("a", "b"):
                (self.folder / name).mkdir(exist_ok=True)
                image = Image.fromarray(numpy.full((9, 7, 3), 40 * number, numpy.uint8))
                image.save(self.folder / name / f"{number}.png")
        listed = pictures.listing(self.folder, 5)
        self.assertEqual([str(path.relative_to(self.folder)) for path in listed],
                         ["a/0.png", "b/0.png", "a/1.png", "b/1.png", "a/2.png"])
        paths = pictures.write(listed, (5, 6), self.folder / "out", ("x", "y"))
        self.assertEqual([str(path.relative_to(self.folder / "out")) for path in paths],
                         ["x/000.png", "x/002.png", "x/004.png", "y/001.png", "y/003.png"])
        self.assertEqual(pictures.pixels(paths).shape, (5, 5, 6, 3))

    @unittest.skipIf(READERS or MISSING or not BUILT,
                     f"not there: {', '.join(READERS + MISSING) or 'the programs'}; "
                     "exported files were read by no other program")
    def test_onnx_runtime_and_tensorboard_read_what_is_exported(self):
        ended = self.start("all", "--python", sys.executable, "--bases", "mobilenet", "--image-size", "64",
                           "--photographs", "12", "--programs", PROGRAMS)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertIn("11 passed, 0 failed", ended.stdout)


if __name__ == "__main__":
    unittest.main()
