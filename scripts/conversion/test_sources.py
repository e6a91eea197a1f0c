"""Tests of what is accepted as which weights, what is written, and what is left alone."""

import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import zipfile
from pathlib import Path

import report
import repository
from conversion import safetensors_file, sources
from conversion.architecture import architectures
from report import Failure

PACKAGES = ("h5py", "numpy", "onnx", "safetensors")
MISSING = [name for name in PACKAGES if not importlib.util.find_spec(name)]
if not MISSING:
    import numpy

    from conversion import source_file, tensors, torch_names, written_files
    from conversion.written_files import MIXED, VGG


class Listed(unittest.TestCase):
    """What is committed about the bases; needs no package."""

    def test_every_base_has_its_file_at_keras_or_a_package_and_a_whole_list_of_tensors(self):
        self.assertEqual(list(architectures())[0], repository.BASE)
        for name, base in architectures().items():
            self.assertTrue(sources.archive(base) or name in sources.WHEELS, name)
            for layer, variables in base.layers.items():
                self.assertTrue(set(variables) <= {"kernel", "bias", "depthwise_kernel", "pointwise_kernel", "gamma",
                                                   "beta", "moving_mean", "moving_variance"}, layer)

    def test_parameters_are_those_that_keras_counts(self):
        counted = {name: sum(map(product, base.shapes().values())) for name, base in architectures().items()}
        self.assertEqual(counted, {
            "vgg16": 14_714_688, "vgg19": 20_024_384, "resnet50": 23_587_712, "inception_v3": 21_802_784,
            "xception": 20_861_480, "mobilenet": 3_228_864, "efficientnet_lite0": 3_413_024})

    def test_keras_files_have_a_published_md5_but_mobilenets(self):
        archives = repository.pinned()["archives"]
        entries = {name: entry for name, entry in archives.items() if name.startswith("keras-")}
        self.assertEqual([name for name, entry in entries.items() if not entry["md5"]], ["keras-mobilenet"])
        for entry in entries.values():
            self.assertTrue(entry["url"].endswith(entry["name"]) and entry["url"].startswith("https://"))

    def test_the_ground_truth_lists_the_same_tensors_in_the_same_order(self):
        path = repository.ROOT.parent / "shared/golden/backbones/index.json"
        if not path.is_file():
            self.skipTest("../shared is not there")
        for name, base in json.loads(path.read_text(encoding="utf-8"))["bases"].items():
            expected = [(tensor, tuple(shape)) for tensor, shape in base["tensors"]]
            self.assertEqual(list(architectures()[name].shapes().items()), expected, name)


