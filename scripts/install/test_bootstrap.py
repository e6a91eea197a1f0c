"""Tests of the layout of libtorch and of the programs as a person starts them."""

import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import zipfile
from pathlib import Path

import report
import repository
from install import environment, libtorch, program, wheel
from report import Failure

WHEEL_ENTRIES = (
    "torch/include/torch/csrc/api/include/torch/all.h", "torch/lib/libtorch_cpu.so", "torch/lib/libtorch.so",
    "torch/lib/libtorch_cuda.so", "torch/lib/libc10.so", "torch/lib/libc10_cuda.so", "torch/lib/libgomp.so.1",
    "torch/lib/libarm_compute.so", "torch/lib/libtorch_python.so", "torch/_C.cpython-311-x86_64-linux-gnu.so",
    "torch/__init__.py", "nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/lib/libcupti.so.13",
    "nvidia/cu13/lib/libnvperf_host.so", "nvidia/cudnn/lib/libcudnn.so.9", "../lib/evil.so", "torch/include/../../x.h")


class Libtorch(unittest.TestCase):
    def placed(self, kind):
        return {libtorch.target_of(entry, kind) for entry in WHEEL_ENTRIES} - {None}

    def test_the_processor_kind_has_no_cuda_that_torch_sys_would_link(self):
        self.assertEqual(self.placed("cpu"), {
            "include/torch/csrc/api/include/torch/all.h", "lib/libtorch_cpu.so", "lib/libc10.so", "lib/libgomp.so.1",
            "lib/libarm_compute.so", "lib/libcudart.so.13", "lib/libcupti.so.13"})

    def test_the_cuda_kind_has_all_libraries_in_one_folder(self):
        self.assertEqual(self.placed("cuda") - self.placed("cpu"), {
            "lib/libtorch.so", "lib/libtorch_cuda.so", "lib/libc10_cuda.so", "lib/libnvperf_host.so",
            "lib/libcudnn.so.9"})

    def test_a_layout_counts_only_while_all_its_libraries_are_whole(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "lib").mkdir()
            (folder / "lib" / "libc10.so").write_bytes(b"12345")
            stamp = folder / "layout.json"
            with unittest.mock.patch.object(repository, "LIBTORCH", folder), \
                    unittest.mock.patch.object(libtorch, "STAMP", stamp):
                self.assertIsNone(libtorch.installed_layout())
                stamp.write_text(json.dumps({"kind": "cpu", "libraries": {"libc10.so": 5}}))
                self.assertEqual(libtorch.installed_layout()["kind"], "cpu")
                (folder / "lib" / "libc10.so").write_bytes(b"123")
                self.assertIsNone(libtorch.installed_layout())

    def test_libraries_that_do_not_load_never_become_the_installed_ones(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            staging = folder / "staging"
            with zipfile.ZipFile(folder / "torch.whl", "w") as archive:
                for entry in WHEEL_ENTRIES:
                    archive.writestr(entry, "no library")
            libtorch.unpack(folder / "torch.whl", staging, "cpu")
            with unittest.mock.patch.object(repository, "LIBTORCH", folder / "libtorch"):
                with self.assertRaises(Failure) as caught:
                    libtorch.finish(staging, {"version": "2.11.0", "kind": "cpu"})
            self.assertIn("does not load", str(caught.exception))
            self.assertFalse((folder / "libtorch").exists())
            self.assertEqual(sorted(path.name for path in folder.iterdir()), ["staging", "torch.whl"])


class Program(unittest.TestCase):
    def test_a_program_comes_from_its_wheel_once_and_another_version_replaces_it(self):
        with tempfile.TemporaryDirectory() as name:
            folder, source = Path(name, "bin"), Path(name, "program.whl")
            said = lambda version: f"#!/bin/sh\necho just {version}\n"
            version = wheel.pinned_file("rust-just")[0].partition("==")[2]
            fetches = []

            def fetch(wanted):
                fetches.append(wanted)
                with zipfile.ZipFile(source, "w") as archive:
                    archive.writestr("rust_just.data/scripts/just", said(version))
                return source

            with unittest.mock.patch.object(wheel, "fetch", fetch), self.quiet():
                program.install("just", folder)
                program.install("just", folder)
                self.assertEqual((fetches, program.version_of(folder / "just")), (["rust-just"], version))
                (folder / "just").write_text(said("0.1"))
                program.install("just", folder)
            self.assertEqual((len(fetches), program.version_of(folder / "just")), (2, version))
            self.assertEqual([path.name for path in folder.iterdir()], ["just"])

    def quiet(self):
        return unittest.mock.patch.object(report, "stream", io.StringIO())


class Programs(unittest.TestCase):
    def start(self, *command, **variables):
        return subprocess.run(command, cwd=os.sep, env={**os.environ, **variables}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_every_program_explains_itself_from_any_folder(self):
        for name in ("bootstrap", "deny", "fetch", "weights", "data", "export-onnx"):
            with self.subTest(name):
                program = repository.SCRIPTS / name
                self.assertTrue(os.access(program, os.X_OK))
                result = self.start(str(program), "--help")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn("usage:", result.stdout)

    def test_an_error_is_one_line_and_a_hint(self):
        with tempfile.TemporaryDirectory() as name:
            result = self.start(sys.executable, str(repository.SCRIPTS / "weights"), "--from", f"{name}/absent.h5",
                                "--output", f"{name}/out.safetensors")
        self.assertEqual(result.returncode, 1)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 2, result.stderr)
        self.assertTrue(lines[0].startswith("weights: ") and lines[1].startswith("hint: "), result.stderr)

    def test_bootstrap_lists_all_missing_tools_at_once(self):
        with tempfile.TemporaryDirectory() as name:
            for tool in ("bash", "dirname", "sed", "head", "cat"):
                path = next(path for path in (f"/usr/bin/{tool}", f"/bin/{tool}") if os.path.exists(path))
                os.symlink(path, f"{name}/{tool}")
            result = self.start(f"{name}/bash", str(repository.SCRIPTS / "bootstrap"), PATH=name, CXX="")
        self.assertEqual(result.returncode, 1)
        for word in ("Rust", "C++", "python3", "hint:"):
            self.assertIn(word, result.stderr)

    def test_requirements_have_a_block_and_hashes_for_each_package(self):
        for name, block in environment.requirement_blocks(environment.MEGABYTES).items():
            self.assertTrue(block.startswith(f"{name}=="), name)
            self.assertIn("--hash=sha256:", block)


