"""Tests of the readers of weights: what every format gives, and what is refused."""

import importlib.util
import io
import os
import pickle
import random
import tempfile
import unittest
import unittest.mock
import zipfile
from pathlib import Path

import report
from report import Failure

PACKAGES = ("h5py", "numpy", "onnx", "safetensors")
MISSING = [name for name in PACKAGES if not importlib.util.find_spec(name)]
if not MISSING:
    import numpy

    from conversion import architecture, source_file, torch_file, written_files
    from conversion.written_files import MIXED, VGG


class Bomb:
    """Would write a file if a reader ran it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; the readers of weights were not tested")
class Readers(unittest.TestCase):
    def setUp(self):
        report.stream = io.StringIO()
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.vgg, self.mixed = written_files.drawn(VGG), written_files.drawn(MIXED)

    def write(self, name):
        """One of the files in every format that the small VGG can have."""
        state = written_files.state_dict(self.vgg)
        path = self.folder / name
        {"ours.safetensors": lambda: written_files.write_safetensors(path, self.vgg),
         "theirs.safetensors": lambda: written_files.write_safetensors(path, state),
         "new.pth": lambda: written_files.write_pth(path, state),
         "legacy.pt": lambda: written_files.write_legacy_pth(path, state),
         "a.onnx": lambda: written_files.write_onnx(path, self.vgg),
         "a.h5": lambda: written_files.write_keras(path, self.vgg),
         "a.weights.h5": lambda: written_files.write_keras3(path, self.vgg, {})}[name]()
        return path

    NAMES = ("ours.safetensors", "theirs.safetensors", "new.pth", "legacy.pt", "a.onnx", "a.h5", "a.weights.h5")

    def same(self, path, expected, base):
        found = source_file.read(path, base)
        self.assertEqual(list(found), list(base.shapes()))
        for name, array in expected.items():
            numpy.testing.assert_array_equal(found[name], array, name)

    def refusal(self, path, base):
        with self.assertRaises(Failure) as caught:
            source_file.read(path, base)
        self.assertIn(path.name, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception)

    def test_every_format_gives_the_same_tensors_in_order(self):
        for name in self.NAMES:
            with self.subTest(name):
                self.same(self.write(name), self.vgg, VGG)

    def test_a_file_that_is_cut_short_is_refused_in_one_line(self):
        for name in self.NAMES:
            path = self.write(name)
            content = path.read_bytes()
            for length in (0, 5, 100, len(content) // 2):
                with self.subTest(name, length=length):
                    path.write_bytes(content[:length])
                    self.refusal(path, VGG)

    def test_a_file_with_other_bytes_is_read_or_refused_and_ends_in_nothing_else(self):
        chance = random.Random(3)
        for name in self.NAMES:
            path = self.write(name)
            content = path.read_bytes()
            for _ in range(60):
                damaged = bytearray(content)
                for _ in range(chance.randint(1, 4)):
                    damaged[chance.randrange(len(damaged))] = chance.randrange(256)
                path.write_bytes(damaged)
                try:
                    source_file.read(path, VGG)
                except Failure:
                    pass

    def test_keras_layers_are_known_by_name_or_else_by_their_order(self):
        path = self.folder / "a.h5"
        written_files.write_keras(path, self.mixed)
        self.same(path, self.mixed, MIXED)
        # As the published files number them: every name but one is known, and means the layer before.
        names = {"conv2d": "conv2d_1", "conv2d_1": "conv2d_2", "batch_normalization": "batch_normalization_1",
                 "batch_normalization_1": "batch_normalization_2", "sepconv": "separableconvolution2d_1"}
        written_files.write_keras(path, self.mixed, names)
        self.same(path, self.mixed, MIXED)

    def test_a_whole_model_and_a_list_of_names_in_pieces_are_read(self):
        path = self.folder / "a.h5"
        written_files.write_keras(path, self.mixed, whole=True)
        self.same(path, self.mixed, MIXED)
        written_files.write_keras(path, self.mixed, pieces=3)
        self.same(path, self.mixed, MIXED)

    def test_keras_3_counts_its_layers_by_class_with_or_without_their_names(self):
        path = self.folder / "a.weights.h5"
        for named in (True, False):
            for container in ("layers", "_layer_checkpoint_dependencies"):
                written_files.write_keras3(path, self.mixed, written_files.KERAS_CLASSES, named, container)
                self.same(path, self.mixed, MIXED)

    def test_numbers_above_nine_stand_in_their_order(self):
        layers = {f"block1_conv{number}": {"kernel": [1, 1, 3, 3], "bias": [3]} for number in range(1, 13)}
        base = architecture.Architecture("long", "Long", "caffe", None, layers)
        arrays = written_files.drawn(base)
        written_files.write_keras3(self.folder / "a.weights.h5", arrays, {}, named=False)
        self.same(self.folder / "a.weights.h5", arrays, base)

    def test_a_classifier_behind_the_base_is_ignored(self):
        dense = {"fc1": {"kernel": numpy.zeros((6, 2)), "bias": numpy.zeros(2)}}
        written_files.write_keras(self.folder / "a.h5", self.vgg, classifier=dense)
        self.same(self.folder / "a.h5", self.vgg, VGG)

    def test_a_layer_too_many_is_another_base(self):
        shorter = architecture.Architecture("shorter", "Shorter", "caffe", None,
                                            {name: VGG.layers[name] for name in ("block1_conv1", "block2_conv1")})
        for name in ("a.h5", "a.weights.h5"):
            self.assertIn("expected the weights of Shorter", self.refusal(self.write(name), shorter))
        first = architecture.Architecture("first", "First", "caffe", None,
                                          {"block1_conv1": VGG.layers["block1_conv1"]})
        self.assertIn("block1_conv2 is a layer too many", self.refusal(self.write("a.h5"), first))

    def test_the_weights_of_another_base_are_refused_with_both_names(self):
        known = {base.name: base for base in (VGG, MIXED)}
        with unittest.mock.patch("conversion.keras_file.architectures", lambda: known), \
                unittest.mock.patch("conversion.source_file.architectures", lambda: known):
            for name in self.NAMES:
                if name.endswith(".onnx"):
                    continue
                self.assertIn("expected the weights of Small Mixed, found those of Small VGG",
                              self.refusal(self.write(name), MIXED), name)
            written_files.write_keras(self.folder / "b.h5", self.mixed)
            self.assertIn("expected the weights of Small VGG, found those of Small Mixed",
                          self.refusal(self.folder / "b.h5", VGG))

    def test_an_onnx_model_is_no_source_of_a_base_with_normalisation(self):
        self.assertIn("expected the weights of Small Mixed", self.refusal(self.write("a.onnx"), MIXED))

    def test_an_onnx_model_with_its_weights_in_a_second_file_is_refused(self):
        written_files.write_onnx(self.folder / "a.onnx", self.vgg, external=True)
        self.assertIn("second file", self.refusal(self.folder / "a.onnx", VGG))

    def test_a_resnet_of_pytorch_is_refused_with_the_reason(self):
        numbers = numpy.zeros((2, 2, 1, 1), dtype=numpy.float32)
        resnet = architecture.architectures()["resnet50"]
        for name, write in (("a.pth", written_files.write_pth), ("a.safetensors", written_files.write_safetensors)):
            write(self.folder / name, {"layer1.0.conv1.weight": numbers, "layer1.0.bn1.weight": numbers})
            said = self.refusal(self.folder / name, resnet)
            self.assertIn("expected the weights of ResNet50, found those of PyTorch's ResNet", said)
            self.assertIn("its stride is in the 3 × 3 convolution", said)

    def test_all_missing_and_misshapen_tensors_are_counted_in_one_error(self):
        del self.vgg["block1_conv1/bias"]
        self.vgg["block2_conv1/bias"] = self.vgg["block1_conv2/bias"]
        said = self.refusal(self.write("ours.safetensors"), VGG)
        self.assertIn("2 of 6 tensors differ", said)
        self.assertIn("block1_conv1/bias: missing", said)
        self.assertIn("block2_conv1/bias: expected [6], found [5]", said)

    def test_what_is_no_number_is_refused(self):
        self.vgg["block1_conv1/bias"][1] = numpy.nan
        self.assertIn("found an infinity or NaN", self.refusal(self.write("a.h5"), VGG))

    def test_numbers_of_another_type_are_refused_by_name(self):
        self.vgg["block1_conv1/bias"] = self.vgg["block1_conv1/bias"].astype(numpy.float64)
        self.assertIn("block1_conv1/bias: expected float32 (F32), found float64",
                      self.refusal(self.write("a.h5"), VGG))

    def test_tensors_that_do_not_lie_in_order_are_gathered_by_their_strides(self):
        state = written_files.state_dict(self.vgg)
        # In memory as [height, width, out, in] and [out, height, width, in]: the published file has such kernels.
        for name, order in (("features.0.weight", (2, 3, 0, 1)), ("features.2.weight", (0, 2, 3, 1))):
            back = numpy.argsort(order)
            state[name] = numpy.ascontiguousarray(state[name].transpose(order)).transpose(back)
        for name, write in (("a.pth", written_files.write_pth), ("b.pth", written_files.write_legacy_pth)):
            write(self.folder / name, state)
            self.same(self.folder / name, self.vgg, VGG)

    def test_strides_that_leave_their_storage_are_refused(self):
        state = written_files.state_dict(self.vgg)
        for strides in ((27, 9, 3, 2), (10_000, 9, 3, 1), (2**62, 9, 3, 1)):
            written_files.write_legacy_pth(self.folder / "a.pth", state, strides={"features.0.weight": strides})
            self.assertIn("cut short", self.refusal(self.folder / "a.pth", VGG))

    def test_a_pickle_that_runs_a_command_is_refused_and_runs_nothing(self):
        trap = self.folder / "ran"
        state = written_files.state_dict(self.vgg)
        for write in (written_files.write_pth, written_files.write_legacy_pth):
            write(self.folder / "a.pth", state, extra={"features.7.bias": Bomb(trap)})
            said = self.refusal(self.folder / "a.pth", VGG)
            self.assertIn("refused", said)
            self.assertIn("system", said)
            self.assertFalse(trap.exists())
        # The trap itself works, or the test would prove nothing.
        pickle.loads(pickle.dumps(Bomb(trap)))
        self.assertTrue(trap.exists())

    def test_a_damaged_pickle_ends_in_a_plain_error_whatever_the_damage(self):
        state = written_files.state_dict(self.vgg)
        program = written_files.pickled(state, legacy=False)
        chance = random.Random(1)
        for _ in range(400):
            damaged = bytearray(program)
            for _ in range(chance.randint(1, 3)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            written_files.write_pth(self.folder / "a.pth", state, program=bytes(damaged))
            try:
                torch_file.read(self.folder / "a.pth", set(state))
            except Failure:
                pass

    def test_a_foreign_zip_is_no_state_dict(self):
        path = self.folder / "a.pth"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "hello")
        self.assertIn("expected one data.pkl in it, found 0", self.refusal(path, VGG))

    def test_a_file_of_no_known_format_is_refused(self):
        (self.folder / "a.bin").write_bytes(b"")
        self.assertIn("expected one of .h5", self.refusal(self.folder / "a.bin", VGG))
