"""Tests of the parts of scripts/stress that need no program."""

import hashlib
import io
import json
import random
import struct
import tempfile
import unittest
from pathlib import Path

import report
from endurance import damage, ground, kill, large, tasks
from endurance.alteration import KINDS, draw
from endurance.drawn import RAISED_BYTES, features
from endurance.identity import identity, varint
from endurance.store import StoreWriter
from install import environment

SIZES = {"manifest.json": 900, "features-00000-of-00001.npy": 4000, "empty": 0,
         "rows-00000-of-00001.jsonl": 1}


class Alterations(unittest.TestCase):
    def content(self, alteration):
        return random.Random(alteration.file).getrandbits(8 * SIZES[alteration.file]).to_bytes(
            SIZES[alteration.file], "little")

    def test_the_same_seed_and_number_give_the_same_alteration(self):
        first = [draw(7, number, SIZES) for number in range(200)]
        self.assertEqual(first, [draw(7, number, SIZES) for number in range(200)])
        self.assertNotEqual(first, [draw(8, number, SIZES) for number in range(200)])

    def test_an_alteration_always_changes_the_file(self):
        for number in range(1000):
            alteration = draw(7, number, SIZES)
            content = self.content(alteration)
            self.assertNotEqual(alteration.apply(content), content, alteration)
            self.assertIn(alteration.file, alteration.describe(content))

    def test_a_flip_changes_one_bit(self):
        for number in range(200):
            alteration = draw(7, number, SIZES, ("flip",))
            content = self.content(alteration)
            bits = int.from_bytes(content, "little") ^ int.from_bytes(alteration.apply(content), "little")
            self.assertEqual(bin(bits).count("1"), 1)

    def test_a_truncation_leaves_a_beginning_and_an_extension_leaves_all(self):
        for number in range(200):
            shorter = draw(7, number, SIZES, ("truncation",))
            content = self.content(shorter)
            self.assertTrue(content.startswith(shorter.apply(content)))
            longer = draw(7, number, SIZES, ("extension",))
            content = self.content(longer)
            self.assertTrue(longer.apply(content).startswith(content))

    def test_every_file_that_has_bytes_and_every_kind_is_drawn(self):
        drawn = [draw(7, number, SIZES) for number in range(300)]
        self.assertEqual({alteration.file for alteration in drawn}, set(SIZES) - {"empty"})
        self.assertEqual({alteration.kind for alteration in drawn}, set(KINDS))
        blank = [one for one in drawn if one.kind == "extension" and not one.appended.strip()]
        self.assertGreater(len(blank), 20)


class Verdicts(unittest.TestCase):
    store = Path("work/store")

    def verdict(self, code, out="", err=""):
        ended = ground.Ended(code, out, err, 0)
        return damage.verify_verdict(ended, self.store, "manifest.json")

    def test_found_is_exit_code_1_with_a_finding_that_names_the_file(self):
        finding = "work/store/manifest.json: format: expected a, found b\nwork/store: 1 findings\n"
        self.assertEqual(self.verdict(1, finding), "found")
        self.assertEqual(self.verdict(0, "work/store: ok\n"), "missed")
        self.assertEqual(self.verdict(1, "work/store/rows-0.jsonl: line 1\n"), "another file named")
        self.assertEqual(self.verdict(1, "work/store: 0 findings\n"), "exit code 1 without a finding")

    def test_a_signal_and_a_panic_are_crashes(self):
        self.assertEqual(self.verdict(-11), "crashed (-11)")
        self.assertEqual(self.verdict(101), "crashed (101)")
        self.assertEqual(self.verdict(1, err="thread 'main' panicked at x.rs"), "crashed (1)")

    def test_refused_is_exit_code_1_with_an_error_and_no_result(self):
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "best.safetensors"
            ended = lambda code, err: ground.Ended(code, "", err, 0)
            verdict = lambda code, err: damage.reader_verdict(ended(code, err), result)
            self.assertEqual(verdict(1, "trainer: `manifest.json` is wrong\nhint: look\n"), "refused")
            self.assertEqual(verdict(0, ""), "believed")
            self.assertEqual(verdict(1, ""), "exit code 1 without an error")
            result.touch()
            self.assertEqual(verdict(1, "trainer: too late\n"), "refused after writing a result")

    def test_every_file_of_a_store_has_a_kind(self):
        names = ["manifest.json", "shard-00000-of-00001.json", "features-00000-of-00001.npy",
                 "labels-00000-of-00001.npy", "rows-00000-of-00001.jsonl"]
        kinds = ["manifest", "receipt", "features", "labels", "rows"]
        self.assertEqual([damage.kind_of(name) for name in names], kinds)

    def test_the_error_is_the_last_line_that_is_no_hint_in_text_and_in_json(self):
        error = lambda err: ground.Ended(1, "", err, 0).error
        self.assertEqual(error(" WARN x\ntrainer: no\nhint: yes\n"), "trainer: no")
        self.assertEqual(error('{"message": "no", "hints": ["yes"]}\n'), "no")


