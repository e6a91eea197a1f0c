"""Tests of medians, ratios, tables and agreement."""

import importlib.util
import math
import unittest
from types import SimpleNamespace

from measurement import processes, table
from measurement.agreement import agreement, within
from measurement.chapters import measured_epochs, times_of, together
from measurement.gradients import failures
from measurement.learning import band
from measurement.peers import roster
from measurement.probe import chosen, differences, equal_share
from measurement.rounds import added
from report import Failure


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

    def test_the_lowest_loss_of_a_grid_is_chosen_and_the_stronger_penalty_of_equals(self):
        grid = [{"c": c, "val_loss": loss} for c, loss in (("10", "0.25"), ("0.0001", "0.5"), ("1", "0.25"))]
        self.assertEqual(chosen(grid), {"c": 1.0, "val_loss": 0.25})
        with self.assertRaisesRegex(Failure, "expected lines in its grid"):
            chosen([])

    def test_equal_predictions_are_counted_and_as_many_are_needed(self):
        self.assertEqual(equal_share(["a", "b", "a", "b"], ["a", "b", "b", "b"]), 0.75)
        for pair in ((["a"], ["a", "b"]), ([], [])):
            with self.assertRaisesRegex(Failure, "predictions, found"):
                equal_share(*pair)

    def test_another_c_and_too_many_other_predictions_are_differences(self):
        self.assertEqual(list(differences([0.001], [0.001], 0.999)), [])
        found = list(differences([0.001, 0.01], [0.01], 0.9985))
        self.assertEqual(found, ["probe: expected scikit-learn's C, [0.01], found [0.001, 0.01]",
                                 "probe: expected at least 99.9% of scikit-learn's predictions, found 99.85%"])

    def test_epochs_that_were_not_measured_take_as_long_as_the_middle_one(self):
        self.assertEqual(times_of(5.0, [10.0, 30.0, 12.0], 10),
                         {"before": 5.0, "epoch_seconds": 12.0, "measured_seconds": [10.0, 30.0, 12.0],
                          "total": 5 + 52 + 7 * 12})
        self.assertEqual(times_of(5.0, [10.0, 30.0], 2)["total"], 45)
        self.assertEqual(measured_epochs(SimpleNamespace(augmentation_epochs=3, epochs=2)), 2)

    def test_extraction_and_fit_are_one_figure(self):
        first, second = (SimpleNamespace(seconds=seconds, cpu_seconds=2 * seconds, peak_bytes=peak)
                         for seconds, peak in ((3, 9), (1, 5)))
        self.assertEqual(together(first, second), {"seconds": 4, "cpu_seconds": 8, "peak_bytes": 9})

    def test_a_gradient_that_is_no_number_is_too_far_away(self):
        self.assertEqual(failures({"a": 1e-4, "b": 0.0}), [])
        self.assertEqual(len(failures({"a": 1.1e-4, "b": math.nan, "c": 1e-6})), 2)

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
        self.assertEqual([table.share(0.9985), table.share(None)], ["99.85 %", "–"])
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
        self.assertEqual([within({"relative": far}, "int8") for far in (0.2, 0.4)], [True, False])

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
