"""Tests of what the workers of scripts/bench-peers share."""

import importlib.util
import unittest
from types import SimpleNamespace

from measurement.quiet import Quiet

NEEDED = ("numpy", "PIL")


@unittest.skipUnless(all(map(importlib.util.find_spec, NEEDED)), "numpy and pillow are not installed")
class Workers(Quiet):
    def test_photographs_are_spread_over_all_and_others_where_there_are_more(self):
        from measurement.peers.work import spread

        paths = list("abcdefgh")
        self.assertEqual(spread(paths, 4), ["a", "c", "e", "g"])
        self.assertEqual(spread(paths, 4, first=1), ["b", "d", "f", "h"])
        self.assertEqual([spread(paths, count, first=1) for count in (8, 9)], [paths, paths])
        self.assertEqual(spread(paths, 3), ["a", "d", "g"])

    def test_a_setting_that_makes_other_features_is_no_choice(self):
        import numpy
        from PIL import Image

        from measurement.peers import work

        class Base:
            photographs = 2

            def __init__(self, network, precision, setting):
                self.wrong = setting == "queue"

            @staticmethod
            def settings(_):
                return ["single", "queue", "compiled"]

            def features(self, pixels):
                return pixels.astype(numpy.float32) + 5 * self.wrong

        (self.folder / "class").mkdir()
        for name in "abc":
            Image.new("RGB", (9, 9), (1, 2, 3)).save(self.folder / f"class/{name}.png")
        options = SimpleNamespace(base="vgg16", weights=None, graph=None, image_size=4, images=self.folder,
                                  precision="int8", batch_sizes=[2])
        answer = work.calibrate(options, Base, None)
        self.assertEqual(list(answer["rates"]), ["single", "compiled"])
        self.assertEqual(list(answer["apart"]), ["queue"])
        self.assertGreater(answer["apart"]["queue"], 1)


if __name__ == "__main__":
    unittest.main()