def product(shape):
    total = 1
    for size in shape:
        total *= size
    return total


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; the sources of weights were not tested")
class Sources(unittest.TestCase):
    def setUp(self):
        report.stream = io.StringIO()
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.output = self.folder / "out.safetensors"
        self.arrays = written_files.drawn(VGG)

    def file(self, name, write, arrays=None):
        path = self.folder / name
        write(path, arrays or self.arrays)
        return path

    def pth(self):
        return self.file("a.pth", written_files.write_pth, written_files.state_dict(self.arrays))

    def test_what_is_written_has_keras_names_and_says_what_it_is(self):
        sources.convert(VGG, self.file("a.h5", written_files.write_keras), self.output, None)
        arrays, names = safetensors_file.read(self.output)
        self.assertEqual(set(names), set(VGG.shapes()))
        for name, array in self.arrays.items():
            numpy.testing.assert_array_equal(arrays[name], array)
        metadata = safetensors_file.metadata(self.output)
        self.assertEqual(list(metadata), ["architecture", "content", "digest", "preprocess", "source"])
        self.assertEqual((metadata["architecture"], metadata["preprocess"]), ("small_vgg", "caffe"))
        self.assertRegex(metadata["source"], r"^a\.h5 sha256:[0-9a-f]{64}$")
        self.assertIn(metadata["digest"], report.stream.getvalue())

    def test_the_digest_is_over_kernels_with_their_outputs_first(self):
        state = written_files.state_dict(self.arrays)
        state.pop("classifier.0.bias")
        import hashlib

        expected = hashlib.sha256(b"".join(array.tobytes() for array in state.values())).hexdigest()
        self.assertEqual(tensors.digest(self.arrays), f"sha256:{expected}")

    def test_preprocess_is_known_by_the_format_or_has_to_be_said(self):
        found = {}
        for path, asked in ((self.file("a.h5", written_files.write_keras), None), (self.pth(), None),
                            (self.pth(), "tf"), (self.file("a.onnx", written_files.write_onnx), "rescale")):
            sources.convert(VGG, path, self.output, asked)
            found[path.name, asked] = safetensors_file.metadata(self.output)["preprocess"]
        self.assertEqual(list(found.values()), ["caffe", "torch", "tf", "rescale"])
        # Our own file says it itself.
        sources.convert(VGG, self.output, self.folder / "copy.safetensors", None)
        self.assertEqual(safetensors_file.metadata(self.folder / "copy.safetensors")["preprocess"], "rescale")
        for path in (self.file("a.onnx", written_files.write_onnx),
                     self.file("b.safetensors", written_files.write_safetensors)):
            with self.assertRaises(Failure) as caught:
                sources.convert(VGG, path, self.output, None)
            self.assertIn("--preprocess", caught.exception.hint)

    def test_the_same_source_gives_the_same_bytes(self):
        path, written = self.pth(), []
        for name in ("one.safetensors", "two.safetensors"):
            sources.convert(VGG, path, self.folder / name, None)
            written.append((self.folder / name).read_bytes())
        self.assertEqual(*written)
        self.assertEqual(len(list(self.folder.iterdir())), 3, "no temporary file is left behind")

    def test_a_file_that_is_there_is_kept_unless_it_has_another_source(self):
        self.assertFalse(sources.already_there(VGG, self.output, None))
        path = self.pth()
        sources.convert(VGG, path, self.output, None)
        self.assertTrue(sources.already_there(VGG, self.output, None))
        self.assertTrue(sources.already_there(VGG, self.output, path))
        with self.assertRaises(Failure):
            sources.already_there(VGG, self.output, self.file("a.onnx", written_files.write_onnx))
        with self.assertRaises(Failure) as caught:
            sources.already_there(MIXED, self.output, None)
        self.assertIn("expected the weights of small_mixed, found those of small_vgg", str(caught.exception))
        for damage in (b"\x55", b""):
            content = self.output.read_bytes()
            self.output.write_bytes(content[:-1] + damage)
            with self.assertRaises(Failure) as caught:
                sources.already_there(VGG, self.output, None)
            self.assertIn("not whole", str(caught.exception))
            self.output.write_bytes(content)

    def test_a_file_of_an_older_version_with_torchvisions_names_is_kept(self):
        state = written_files.state_dict(self.arrays)
        state.pop("classifier.0.bias")
        written_files.write_safetensors(self.output, state)
        self.assertTrue(sources.already_there(VGG, self.output, None))

    def offline(self):
        def source(_):
            raise Failure("offline")

        return unittest.mock.patch.multiple(sources, official=source, packaged=source)

    def test_no_source_answers_and_the_error_says_how_to_bring_a_file(self):
        with self.offline(), self.assertRaises(Failure) as caught:
            sources.automatic(architectures()["efficientnet_lite0"], self.output)
        self.assertIn("scripts/weights efficientnet_lite0 --from FILE", caught.exception.hint)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_one_bases_missing_weights_keep_no_other_from_being_made(self):
        bases, made = list(architectures().values()), []

        def automatic(base, _):
            if base.name in ("vgg19", "mobilenet"):
                raise Failure("offline")
            made.append(base.name)

        with unittest.mock.patch.object(sources, "automatic", automatic), \
                unittest.mock.patch("sys.stderr", io.StringIO()) as said:
            self.assertEqual(sources.make(bases, force=True), ["vgg19", "mobilenet"])
        self.assertEqual(made, ["vgg16", "resnet50", "inception_v3", "xception", "efficientnet_lite0"])
        self.assertEqual(said.getvalue(), 2 * "weights: offline\n")

    def test_an_automatic_source_with_other_weights_is_refused_where_the_digest_is_known(self):
        arrays = {name: numpy.zeros(shape, dtype=numpy.float32)
                  for name, shape in architectures()["efficientnet_lite0"].shapes().items()}
        with unittest.mock.patch.object(sources, "packaged", lambda _: (arrays, "other", self.folder / "other")):
            with self.assertRaises(Failure):
                sources.automatic(architectures()["efficientnet_lite0"], self.output)
        self.assertIn("not the published weights of EfficientNet-Lite0: expected the digest sha256:52f3",
                      report.stream.getvalue())

    def test_a_state_dict_in_a_wheel_is_found_and_converted(self):
        base = architectures()["efficientnet_lite0"]
        arrays = written_files.drawn(base)
        state = {}
        for ours, theirs in torch_names.names(base).items():
            kernel = arrays[ours].ndim == 4
            order = (2, 3, 0, 1) if kernel and arrays[ours].shape[3] == 1 else (3, 2, 0, 1)
            state[theirs] = arrays[ours].transpose(order) if kernel else arrays[ours]
        self.assertEqual(state["_blocks.0._depthwise_conv.weight"].shape, (32, 1, 3, 3))
        self.assertEqual(state["_blocks.15._project_conv.weight"].shape, (320, 1152, 1, 1))
        written_files.write_legacy_pth(self.folder / "a.pth", state)
        with zipfile.ZipFile(self.folder / "package.whl", "w") as archive:
            archive.write(self.folder / "a.pth", "package/models/a.pth")
        with unittest.mock.patch.object(sources.wheel, "fetch", lambda _: self.folder / "package.whl"):
            found, description, leftover = sources.packaged(base)
        self.assertEqual((description[:13], leftover.name), ("a.pth sha256:", "package.whl"))
        for name, array in arrays.items():
            numpy.testing.assert_array_equal(found[name], array, name)

    def test_torchvision_counts_poolings_among_the_layers(self):
        names = torch_names.names(architectures()["vgg16"])
        self.assertEqual([int(name.split(".")[1]) for name in names.values()][::2],
                         [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28])
        self.assertEqual(list(torch_names.names(architectures()["vgg19"]).values())[-1], "features.34.bias")
        self.assertEqual(torch_names.names(architectures()["xception"]), {})

    def test_weights_that_are_there_have_the_digest_of_the_published_ones(self):
        base = architectures()["vgg16"]
        if not base.output().exists():
            self.skipTest("weights/vgg16.safetensors is not there")
        if safetensors_file.metadata(base.output()).get("preprocess") != "caffe":
            self.skipTest("weights/vgg16.safetensors holds other weights")
        arrays = source_file.read(base.output(), base)
        self.assertEqual(tensors.digest(arrays), base.digest)
        path = self.file("copy.onnx", written_files.write_onnx, arrays)
        sources.convert(base, path, self.output, None)
        self.assertEqual(safetensors_file.metadata(self.output)["preprocess"], "caffe")
        with self.assertRaises(Failure):
            sources.convert(base, path, self.output, "torch")


class CommandLine(unittest.TestCase):
    def start(self, *words):
        return subprocess.run([sys.executable, str(repository.SCRIPTS / "weights"), *words], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_wrong_words_are_usage(self):
        for words, said in ((["vgg11"], "expected one of vgg16, vgg19"), (["vgg16", "vgg19", "--from", "x"], "one NAME"),
                            (["--preprocess", "tf"], "is for --from"),
                            (["--from", "x", "--preprocess", "mean=1,2"], "mean=R,G,B")):
            result = self.start(*words)
            self.assertEqual(result.returncode, 2)
            self.assertIn(said, result.stderr)

    @unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}")
    def test_a_file_of_another_base_ends_in_one_line_and_a_hint(self):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "a.pth"
            arrays = {f"features.{number}.weight": numpy.zeros((1, 1, 3, 3), dtype=numpy.float32) for number in (0, 2)}
            written_files.write_pth(path, arrays)
            result = self.start("resnet50", "--from", str(path), "--out", f"{name}/out.safetensors")
        self.assertEqual(result.returncode, 1)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 2, result.stderr)
        self.assertTrue(lines[0].startswith("weights: ") and "expected the weights of ResNet50" in lines[0])
        self.assertTrue(lines[1].startswith("hint: "))
