"""Tests of the weight readers and of what is accepted as which weights."""

import importlib.util
import io
import os
import pickle
import random
import tempfile
import unittest
import zipfile
from pathlib import Path

import report
import repository
from conversion import safetensors_file, sources, test_files, torch_file, vgg16
from report import Failure

WANTED = list(vgg16.expected_shapes())
HAS_KERAS_READER = all(importlib.util.find_spec(name) for name in ("h5py", "numpy"))
WRITERS = {"a.safetensors": test_files.write_safetensors, "a.pth": test_files.write_pth,
           "legacy.pth": test_files.write_legacy_pth, "a.onnx": test_files.write_onnx}
if HAS_KERAS_READER:
    WRITERS["a.h5"] = test_files.write_keras


class Bomb:
    """Would write a file if a reader ran it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


class WeightReaders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        cls.base = test_files.random_base()
        cls.digests = vgg16.digests(cls.base)
        for name, write in WRITERS.items():
            write(cls.folder / name, cls.base)

    def setUp(self):
        report.stream = io.StringIO()
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.scratch = Path(holder.name)

    def read(self, path):
        return vgg16.checked(sources.read(path), path)

    def test_every_format_gives_the_same_tensors(self):
        for name in WRITERS:
            with self.subTest(name):
                self.assertEqual(vgg16.digests(self.read(self.folder / name)), self.digests)
        if not HAS_KERAS_READER:
            self.skipTest("h5py is not installed: the .h5 reader was not tested")

    def test_a_file_that_is_cut_short_is_refused_in_one_line(self):
        for name in WRITERS:
            content = (self.folder / name).read_bytes()
            for length in (0, 5, 100, len(content) // 2, len(content) - 1):
                with self.subTest(name, length=length):
                    path = self.scratch / name
                    path.write_bytes(content[:length])
                    with self.assertRaises(Failure) as caught:
                        self.read(path)
                    self.assertIn(name, str(caught.exception))
                    self.assertNotIn("\n", str(caught.exception))

    def test_all_missing_and_misshapen_tensors_are_in_one_error(self):
        tensors = dict(self.base)
        del tensors["features.0.bias"]
        tensors["features.28.bias"] = tensors["features.2.bias"]
        test_files.write_safetensors(self.scratch / "a.safetensors", tensors)
        with self.assertRaises(Failure) as caught:
            self.read(self.scratch / "a.safetensors")
        self.assertIn("features.0.bias: missing", str(caught.exception))
        self.assertIn("features.28.bias: expected [512], found [64]", str(caught.exception))

    def test_a_pickle_that_runs_a_command_is_refused_and_runs_nothing(self):
        trap = self.scratch / "ran"
        small = {"features.0.bias": self.base["features.0.bias"]}
        for write in (test_files.write_pth, test_files.write_legacy_pth):
            path = self.scratch / "a.pth"
            write(path, small, extra={"features.2.bias": Bomb(trap)})
            with self.assertRaises(Failure) as caught:
                torch_file.read(path, WANTED)
            self.assertIn("refused", str(caught.exception))
            self.assertIn("system", str(caught.exception))
            self.assertFalse(trap.exists())
        # The trap itself works, or the test would prove nothing.
        pickle.loads(pickle.dumps(Bomb(trap)))
        self.assertTrue(trap.exists())

    def test_a_damaged_pickle_ends_in_a_plain_error_whatever_the_damage(self):
        small = {"features.0.bias": self.base["features.0.bias"]}
        program = test_files.pickled(small, legacy=False)
        source = random.Random(1)
        for _ in range(400):
            damaged = bytearray(program)
            for _ in range(source.randint(1, 3)):
                damaged[source.randrange(len(damaged))] = source.randrange(256)
            path = self.scratch / "a.pth"
            test_files.write_pth(path, small, program=bytes(damaged))
            try:
                torch_file.read(path, WANTED)
            except Failure:
                pass

    def test_weights_of_another_training_need_to_say_how_they_were_trained(self):
        output = self.scratch / "out.safetensors"
        for name in ("a.safetensors", "a.onnx"):
            with self.assertRaises(Failure) as caught:
                sources.convert(self.folder / name, output, None)
            self.assertIn("--preprocess", caught.exception.hint)
            sources.convert(self.folder / name, output, "tf")
            self.assertEqual(safetensors_file.metadata(output)["preprocess"], "tf")
        sources.convert(self.folder / "a.pth", output, None)
        self.assertEqual(safetensors_file.metadata(output)["preprocess"], "torch")

    @unittest.skipUnless(HAS_KERAS_READER, "h5py is not installed")
    def test_a_keras_file_with_other_digests_is_refused_with_the_tensors_that_differ(self):
        with self.assertRaises(Failure) as caught:
            sources.convert(self.folder / "a.h5", self.scratch / "out.safetensors", "caffe")
        self.assertIn("26 of 26 tensors differ", str(caught.exception))
        self.assertIn("features.28.bias", str(caught.exception))

    def test_the_same_source_gives_the_same_bytes(self):
        written = []
        for name in ("one.safetensors", "two.safetensors"):
            sources.convert(self.folder / "a.pth", self.scratch / name, None)
            written.append((self.scratch / name).read_bytes())
        self.assertEqual(*written)
        self.assertEqual(len(list(self.scratch.iterdir())), 2, "no temporary file is left behind")

    def test_a_file_that_is_there_is_kept_unless_it_has_another_source(self):
        output = self.scratch / "out.safetensors"
        self.assertFalse(sources.already_there(output, None))
        sources.convert(self.folder / "a.pth", output, None)
        self.assertTrue(sources.already_there(output, None))
        self.assertTrue(sources.already_there(output, self.folder / "a.pth"))
        with self.assertRaises(Failure):
            sources.already_there(output, self.folder / "a.onnx")
        with output.open("rb+") as file:
            file.seek(-1, io.SEEK_END)
            file.write(b"\x55")
        with self.assertRaises(Failure) as caught:
            sources.already_there(output, None)
        self.assertIn("not whole", str(caught.exception))

    def test_no_source_answers_and_the_error_says_how_to_bring_a_file(self):
        def offline():
            raise Failure("offline")

        found, sources.official, sources.packaged = (sources.official, sources.packaged), offline, offline
        try:
            with self.assertRaises(Failure) as caught:
                sources.automatic(self.scratch / "out.safetensors")
        finally:
            sources.official, sources.packaged = found
        self.assertIn("--from", caught.exception.hint)
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_an_automatic_source_with_other_weights_is_refused(self):
        found = sources.official, sources.packaged
        sources.official = sources.packaged = lambda: (self.base, "other", self.scratch / "other")
        try:
            with self.assertRaises(Failure):
                sources.automatic(self.scratch / "out.safetensors")
        finally:
            sources.official, sources.packaged = found
        self.assertIn("26 of 26 tensors differ", report.stream.getvalue())

    @unittest.skipUnless(repository.WEIGHTS.exists(), "weights/vgg16.safetensors is not there")
    def test_the_original_weights_are_known_by_their_digests(self):
        original = vgg16.checked(safetensors_file.read(repository.WEIGHTS), repository.WEIGHTS)
        if safetensors_file.metadata(repository.WEIGHTS).get("preprocess") != "caffe":
            self.skipTest("weights/vgg16.safetensors holds other weights")
        path = self.scratch / "copy.onnx"
        test_files.write_onnx(path, original)
        sources.convert(path, self.scratch / "out.safetensors", None)
        self.assertEqual(safetensors_file.metadata(self.scratch / "out.safetensors")["preprocess"], "caffe")
        with self.assertRaises(Failure):
            sources.convert(path, self.scratch / "out.safetensors", "torch")

    def test_a_compressed_or_foreign_zip_is_no_state_dict(self):
        path = self.scratch / "a.pth"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "hello")
        with self.assertRaises(Failure) as caught:
            self.read(path)
        self.assertIn("expected one data.pkl in it, found 0", str(caught.exception))
