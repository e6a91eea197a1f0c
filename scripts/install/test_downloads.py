"""Tests of downloads against a server on this machine: resume, checksums, refusals, local wheel folders."""

import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import report
import repository
from install import download, wheel
from report import Failure

CONTENT = bytes(range(256)) * 40_000  # 10 MB
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT at any path; the server's attributes say how well it behaves."""

    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        if server.status:
            self.send_error(server.status)
            return
        start = 0
        asked = re.match(r"bytes=(\d+)-$", self.headers.get("Range") or "")
        if asked and server.knows_ranges:
            start = int(asked[1])
            if start >= len(CONTENT):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        end = min(len(CONTENT), start + server.stops_after) if server.stops_after else len(CONTENT)
        try:
            for position in range(start, end, 1 << 18):
                self.wfile.write(CONTENT[position:min(end, position + (1 << 18))])
                if server.holds_after and position >= server.holds_after:
                    server.goes_on.wait()
        except OSError:
            pass  # The client was killed: that is one of the tests.

    def log_message(self, *_):
        pass


class Downloads(unittest.TestCase):
    def setUp(self):
        report.stream = io.StringIO()
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.destination = self.folder / "file.bin"
        self.part = self.folder / "file.bin.part"
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.ranges, self.server.status, self.server.knows_ranges = [], None, True
        self.server.stops_after, self.server.holds_after, self.server.goes_on = None, None, threading.Event()
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}/file.bin"
        # A proxy of this machine has no business with a server on this machine.
        patch = unittest.mock.patch.dict(os.environ, {"no_proxy": "127.0.0.1"})
        patch.start()
        self.addCleanup(patch.stop)
        pause = unittest.mock.patch("install.download.time.sleep")
        pause.start()
        self.addCleanup(pause.stop)

    def fetch(self, checksum=CHECKSUM, size=len(CONTENT), **options):
        return download.download(self.url, self.destination, checksum, size, **options)

    def test_a_file_arrives_whole_and_a_second_run_asks_for_nothing(self):
        self.fetch()
        self.assertEqual(self.destination.read_bytes(), CONTENT)
        self.fetch()
        self.assertEqual(len(self.server.ranges), 1)
        self.assertFalse(self.part.exists())

    def test_a_connection_that_breaks_goes_on_where_it_stopped(self):
        self.server.stops_after = 3_000_000
        self.fetch()
        self.assertEqual(self.destination.read_bytes(), CONTENT)
        self.assertEqual(self.server.ranges, [None, "bytes=3000000-", "bytes=6000000-", "bytes=9000000-"])
        self.assertIn("resuming at 3 MB", report.stream.getvalue())

    def test_a_run_that_was_killed_is_continued_by_the_next(self):
        # The server keeps the rest back until the child is dead, however fast either of them is.
        self.server.holds_after = 3_000_000
        self.addCleanup(self.server.goes_on.set)
        program = ("import sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1])\n"
                   "from install.download import download\n"
                   "download(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))")
        command = [sys.executable, "-c", program, str(repository.SCRIPTS), self.url, str(self.destination),
                   CHECKSUM, str(len(CONTENT))]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.addCleanup(child.kill)
        while child.poll() is None and not (self.part.exists() and self.part.stat().st_size > 1_500_000):
            os.sched_yield()
        self.assertIsNone(child.poll(), "the child ended before it was killed")
        child.send_signal(signal.SIGKILL)
        child.wait()
        have = self.part.stat().st_size
        self.assertTrue(1_500_000 < have < len(CONTENT))
        self.assertFalse(self.destination.exists())
        self.server.holds_after = None
        self.server.goes_on.set()
        self.fetch()
        self.assertEqual(self.server.ranges[-1], f"bytes={have}-")
        self.assertEqual(self.destination.read_bytes(), CONTENT)

    def test_a_wrong_checksum_deletes_the_file_and_says_expected_and_found(self):
        wrong = "sha256:" + "0" * 64
        with self.assertRaises(Failure) as caught:
            self.fetch(checksum=wrong)
        self.assertIn(f"expected {wrong}, found {CHECKSUM}", str(caught.exception))
        self.assertFalse(self.part.exists() or self.destination.exists())

    def test_a_server_that_ignores_ranges_sends_everything_again(self):
        self.server.knows_ranges = False
        self.part.write_bytes(b"x" * 1000)
        self.fetch()
        self.assertEqual(self.destination.read_bytes(), CONTENT)

    def test_a_part_that_is_longer_than_the_file_is_begun_anew(self):
        self.part.write_bytes(b"x" * (len(CONTENT) + 5))
        self.fetch()
        self.part.write_bytes(b"x" * (len(CONTENT) + 5))
        self.destination.unlink()
        self.fetch(size=None)
        self.assertEqual(self.destination.read_bytes(), CONTENT)

    def test_a_refusal_is_not_asked_twice_and_a_sick_server_is(self):
        self.server.status = 403
        with self.assertRaises(download.Refused):
            self.fetch()
        self.assertEqual(len(self.server.ranges), 1)
        self.server.status = 503
        with self.assertRaises(Failure) as caught:
            self.fetch(attempts=3)
        self.assertEqual(len(self.server.ranges), 4)
        self.assertIn("503", str(caught.exception))

    def test_a_host_without_a_name_fails_at_once(self):
        with self.assertRaises(Failure) as caught:
            download.download("http://no-such-host.invalid/x", self.destination, CHECKSUM)
        self.assertEqual(caught.exception.args[0].count("\n"), 0)
        self.assertNotIn("trying again", report.stream.getvalue())


