#!/usr/bin/env python3
"""Tests of the scripts; no network. Run: .toolchain/python/bin/python scripts/test_scripts.py [MODULE...]"""

import sys

sys.dont_write_bytecode = True

import unittest
from pathlib import Path


def main():
    loader = unittest.defaultTestLoader
    folder = str(Path(__file__).resolve().parent)
    if sys.argv[1:]:
        tests = loader.loadTestsFromNames(sys.argv[1:])
    else:
        tests = loader.discover(folder, top_level_dir=folder)
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    skipped = len(result.skipped)
    failed = len(result.failures) + len(result.errors)
    for reason in sorted({reason for _, reason in result.skipped}):
        print(f"skipped: {reason}")
    print(f"scripts: {result.testsRun} tests run, {failed} failed, {skipped} skipped")
    if skipped:
        print("scripts: `python3 scripts/install packages` installs what most of the skipped tests need")
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
