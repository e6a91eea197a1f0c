"""Tests of scripts/export-onnx: the words it takes, and what it writes where PyTorch can be imported."""

import importlib.util
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import repository

MISSING = [name for name in ("onnx", "timm", "torch", "torchvision") if not importlib.util.find_spec(name)]


class Export(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.out = self.folder / "model.onnx"

    def start(self, *words, python=sys.executable):
        words = [str(word) for word in (repository.SCRIPTS / "export-onnx", *words, "--out", self.out)]
        return subprocess.run([sys.executable, *words, "--python", str(python)], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)

    def fails(self, *words, **options):
        result = self.start(*words, **options)
        self.assertEqual(result.returncode, 1, result.stderr)
        lines = result.stderr.splitlines()
        self.assertTrue(lines[0].startswith("export-onnx: ") and len(lines) <= 2, result.stderr)
        self.assertEqual(sorted(self.folder.glob("*")), [self.out] if self.out.exists() else [])
        return result.stderr

    def test_wrong_words_are_usage(self):
        for words in (["resnet18"], ["resnet18", "--from", "keras"],
                      ["resnet18", "--from", "timm", "--untrained", "--weights", "x"],
                      ["resnet18", "--from", "timm", "--size", "0"]):
            self.assertEqual(self.start(*words).returncode, 2, words)

    def test_what_is_missing_or_in_the_way_is_told_before_anything_is_installed(self):
        self.assertIn("found none", self.fails("resnet18", "--from", "timm", "--weights", self.folder / "absent"))
        self.assertIn("does not start", self.fails("resnet18", "--from", "timm", python=self.folder / "absent"))
        self.out.write_bytes(b"mine")
        self.assertIn("--force", self.fails("resnet18", "--from", "timm"))
        self.assertEqual(self.out.read_bytes(), b"mine")

    def test_every_pin_is_exact(self):
        text = (repository.SCRIPTS / "requirements-export.txt").read_text(encoding="utf-8")
        pins = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.assertTrue(all(line.count("==") == 1 for line in pins))
        self.assertTrue({"timm", "torch", "torchvision", "onnx"} <= {pin.split("==")[0] for pin in pins})

    @unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; no model was exported")
    def test_the_features_are_the_models_own_and_the_file_says_how_to_prepare_photographs(self):
        import onnx
        import torch
        from onnx.reference import ReferenceEvaluator
        from torchvision import models

        self.assertEqual(self.start("resnet18", "--from", "torchvision", "--untrained").returncode, 0)
        file = onnx.load(self.out)
        said = {entry.key: entry.value for entry in file.metadata_props}
        self.assertEqual(json.loads(said["convbase"]),
                         {"preprocess": "torch", "size": [224, 224], "interpolation": "bilinear"})
        for node in file.graph.node:
            self.assertEqual(node.doc_string, "")
        torch.manual_seed(0)
        model = models.resnet18(weights=None)
        model.fc = torch.nn.Identity()
        pixels = torch.rand(2, 3, 224, 224)
        with torch.no_grad():
            expected = model.eval()(pixels).numpy()
        found = ReferenceEvaluator(file).run(None, {"image": pixels.numpy()})[0]
        self.assertEqual(found.shape, (2, 512))
        self.assertLess(abs(found - expected).max() / abs(expected).max(), 1e-5)

    @unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; no model was exported")
    def test_a_state_dict_of_ones_own_is_taken_and_another_models_is_refused(self):
        import timm
        import torch

        path = self.folder / "weights.pth"
        torch.save(timm.create_model("test_vit").state_dict(), path)
        words = ("--from", "timm", "--weights", path)
        first = self.start("test_vit", *words)
        self.assertEqual(first.returncode, 0, first.stderr)
        written = self.out.read_bytes()
        self.assertEqual(self.start("test_vit", *words, "--force", "--seed", "9").returncode, 0)
        self.assertEqual(self.out.read_bytes(), written)
        self.out.unlink()
        result = self.start("test_convnext", *words)
        self.assertEqual(result.returncode, 1)
        self.assertIn("not the weights of test_convnext", result.stderr)

    @unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; no model was exported")
    def test_any_module_of_the_model_can_be_the_last(self):
        result = self.start("test_convnext", "--from", "timm", "--untrained", "--layer", "stages.1", "--size", "96")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"features \[\d+, \d+, \d+\]")
        self.out.unlink()
        self.assertIn("near it are stages.", self.fails("test_convnext", "--from", "timm", "--untrained", "--layer",
                                                        "stages.9"))

    @unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; no model was exported")
    def test_an_unknown_model_is_answered_with_names_near_it(self):
        self.assertIn("resnet18", self.fails("resnt18", "--from", "torchvision", "--untrained"))
