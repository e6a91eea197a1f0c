#!/usr/bin/env python3
"""Tests of the set-up scripts; no network. Run: .toolchain/python/bin/python scripts/test_scripts.py"""

import sys

sys.dont_write_bytecode = True

import unittest


def main():
    names = ["lib.test_weights", "lib.test_downloads", "lib.test_photographs", "lib.test_bootstrap", "lib.test_stress",
             "lib.test_bench", "slurm.test_pipeline"]
    chosen = sys.argv[1:] or names
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromNames(chosen))
    skipped = len(result.skipped)
    failed = len(result.failures) + len(result.errors)
    print(f"scripts: {result.testsRun} tests run, {failed} failed, {skipped} skipped")
    if skipped:
        print("scripts: `python3 scripts/lib/install.py packages` installs what the skipped tests need")
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