class Store(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name) / "store"
        spec = {"architecture": "other", "weights": "sha256:" + "0" * 64, "layer": "block5_pool",
                "pooling": "avg", "image_size": [32, 32], "interpolation": "nearest",
                "preprocess": "rescale", "shape": [2]}
        listing = [("a/ä.jpg", 0), ("a/b.jpg", 0), ("b/c.jpg", 1)]
        self.writer = StoreWriter(self.folder, listing, spec, ["a", "b"], 2)
        self.writer.begin()
        photograph = {"width": 4, "height": 3, "sha256": "1" * 64}
        rejected = {"error": "no \"image\""}
        self.writer.write(0, struct.pack("<2f", 1, 2), [rejected, photograph], canary=[1, 2.5e-05])
        self.writer.write(1, struct.pack("<2f", 3, 4), [photograph])

    def read(self, name):
        return (self.folder / name).read_bytes()

    def test_manifest_and_receipts_say_what_the_files_are(self):
        manifest = json.loads(self.read("manifest.json"))
        self.assertEqual((manifest["shards"], manifest["listing"]["images"]), (2, 3))
        receipt = json.loads(self.read("shard-00000-of-00002.json"))
        self.assertEqual([receipt[name] for name in ("shard", "images", "rows", "rejected")], [0, 2, 1, 1])
        for entry in receipt["files"].values():
            content = self.read(entry["name"])
            digest = hashlib.sha256(content).hexdigest()
            self.assertEqual((entry["bytes"], entry["sha256"]), (len(content), digest))

    def test_a_receipt_names_the_manifest_and_keeps_a_canary(self):
        receipt = self.read("shard-00000-of-00002.json")
        manifest = hashlib.sha256(self.read("manifest.json")).hexdigest()
        self.assertEqual(list(json.loads(receipt).items())[1], ("manifest", manifest))
        self.assertTrue(receipt.endswith(b'  "canary": [\n    1,\n    2.5e-5\n  ]\n}\n'))

    def test_arrays_have_the_header_of_npy_version_1(self):
        content = self.read("features-00001-of-00002.npy")
        length = int.from_bytes(content[8:10], "little")
        self.assertEqual((content[:8], (10 + length) % 64), (b"\x93NUMPY\x01\x00", 0))
        described = content[10:10 + length].decode()
        self.assertEqual(described.rstrip(), "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }")
        self.assertTrue(described.endswith(" \n"))
        self.assertEqual(struct.unpack("<2f", content[10 + length:]), (3, 4))
        self.assertIn(b"'shape': (1,), }", self.read("labels-00000-of-00002.npy"))

    def test_rows_are_compact_json_with_characters_as_they_are(self):
        first, second = self.read("rows-00000-of-00002.jsonl").decode().splitlines()
        self.assertEqual(first, '{"path":"a/ä.jpg","label":0,"class":"a","status":"rejected",'
                                '"error":"no \\"image\\""}')
        self.assertEqual(json.loads(second)["row"], 0)

    def test_drawn_features_are_finite_and_the_same_for_the_same_seed(self):
        drawn = features("seed", [0, 1], 5000)
        self.assertEqual((len(drawn), drawn), (10000, features("seed", [0, 1], 5000)))
        numbers = struct.unpack(f"<{len(drawn) // 2}e", drawn)
        self.assertTrue(all(0 <= number < 2 for number in numbers))
        half = len(numbers) // 2
        signal = RAISED_BYTES // 2
        self.assertLess(sum(numbers[:signal]), sum(numbers[half:half + signal]))


