"""Tests of the parts of scripts/bench and scripts/bench-peers that need no program and no framework."""

import importlib.util
import io
import json
import math
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

import report
from install import throwaway
from measurement import machine, photographs, processes, table, ways
from measurement.agreement import agreement, within
from measurement.extraction import Extraction, pairs, store_paths
from measurement.ground import extraction_figures
from measurement.head import Head, band, fit_figures, training_images
from measurement.peers import environment, roster
from measurement.report import Report
from measurement.rounds import OPTIONS, Rounds, added
from report import Failure


class Quiet(unittest.TestCase):
    """A folder of its own, and nothing said on the terminal."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.addCleanup(setattr, report, "stream", report.stream)
        report.stream = io.StringIO()

    def touch(self, *names):
        for name in names:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"1")


class Numbers(unittest.TestCase):
    def runs(self):
        seconds = {"ours": [1, 2, 4], "peer": [3, 4, 16], "late": [None, 5]}
        return [{"round": number, "candidate": name, "seconds": value}
                for name, values in seconds.items() for number, value in enumerate(values, start=1)]

    def test_everyone_comes_first_in_turn_and_nobody_is_left_out(self):
        self.assertEqual(["".join(processes.rotated("abc", number)) for number in (1, 2, 3, 4)],
                         ["abc", "bca", "cab", "abc"])
        self.assertEqual(processes.rotated([], 3), [])

    def test_a_summary_leaves_out_what_was_not_measured(self):
        self.assertEqual(processes.summary([3, None, 1, 10]), {"median": 3, "minimum": 1, "maximum": 10})
        self.assertIsNone(processes.summary([None]))

    def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_the_medians(self):
        self.assertEqual(processes.ratio(self.runs(), "seconds", "peer", "ours"), 3)
        self.assertEqual(processes.ratio(self.runs(), "seconds", "late", "ours"), 2.5)
        self.assertIsNone(processes.ratio(self.runs(), "seconds", "nobody", "ours"))
        self.assertIsNone(processes.ratio(self.runs(), "memory", "peer", "ours"))

    def test_summaries_are_in_the_order_of_the_first_round(self):
        found = processes.summaries(list(reversed(self.runs())), ["seconds"])
        self.assertEqual(list(found), ["late", "peer", "ours"])
        self.assertEqual(found["late"]["seconds"]["median"], 5)

    def test_a_round_counts_when_everyone_has_run(self):
        self.assertEqual(processes.rounds(self.runs()), 2)
        self.assertEqual(processes.rounds([]), 0)

    def test_two_processes_add_up_and_their_share_is_weighed_by_time(self):
        first = {"seconds": 3, "cpu_seconds": 6, "peak_bytes": 5, "cpu_share": 1.0}
        second = {"seconds": 1, "cpu_seconds": 0, "peak_bytes": 9, "cpu_share": 0.0}
        self.assertEqual(added(first, second),
                         {"seconds": 4, "cpu_seconds": 6, "peak_bytes": 9, "cpu_share": 0.75})

    def test_heads_on_few_rows_may_be_further_apart(self):
        self.assertAlmostEqual(band(0.9, 600), 0.03, places=5)
        self.assertAlmostEqual(band(0.5, 25), 0.2, places=5)

    def test_the_fastest_setting_is_taken_and_the_first_of_equals(self):
        self.assertEqual(roster.fastest({"1": 2.0, "4": 3.0, "8": 3.0}), "4")


class Tables(unittest.TestCase):
    header, rows = ["who", "s"], [["ours", "1.0"], ["a peer", "12.5"]]

    def test_names_stand_left_and_figures_right(self):
        self.assertEqual(table.plain(self.header, self.rows), "who        s\nours     1.0\na peer  12.5")

    def test_markdown_escapes_what_would_begin_a_cell(self):
        self.assertEqual(table.markdown(["who", "a|b"], [["ours", "1"]]),
                         "| who | a\\|b |\n| --- | ---: |\n| ours | 1 |")

    def test_cells(self):
        found = {"median": 0.25, "minimum": 0.2, "maximum": 0.3}
        self.assertEqual(table.spread(found, 2), "0.25 (0.20 to 0.30)")
        self.assertEqual(table.spread(found, 0, 1000), "250 (200 to 300)")
        self.assertEqual(table.spread(dict.fromkeys(found, 1.04)), "1.0")
        self.assertEqual(table.spread(None), "–")
        self.assertEqual([table.times(1.234), table.times(None)], ["1.23 ×", "–"])
        self.assertEqual([table.small(value) for value in (0, 3.14e-7, None)], ["0", "3.1e-07", "–"])


@unittest.skipUnless(importlib.util.find_spec("numpy"), "numpy is not installed")
class Agreement(unittest.TestCase):
    def setUp(self):
        import numpy

        self.numpy = numpy
        self.expected = numpy.ones((600, 2, 2), dtype=numpy.float32)

    def agreement(self, change=None):
        found = self.expected.copy()
        if change is not None:
            found[change[0]] = change[1]
        return agreement(found, self.expected)

    def test_equal_features_agree(self):
        found = self.agreement()
        self.assertEqual((found["relative"], found["largest"]), (0, 0))
        self.assertAlmostEqual(found["cosine"], 1)
        self.assertTrue(within(found, "fp32"))

    def test_one_changed_row_is_found_behind_the_first_piece(self):
        found = self.agreement((511, [[1, 1], [1, 3]]))
        self.assertAlmostEqual(found["relative"], math.sqrt(4 / 2400))
        self.assertEqual((found["largest"], found["worst_row"], found["worst_relative"]), (2, 511, 1))
        self.assertAlmostEqual(found["cosine"], 6 / (2 * math.sqrt(12)))
        self.assertFalse(within(found, "bf16"))
        self.assertTrue(within({"relative": 3e-3}, "bf16"))
        self.assertFalse(within({"relative": 3e-3}, "fp32"))

    def test_what_is_no_number_never_agrees(self):
        found = self.agreement((300, self.numpy.nan))
        self.assertEqual(found["worst_row"], 300)
        self.assertTrue(math.isnan(found["relative"]) and math.isnan(found["largest"]))
        self.assertFalse(within(found, "bf16"))

    def test_rows_of_zeros_agree_with_one_another_alone(self):
        self.expected[7] = 0
        self.assertEqual(self.agreement()["relative"], 0)
        found = self.agreement((7, 1))
        self.assertEqual((found["cosine"], found["worst_relative"]), (0, math.inf))

    def test_other_shapes_are_an_error(self):
        with self.assertRaisesRegex(ValueError, "expected features"):
            agreement(self.expected[1:], self.expected)


class Reports(Quiet):
    def ground(self):
        options = {name: None for name in OPTIONS}
        return SimpleNamespace(name="way", machine=machine.machine(),
                               options=SimpleNamespace(**{**options, "out": self.folder / "out", "runs": 3}))

    def figures(self, seconds):
        return {"seconds": seconds, "cpu_seconds": seconds, "peak_bytes": 10_000_000, "cpu_share": 0.5,
                "images_per_second": None}

    def document(self):
        return json.loads((self.folder / "out/bench-way.json").read_text(encoding="utf-8"))

    def test_figures_are_on_disk_after_every_round_and_stay_after_an_interruption(self):
        seen = []

        def second():
            seen.append(len(self.document()["runs"]) if (self.folder / "out/bench-way.json").exists() else 0)
            if len(seen) == 3:
                raise KeyboardInterrupt
            return self.figures(4.0)

        rounds = Rounds(self.ground(), photographs=9)
        rounds.compared = {"second": "first"}
        with self.assertRaises(KeyboardInterrupt):
            rounds.take({"first": lambda: self.figures(2.0), "second": second})
        self.assertEqual(seen, [0, 2, 4])
        document = self.document()
        self.assertEqual((len(document["runs"]), document["photographs"], document["ratios"]), (4, 9, {"second": 0.5}))
        page = (self.folder / "out/bench-way.md").read_text(encoding="utf-8")
        self.assertIn("| second | 4.00 | – | – | 10 | 50 | 0.50 × |", page)
        self.assertIn("Medians of 2 rounds", page)
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()),
                         ["bench-way.json", "bench-way.md"])

    def test_turns_change_but_where_one_needs_anothers_result(self):
        for turn, expected in ((True, "abbaab"), (False, "ababab")):
            said = []
            candidates = {name: lambda name=name: said.append(name) or self.figures(1) for name in "ab"}
            Rounds(self.ground()).take(candidates, turn)
            self.assertEqual("".join(said), expected)

    def test_failed_checks_are_said_kept_and_decide_the_exit_code(self):
        made = Report(self.folder, "name", {})
        self.assertEqual(made.close("bench"), 0)
        made.fail("a reason")
        made.write()
        self.assertEqual(made.close("bench"), 1)
        self.assertEqual(json.loads((self.folder / "name.json").read_text())["failed_checks"], ["a reason"])
        self.assertIn("failed: a reason\nbench: 1 checks failed;", report.stream.getvalue())

    def test_the_peers_table_has_a_row_for_each_and_one_across(self):
        section = {"settings": {"keras-fp32": "20"}, "runs": [], "agreement": {"keras-fp32": {"relative": 1e-6}},
                   "own_decoder": {}}
        names = ["ours-fp32", "ours-bf16", "keras-fp32"]
        for number in (1, 2):
            for name, rate in zip(names, (6.0, 9.0, 3.0)):
                section["runs"].append({"round": number, "candidate": name, "forward_rate": None, "total_rate": rate,
                                        "whole_rate": rate, "seconds": 1 / rate, "peak_bytes": 10_000_000})
        extraction = SimpleNamespace(section=section, names=names)
        Extraction.summarise(extraction)
        header, rows = Extraction.table(extraction)
        self.assertEqual({len(row) for row in rows}, {len(header)})
        self.assertEqual([row[0] for row in rows], ["Convbase, fp32", "Convbase, bf16", "Keras, TensorFlow, fp32",
                                                    "Convbase, bf16, ÷ Keras, TensorFlow, fp32"])
        self.assertEqual(rows[2][1:4] + rows[2][6:], ["20", "–", "3.0", "1.0e-06", "–", "–", "2.00 ×", "2.00 ×"])
        self.assertEqual(rows[3][-2:], ["3.00 ×", "3.00 ×"])

    def test_the_heads_table_divides_theirs_by_ours(self):
        runs = [{"round": 1, "candidate": name, "seconds": value, "fit": value / 2, "val_accuracy": accuracy,
                 "peak_bytes": 1_000_000} for name, value, accuracy in (("ours", 2.0, 0.9), ("keras", 6.0, 0.85))]
        made = Report(self.folder, "name", {})
        head = SimpleNamespace(section={"runs": runs}, names=["ours", "keras"], rows=10_000, report=made)
        Head.summarise(head)
        header, rows = Head.table(head)
        self.assertEqual({len(row) for row in rows}, {len(header)})
        self.assertEqual(rows[1][-2:], ["3.00 ×", "3.00 ×"])
        Head.compare(head)
        self.assertEqual(len(made.document["failed_checks"]), 1)
        self.assertIn("head, keras: expected", made.document["failed_checks"][0])


class Processes(Quiet):
    def python(self, text):
        return [sys.executable, "-c", text]

    def test_a_process_is_measured_as_a_whole(self):
        found = processes.measure(self.python("import os, sys; print(os.environ['WORD']); sys.exit('no')"),
                                      {"WORD": "said"})
        self.assertEqual((found.code, found.out, found.err), (1, "said\n", "no\n"))
        self.assertTrue(found.seconds > 0 and found.cpu_seconds > 0 and found.peak_bytes > 1_000_000)
        self.assertGreater(found.cpu_share(), 0)

    def test_a_signal_is_a_negative_code(self):
        killed = processes.measure(self.python("import os; os.kill(os.getpid(), 9)"))
        self.assertEqual(killed.code, -9)

    def test_a_failed_process_is_named_with_its_last_word(self):
        with self.assertRaisesRegex(Failure, "^keras-fp32: exit code 3: no memory$"):
            processes.must("keras-fp32", self.python(
                "import sys; print('x\\nno memory\\nhint: buy some', file=sys.stderr); sys.exit(3)"))
        with self.assertRaisesRegex(Failure, "^ours: exit code 1: no photographs$"):
            processes.must("ours", self.python("raise SystemExit('{\"message\": \"no photographs\"}')"))

    def test_a_worker_without_a_line_of_json_is_refused_by_name(self):
        self.assertEqual(roster.last_object("torch-fp32", 'Found 3\n{"rows": 3}\n'), {"rows": 3})
        for out in ("", "Found 3 images\n", '{"rows": 3}\nbye\n', "[3]\n"):
            with self.assertRaisesRegex(Failure, "^torch-fp32: expected its worker to end with a line of JSON"):
                roster.last_object("torch-fp32", out)

    def test_other_rows_and_another_order_are_refused_by_name(self):
        roster.check_rows("openvino-bf16", {"rows": 3}, 3)
        for answer in ({"rows": 2}, {}):
            with self.assertRaisesRegex(Failure, "^openvino-bf16: expected 3 rows, found"):
                roster.check_rows("openvino-bf16", answer, 3)
        with self.assertRaisesRegex(Failure, "^keras-fp32: its photographs are not in the order"):
            roster.check_order("keras-fp32", {"order": "a"}, "b")

    def test_a_worker_gets_nothing_of_the_persons_python(self):
        variables = roster.Workers("python", self.folder / "home").variables()
        self.assertEqual((variables["HOME"], variables["CUDA_VISIBLE_DEVICES"]), (str(self.folder / "home"), ""))


class Logs(unittest.TestCase):
    def line(self, second, **fields):
        return {"timestamp": f"2026-01-01T00:00:{second:06.3f}000Z", "message": "", **fields}

    def measured(self, *lines):
        return SimpleNamespace(log=lambda: list(lines))

    def test_the_extractors_log_tells_the_work_and_the_convolutions(self):
        found = extraction_figures(self.measured(
            self.line(1), self.line(5, done=40, images_per_second=10.0, convolving=0.75),
            self.line(5.5, listed=41, embedded=40)))
        self.assertEqual(found, {"rows": 40, "total": 4.5, "forward": 3.0, "forward_rows": 40})

    def test_a_log_without_rates_tells_the_rows_alone(self):
        found = extraction_figures(self.measured(self.line(5, listed=4, embedded=4)))
        self.assertEqual(found, {"rows": 4, "total": None, "forward": None, "forward_rows": None})
        with self.assertRaisesRegex(Failure, "expected a line with `embedded`"):
            extraction_figures(self.measured(self.line(1)))

    def test_the_fit_lasts_from_the_line_before_its_first_epoch_to_its_last_epoch(self):
        log = [self.line(0), self.line(1), self.line(3, epoch=1, loss=0.5), self.line(4, epoch=2, loss=0.4),
               self.line(9, epoch=1, val_loss=0.6, val_accuracy=0.75)]
        self.assertEqual(fit_figures(log), {"fit": 3.0, "val_accuracy": 0.75, "epoch": 1})
        with self.assertRaises(Failure):
            fit_figures(log[:2])


class Photographs(Quiet):
    def setUp(self):
        super().setUp()
        self.images = self.folder / "images"
        self.touch("images/dogs/2.JPG", "images/dogs/1.png", "images/dogs/a/3.jpg", "images/dogs/note.txt",
                   "images/cats/9.jpeg", "images/cats/.8.jpg", "images/cats-and/7.jpg", "images/empty/x.txt",
                   "images/.hidden/1.jpg", "images/loose.jpg")

    def test_links_have_one_order_for_every_program(self):
        paths = photographs.farm(self.images, self.folder / "farm")
        self.assertEqual(paths, ["0000-cats/0000000-9.jpeg", "0001-cats-and/0000000-7.jpg", "0002-dogs/0000000-1.png",
                                 "0002-dogs/0000001-2.jpg", "0002-dogs/0000002-3.jpg"])
        self.assertEqual(paths, sorted(paths, key=lambda path: path.encode()))
        self.assertTrue(all((self.folder / "farm" / path).read_bytes() for path in paths))

    def test_a_limit_takes_the_first_of_each_class(self):
        self.assertEqual(len(photographs.farm(self.images, self.folder / "farm", 6)), 4)
        self.assertEqual(len(photographs.farm(self.images, self.folder / "least", 1)), 3)

    def test_photographs_are_repeated_to_any_number_with_classes_in_turn(self):
        photographs.repeated(self.images, self.folder / "many", 11)
        found = {path.name: len(list(path.iterdir())) for path in (self.folder / "many").iterdir()}
        self.assertEqual(found, {"cats": 4, "cats-and": 4, "dogs": 3})

    def test_a_folder_without_photographs_is_refused(self):
        with self.assertRaisesRegex(Failure, "expected folders with photographs"):
            photographs.classes_of(self.images / "empty")
        with self.assertRaisesRegex(Failure, "found none") as raised:
            photographs.classes_of(self.folder / "nowhere")
        self.assertIn("just demo-data", raised.exception.hint)

    def test_an_order_is_known_by_one_word(self):
        self.assertNotEqual(photographs.order_digest(["a", "b"]), photographs.order_digest(["b", "a"]))
        self.assertNotEqual(photographs.order_digest(["a", "b"]), photographs.order_digest(["ab"]))

    def test_the_rows_of_a_store_are_those_that_became_features(self):
        (self.folder / "rows-00000-of-00002.jsonl").write_text('{"path": "a", "status": "ok"}\n')
        (self.folder / "rows-00001-of-00002.jsonl").write_text(
            '{"path": "b", "status": "rejected"}\n{"path": "c", "status": "ok"}\n')
        self.assertEqual(store_paths(self.folder), ["a", "c"])

    def test_training_photographs_lie_beside_the_others_unless_they_are_given(self):
        options = SimpleNamespace(images=self.images, training_images=None)
        with self.assertRaisesRegex(Failure, "expected the training photographs beside"):
            training_images(options)
        self.touch("train/a/1.jpg")
        self.assertEqual(training_images(options), self.folder.resolve() / "train")


class Choices(Quiet):
    def test_candidates_are_chosen_by_name_or_by_framework(self):
        self.assertEqual(roster.chosen(None), list(roster.EXTRACTION))
        self.assertEqual(roster.chosen("torch,ours-fp32, torch-bf16"), ["torch-fp32", "torch-bf16", "ours-fp32"])
        self.assertEqual(roster.chosen_heads(["onnxruntime-fp32", "torch-bf16", "ours-fp32"]), ["ours", "torch"])
        with self.assertRaisesRegex(Failure, "found `jax`"):
            roster.chosen("ours,jax")

    def test_ours_are_divided_by_peers_of_the_same_precision_and_once_across(self):
        self.assertEqual(pairs(["ours-fp32", "ours-bf16", "keras-fp32", "torch-bf16"]),
                         [("ours-fp32", "keras-fp32"), ("ours-bf16", "torch-bf16"), ("ours-bf16", "keras-fp32")])
        self.assertEqual(pairs(["keras-fp32", "ours-bf16"]), [("ours-bf16", "keras-fp32")])

    def test_the_machine_says_whether_it_multiplies_bf16(self):
        self.assertTrue(machine.multiplies_bf16({"flags": ["avx2", "amx_bf16"]}))
        self.assertFalse(machine.multiplies_bf16({"flags": ["avx512_bf16"]}))
        self.assertEqual(machine.field("model name\t: A B\nflags\t\t: x y\n", "flags|Features"), "x y")

    def test_folders_of_others_are_neither_filled_nor_removed(self):
        self.touch("mine")
        for action in (environment.PEERS.check_folder, environment.PEERS.remove):
            with self.assertRaisesRegex(Failure, "found other files"):
                action(self.folder)
        self.touch("peers")
        environment.PEERS.remove(self.folder)
        self.assertFalse(self.folder.exists())
        self.folder.mkdir()

    def test_a_missing_gpu_library_is_known_by_what_the_loader_says(self):
        said = "ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory"
        self.assertEqual(throwaway.GPU_LIBRARY.search(said).group(1), "libcudnn.so.9")
        self.assertIsNone(throwaway.GPU_LIBRARY.search(said.replace("libcudnn", "libstdc++")))

    def test_every_pin_is_exact(self):
        lines = environment.PEERS.requirements.read_text(encoding="utf-8").splitlines()
        pins = [line for line in lines if line and not line.startswith("#")]
        self.assertTrue(all(line.count("==") >= 1 and line.split("==")[0].strip("abcdefghijklmnopqrstuvwxyz0123456789-")
                            == "" for line in pins))
        self.assertIn("torch==2.11.0", pins)

    def test_same_bytes_are_the_same_names_and_contents(self):
        self.touch("a/features-0.npy", "b/features-0.npy", "a/manifest.json")
        first, second = self.folder / "a", self.folder / "b"
        self.assertTrue(ways.same_bytes(first, second, "features-*.npy"))
        (second / "features-0.npy").write_bytes(b"2")
        self.assertFalse(ways.same_bytes(first, second, "features-*.npy"))
        self.touch("a/features-1.npy", "b/features-2.npy")
        self.assertFalse(ways.same_bytes(first, second, "features-*.npy"))


if __name__ == "__main__":
    unittest.main()