class Wheels(unittest.TestCase):
    NAME = "convbase_test-1.0-py3-none-any.whl"

    def setUp(self):
        report.stream = io.StringIO()
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        with zipfile.ZipFile(self.folder / self.NAME, "w") as archive:
            archive.writestr("convbase_test-1.0.dist-info/METADATA",
                             "Metadata-Version: 2.1\nName: convbase-test\nVersion: 1.0\n")
            archive.writestr("convbase_test-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            archive.writestr("convbase_test-1.0.dist-info/RECORD", "")
        self.content = (self.folder / self.NAME).read_bytes()

    def fetch(self, sha256):
        pins = {"wheels": {"convbase-test": {"requirement": "convbase-test==1.0", "files": {
            "any": {"name": self.NAME, "bytes": len(self.content), "sha256": sha256}}}}}
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.folder)}
        with unittest.mock.patch.object(repository, "pinned", lambda: pins), \
                unittest.mock.patch.dict(os.environ, offline):
            return wheel.fetch("convbase-test", self.folder / "out")

    def test_a_folder_of_wheels_stands_in_for_the_internet(self):
        path = self.fetch(hashlib.sha256(self.content).hexdigest())
        self.assertEqual(path.read_bytes(), self.content)

    def test_a_wheel_in_that_folder_is_checked_as_well(self):
        with self.assertRaises(Failure) as caught:
            self.fetch("0" * 64)
        self.assertIn("wrong checksum", str(caught.exception))

    def test_a_wheel_that_is_nowhere_says_what_to_do(self):
        (self.folder / self.NAME).unlink()
        with self.assertRaises(Failure) as caught:
            self.fetch("0" * 64)
        self.assertIn("PIP_FIND_LINKS", caught.exception.hint)

    def test_every_pinned_file_can_be_asked_for_by_its_tags(self):
        for name, entry in repository.pinned()["wheels"].items():
            for file in entry["files"].values():
                self.assertRegex(file["sha256"], r"^[0-9a-f]{64}$")
                self.assertIn("--no-deps", wheel.selection(file["name"]), name)
        options = wheel.selection("torch-2.11.0-cp311-cp311-manylinux_2_28_aarch64.whl")
        self.assertEqual(options[-8:], ["--platform", "manylinux_2_28_aarch64", "--implementation", "cp",
                                        "--python-version", "3.11", "--abi", "cp311"])