class Reading(unittest.TestCase):
    def test_every_task_is_dealt_once_and_no_copy_is_without(self):
        for seed in range(50):
            dealt = tasks.deal(random.Random(seed))
            self.assertEqual(sorted(task for task, _ in dealt), list(range(tasks.TASKS)))
            self.assertEqual({copy for _, copy in dealt}, set(range(tasks.COPIES)))

    def test_decoded_photographs_come_from_the_last_count_of_the_log(self):
        log = ground.log_lines('{"done": 3}\nno json\n[1]\n{"done": 8}\n{"listed": 9}\n')
        self.assertEqual(kill.decoded_images(log), 8)
        self.assertEqual(kill.decoded_images([{"listed": 9}]), 0)

    def test_the_epoch_lasts_from_the_line_before_it_to_its_own(self):
        log = [{"timestamp": "2026-01-01T00:00:01.500000Z", "message": "7 training rows, 3 validation rows"},
               {"timestamp": "2026-01-01T00:00:04.000000Z", "message": "epoch 1", "epoch": 1, "loss": 0.5}]
        self.assertEqual(large.epoch_seconds(log), 2.5)

    def test_memory_is_read_in_bytes_and_an_ended_process_has_none(self):
        status = "Name:\tx\nVmHWM:\t  300 kB\nRssAnon:\t  100 kB\nRssFile:\t   50 kB\nRssShmem:\t 9 kB\n"
        self.assertEqual(large.memory_of(status),
                         {"VmHWM": 307200, "RssAnon": 102400, "RssFile": 51200})
        self.assertEqual(large.memory_of("Name:\tx\nState:\tZ (zombie)\n"), {})

    def test_folders_differ_by_missing_further_and_changed_files(self):
        with tempfile.TemporaryDirectory() as folder:
            first, second = Path(folder, "first"), Path(folder, "second")
            for path in (first, second):
                path.mkdir()
                (path / "a").write_bytes(b"1")
            self.assertIsNone(ground.difference(first, second))
            (second / ".a.tmp").touch()
            self.assertEqual(ground.difference(first, second), ".a.tmp should not be there")
            self.assertEqual(ground.difference(second, first), ".a.tmp is missing")
            self.assertEqual(ground.temporary_files(second), [".a.tmp"])
            (second / ".a.tmp").unlink()
            (second / "a").write_bytes(b"2")
            self.assertEqual(ground.difference(first, second), "a has other bytes")

    def test_checks_count_and_say_what_failed(self):
        said, report.stream = report.stream, io.StringIO()
        try:
            checks = ground.Checks("name")
            checks.that(True, "not said")
            checks.that(False, "a reason")
            self.assertEqual(checks.close("2 things"), 1)
            self.assertEqual(report.stream.getvalue(),
                             "failed: a reason\nstress name: 2 things; 1 passed, 1 failed\n")
        finally:
            report.stream = said


@unittest.skipUnless(environment.importable("numpy") and environment.importable("pillow"),
                     "numpy and Pillow are not installed")
class Pictures(unittest.TestCase):
    def setUp(self):
        from endurance import mutation, pictures
        self.mutation, self.pictures = mutation, pictures

    def test_the_corpus_is_large_drawn_from_its_seed_and_every_picture_has_pixels_or_a_reason(self):
        drawn = self.pictures.corpus(7)
        self.assertGreaterEqual(len(drawn), 400)
        again = self.pictures.corpus(7)
        self.assertEqual([picture.content for picture in drawn], [picture.content for picture in again])
        for picture in drawn:
            if picture.reason is None:
                self.assertEqual(picture.expected().mode, "RGB", picture.name)

    def test_mutations_are_drawn_from_their_seed(self):
        seeds = [bytes(range(200)) * 9, b"abc" * 90]
        draw = lambda: [self.mutation.mutated(seeds, chance) for chance in [random.Random(3)] for _ in range(300)]
        self.assertEqual(draw(), draw())
        self.assertGreater(sum(mutated not in seeds for mutated in draw()), 290)


class Identity(unittest.TestCase):
    def test_numbers_of_many_bits_are_written_seven_at_a_time(self):
        self.assertEqual(varint(300), b"\xac\x02")
        self.assertTrue(identity(64).startswith(b"\x08\x08"))
