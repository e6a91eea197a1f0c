"""Files that Keras itself wrote, of each of its bases with random weights, through scripts/weights: the same tensors.

Runs where Keras and TensorFlow can be imported.
"""

import gc
import importlib.util
import io
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import report
import repository
from report import Failure

EXTRACTOR = repository.ROOT / "target/release/extractor"
# Of the features, relative to Keras'.
TOLERANCE = 1e-5
PACKAGES = ("h5py", "keras", "numpy", "safetensors", "tensorflow")
MISSING = [name for name in PACKAGES if not importlib.util.find_spec(name)]
if not MISSING:
    import numpy

    from conversion import safetensors_file, sources
    from conversion.architecture import architectures

CLASSES = {"vgg16": "VGG16", "vgg19": "VGG19", "resnet50": "ResNet50", "inception_v3": "InceptionV3",
           "xception": "Xception", "mobilenet": "MobileNet"}


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; weights that Keras wrote were not converted")
class RoundTrip(unittest.TestCase):
    def setUp(self):
        report.stream = io.StringIO()
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    def untouched(self, name, **options):
        """With Keras' random start."""
        import keras

        gc.collect()
        keras.utils.set_random_seed(5)
        return getattr(keras.applications, CLASSES[name])(weights=None, **options)

    def model(self, name, **options):
        """With no tensor left at its usual start, of which zeros and ones would hide an exchange."""
        model = self.untouched(name, **options)
        chance = numpy.random.default_rng(7)
        for variable in model.weights:
            variable.assign(chance.random(variable.shape, dtype=numpy.float32))
        return model

    def legacy(self, model, path):
        import h5py
        from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

        with h5py.File(path, "w") as file:
            save_weights_to_hdf5_group(file, model)

    def converted(self, name, path):
        output = self.folder / "out.safetensors"
        sources.convert(architectures()[name], path, output, None)
        return safetensors_file.read(output)[0]

    def same(self, name, model, path):
        """Compared by position: Keras counts its automatic names on from model to model."""
        base = architectures()[name]
        expected = [variable.numpy() for layer in model.layers for variable in layer.weights]
        expected = expected[:len(base.shapes())]
        found = self.converted(name, path)
        self.assertEqual(len(found), len(expected))
        for (tensor, shape), array in zip(base.shapes().items(), expected):
            self.assertEqual(array.shape, shape, tensor)
            numpy.testing.assert_array_equal(found[tensor], array, tensor)

    def test_every_base_in_every_layout_of_keras_gives_its_own_tensors(self):
        for name in CLASSES:
            model = self.model(name, include_top=False, input_shape=(None, None, 3))
            for path, write in ((self.folder / "a.weights.h5", model.save_weights),
                                (self.folder / "legacy.h5", lambda path: self.legacy(model, path)),
                                (self.folder / "whole.h5", model.save)):
                with self.subTest(name, layout=path.name):
                    write(path)
                    self.same(name, model, path)
                    path.unlink()

    def test_a_model_with_its_classifier_gives_the_base(self):
        # A small one, and the one whose classifier is a convolution.
        for name in ("mobilenet", "xception"):
            model = self.model(name, include_top=True)
            path = self.folder / "a.weights.h5"
            model.save_weights(path)
            self.same(name, model, path)
            self.legacy(model, self.folder / "legacy.h5")
            self.same(name, model, self.folder / "legacy.h5")

    def test_every_base_refuses_the_file_of_every_other_with_both_names(self):
        bases = architectures()
        for name in CLASSES:
            path = self.folder / "a.weights.h5"
            self.model(name, include_top=False, input_shape=(None, None, 3)).save_weights(path)
            for other in bases:
                if other == name:
                    continue
                with self.subTest(name, taken_for=other):
                    with self.assertRaises(Failure) as caught:
                        self.converted(other, path)
                    self.assertIn(f"expected the weights of {bases[other].title}, found those of {bases[name].title}",
                                  str(caught.exception))

    @unittest.skipUnless(EXTRACTOR.is_file(), "target/release/extractor is not there; its features were not compared")
    def test_the_extractors_features_are_keras_own(self):
        import keras
        from PIL import Image

        pixels = numpy.random.default_rng(3).integers(0, 256, (2, 180, 180, 3), dtype=numpy.uint8)
        (self.folder / "images/one").mkdir(parents=True)
        for position, photograph in enumerate(pixels):
            Image.fromarray(photograph).save(self.folder / f"images/one/{position}.png")
        for name in CLASSES:
            with self.subTest(name):
                model = self.untouched(name, include_top=False, input_shape=(None, None, 3))
                model.save_weights(self.folder / "a.weights.h5")
                self.converted(name, self.folder / "a.weights.h5")
                module = getattr(keras.applications, "resnet" if name == "resnet50" else name)
                expected = model.predict(module.preprocess_input(pixels.astype(numpy.float32)), verbose=0)
                store = self.folder / f"store-{name}"
                ended = subprocess.run(
                    [EXTRACTOR, "extract", "--base", name, "--weights", self.folder / "out.safetensors", "--images",
                     self.folder / "images", "--out", store, "--image-size", "180", "--interpolation", "nearest",
                     "--precision", "fp32", "--device", "cpu"],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                found = numpy.load(store / "features-00000-of-00001.npy")
                self.assertEqual(found.shape, expected.shape)
                relative = numpy.linalg.norm(found - expected) / numpy.linalg.norm(expected)
                print(f"{name}: features of {found.shape[1:]}, relative error {relative:.1e}")
                self.assertLess(relative, TOLERANCE)
