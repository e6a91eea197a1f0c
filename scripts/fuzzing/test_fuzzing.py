"""Tests of the parts of scripts/fuzz that need no program."""

import re
import unittest

import repository
from fuzzing.targets import HEAVY, LIGHT, Outcome

LOG = """#2\tINITED cov: 21 ft: 22 corp: 1/4b exec/s: 0 rss: 40Mb
#805870\tDONE   cov: 1319 ft: 4616 corp: 476/139Kb lim: 3281 exec/s: 1340 rss: 441Mb
stat::number_of_executed_units: 805870
stat::peak_rss_mb:              441
"""


class Outcomes(unittest.TestCase):
    def test_the_last_line_of_the_log_counts(self):
        self.assertEqual(Outcome.of(LOG, 0).line("csv"),
                         "csv: 805,870 executions, coverage 1,319, 476 inputs, 0 crashes")

    def test_a_target_that_did_not_begin_has_no_executions(self):
        self.assertEqual(Outcome.of("", 1).line("csv"), "csv: 0 executions, coverage 0, 0 inputs, 1 crashes")


class Targets(unittest.TestCase):
    def test_every_target_of_the_package_is_run(self):
        package = (repository.ROOT / "crates/fuzz/Cargo.toml").read_text(encoding="utf-8")
        names = set(re.findall(r'^path = "targets/(\w+)\.rs"', package, re.MULTILINE))
        self.assertEqual(names, {*LIGHT, *HEAVY})


if __name__ == "__main__":
    unittest.main()
