"""Tests of scripts/bench gpu, on machines without one: the refusal, and made-up figures."""

import math
import unittest
from types import SimpleNamespace

from conversion.architecture import architectures
from measurement import gpu, machine
from measurement.ground import Ground
from measurement.quiet import Quiet
from measurement.rounds import OPTIONS
from report import Failure


class Gpu(Quiet):
    def ground(self, **options):
        told = {**{name: None for name in OPTIONS}, "out": self.folder / "out", "runs": 2, "weights": None,
                "programs": self.folder, "images": self.folder, "device": "cuda", **options}
        return SimpleNamespace(name="gpu", machine=machine.machine(), options=SimpleNamespace(**told))

    def evaluator(self, said):
        program = self.folder / "evaluator"
        program.write_text(f"#!/bin/sh\necho 'evaluator: {said}' >&2\nexit 1\n")
        program.chmod(0o755)
        return Ground("gpu", self.ground().options)

    def test_without_a_gpu_it_ends_before_any_work(self):
        with self.assertRaisesRegex(Failure, "^gpu: --device cuda: expected a CUDA device, found none$") as raised:
            gpu.expect_device(self.evaluator("device: expected a CUDA device, found none"))
        self.assertIn("scripts/bootstrap --cuda", raised.exception.hint)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["evaluator"])
        # A GPU that is there lets the program come to its checkpoint.
        gpu.expect_device(self.evaluator("checkpoint `no-checkpoint`: No such file or directory"))

    def test_all_bases_are_taken_unless_one_is_named(self):
        self.assertEqual(gpu.bases(self.ground().options), list(architectures()))
        self.assertEqual(gpu.bases(self.ground(base="mobilenet").options), ["mobilenet"])
        with self.assertRaisesRegex(Failure, "--base: expected one of vgg16, .* found `some.onnx`"):
            gpu.bases(self.ground(base="some.onnx").options)
        with self.assertRaisesRegex(Failure, "expected --base beside --weights"):
            gpu.bases(self.ground(weights="mine.safetensors").options)

    def devices(self):
        """Two rounds of two bases, whose rates differ by device and precision."""
        devices = gpu.Devices(self.ground(), gpu="a card", photographs=9)
        for base, scale in (("vgg16", 1), ("mobilenet", 10)):
            candidates = {}
            for candidate, rate in zip(gpu.CANDIDATES, (1.0, 8.0, 1.0, 16.0)):
                candidates[gpu.title(base, candidate)] = lambda rate=rate * scale: {
                    "seconds": 9 / rate, "cpu_seconds": 1.0, "peak_bytes": 10_000_000, "cpu_share": 0.5,
                    "images_per_second": rate / 2, "total_rate": rate, "forward_rate": None}
            devices.take(candidates)
        return devices

    def test_the_table_divides_each_base_by_its_own_reference(self):
        devices = self.devices()
        header, rows = devices.by_base()
        self.assertEqual({len(row) for row in rows}, {len(header)})
        self.assertEqual(header[0], "a card")
        self.assertEqual([row[0] for row in rows[4:]], ["mobilenet, processor, fp32", "mobilenet, GPU, fp32",
                                                        "mobilenet, processor, bf16", "mobilenet, GPU, bf16"])
        self.assertEqual(rows[0][1:], ["0.5", "1.0", "10", "–", "–", "–"])
        self.assertEqual(rows[7][1:], ["80.0", "160.0", "10", "16.00 ×", "16.00 ×", "–"])

    def agreement(self, *errors):
        found = [{"relative": error, "cosine": 1.0} for error in errors]
        return dict(zip(gpu.CANDIDATES[1:], found))

    def test_features_that_are_too_far_off_are_failed_checks(self):
        for errors, count in (((1e-5, 1e-2, 1.9e-2), 0), ((1e-3, 1e-2, 3e-2), 2), ((math.nan, 1e-2, 0.0), 1),
                              # The processor's own bf16 is as far off; the processor itself is no failure.
                              ((1e-5, 8e-2, 9e-2), 0), ((1e-5, 8e-2, 0.2), 1)):
            devices = self.devices()
            devices.judge("vgg16", self.agreement(*errors))
            self.assertEqual(len(devices.document["failed_checks"]), count, errors)
        self.assertEqual(devices.by_base()[1][3][-1], "2.0e-01")
        self.assertIn("vgg16, GPU, bf16: relative error 2.0e-01", devices.document["failed_checks"][0])

    def test_features_of_another_shape_are_a_failed_check(self):
        devices = self.devices()
        found = self.agreement(1e-5, 1e-2, 1e-2)
        found["GPU", "fp32"] = {"error": "expected features [2], found [3]"}
        devices.judge("vgg16", found)
        self.assertEqual(devices.document["failed_checks"], ["vgg16, GPU, fp32: expected features [2], found [3]"])


if __name__ == "__main__":
    unittest.main()
