"""Tests of reports, of measured processes and of what their logs say."""

import json
import sys
import unittest
from types import SimpleNamespace

import report
from measurement import machine, processes
from measurement.chapters import Augmentation, FineTuning
from measurement.extraction import Extraction
from measurement.ground import extraction_figures
from measurement.head import Head
from measurement.learning import fit_figures
from measurement.peers import roster
from measurement.probe import Probe
from measurement.quiet import Quiet
from measurement.report import Report
from measurement.rounds import OPTIONS, Rounds
from report import Failure


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

    def test_ours_is_timed_without_decoding_and_the_others_as_they_extract(self):
        made = []
        log = [{"timestamp": "2026-01-01T00:00:04Z", "done": 40, "images_per_second": 10.0, "computing": 0.5},
               {"timestamp": "2026-01-01T00:00:04Z", "embedded": 40}]
        extraction = SimpleNamespace(ground=SimpleNamespace(folder=self.folder))
        extraction.ours = lambda *words: made.append(words) or SimpleNamespace(log=lambda: log)
        self.assertEqual(Extraction.forward(extraction, "torch-fp32", ("prepared", 40)), {})
        self.assertEqual(Extraction.forward(extraction, "ours-fp32", ("prepared", 40)),
                         {"forward": 2.0, "forward_rows": 40, "forward_rate": 20.0})
        self.assertEqual(made, [("ours-fp32", "prepared", self.folder / "forward", "--pooling", "avg")])
        with self.assertRaisesRegex(Failure, "^ours-fp32: expected 41 rows, found 40"):
            Extraction.forward(extraction, "ours-fp32", ("prepared", 41))

    def test_what_is_called_8_bits_is_computed_in_them_or_said(self):
        made = Report(self.folder, "name", {})
        extraction = SimpleNamespace(report=made, remark=lambda text: Extraction.remark(extraction, text))
        for kinds in ({"u8": 49}, {"u8": 46, "i8": 1, "f32": 6}, {"u8": 1, "f32": 9}, {}):
            Extraction.check_kinds(extraction, "openvino-int8", {"convolutions": kinds})
        for name, answer in (("openvino-fp32", {"convolutions": {"f32": 49}}), ("ours-int8", {})):
            Extraction.check_kinds(extraction, name, answer)
        self.assertEqual(made.document["remarks"], ["openvino-int8: 47 of 53 convolutions are computed in 8 bits."])
        self.assertEqual(made.document["failed_checks"],
                         [f"openvino-int8: expected most convolutions in 8 bits, found {found}"
                          for found in ("1 of 10", "0 of 0")])

    def learning(self, part, runs, names, **options):
        """A part with runs in it, and the report that it belongs to."""
        made = Report(self.folder, "name", {})
        learning = part(SimpleNamespace(options=SimpleNamespace(recipe="article", views=8, **options)), None, made,
                        names, None)
        learning.section.update(runs=runs, photographs=10_000)
        learning.summarise()
        header, rows = learning.table()
        self.assertEqual({len(row) for row in rows}, {len(header)})
        return learning, made.document, rows

    def test_the_heads_table_divides_theirs_by_ours(self):
        runs = [{"round": 1, "candidate": name, "seconds": value, "fit": value / 2, "val_accuracy": accuracy,
                 "peak_bytes": 1_000_000} for name, value, accuracy in (("ours", 2.0, 0.9), ("keras", 6.0, 0.85))]
        head, document, rows = self.learning(Head, runs, ["ours", "keras"])
        self.assertEqual(rows[1][-2:], ["3.00 ×", "3.00 ×"])
        head.compare()
        self.assertEqual(len(document["failed_checks"]), 1)
        self.assertIn("head, keras: expected", document["failed_checks"][0])

    def test_the_probes_table_tells_c_and_equal_predictions(self):
        runs = [{"round": number, "candidate": name, "seconds": seconds, "fit": 1.0, "val_loss": 0.06, "c": c,
                 "peak_bytes": 1_000_000} for number in (1, 2)
                for name, seconds, c in (("ours", 2.0, 0.001), ("scikit-learn", 5.0, 0.001))]
        probe, _, rows = self.learning(Probe, runs, ["ours", "scikit-learn"])
        self.assertEqual([row[5:9] for row in rows], [["0.001", "–", "–", "–"]] * 2)
        probe.section.update(converged={"c": 0.01}, equal_predictions=0.9995,
                             test_accuracy={"ours": 0.975, "scikit-learn": 0.9755})
        self.assertEqual([row[5:] for row in probe.table()[1]],
                         [["0.001", "–", "97.50 %", "–", "–", "–"],
                          ["0.001", "0.01", "97.55 %", "99.95 %", "1.00 ×", "2.50 ×"]])

    def test_the_chapters_tables_divide_epochs_and_all_of_them(self):
        runs = [{"round": 1, "candidate": name, "before": before, "epoch_seconds": epoch, "total": total,
                 "peak_bytes": 1_000_000, "val_accuracy": accuracy, "test_accuracy": 0.9}
                for name, before, epoch, total, accuracy in (("ours", 40.0, 1.0, 80.0, 0.9),
                                                             ("keras", 10.0, 4.0, 160.0, 0.8))]
        for part, compared in ((FineTuning, 1), (Augmentation, 0)):
            made, document, rows = self.learning(part, runs, ["ours", "keras"], epochs=32, augmentation_epochs=1,
                                                 fine_tuning_epochs=2)
            self.assertEqual(rows[1][-2:], ["4.00 ×", "2.00 ×"])
            # One epoch learns less than 32: no failed check.
            made.compare()
            self.assertEqual(len(document.get("failed_checks", [])), compared)
            self.assertIn("article recipe", made.caption)


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
        with self.assertRaisesRegex(Failure, "^ours: exit code 2: error: unexpected --views$"):
            processes.must("ours", self.python(
                "import sys; print('error: unexpected --views\\n\\nFor more, try', file=sys.stderr); sys.exit(2)"))
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
        for share in ("computing", "convolving"):  # Of this version, and of older programs.
            found = extraction_figures(self.measured(
                self.line(1), self.line(5, done=40, images_per_second=10.0, **{share: 0.75}),
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
        expected = {"fit": 3.0, "epochs": 2, "val_accuracy": 0.75, "epoch": 1}
        self.assertEqual(fit_figures(log), expected)
        # A remark may follow.
        self.assertEqual(fit_figures([*log, self.line(9.5)]), expected)
        with self.assertRaises(Failure):
            fit_figures(log[:2])
