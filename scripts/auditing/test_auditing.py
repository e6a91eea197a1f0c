"""What is planted, and how lists are compared."""

import tempfile
import unittest
from pathlib import Path

from auditing import found, planted
from report import Failure

try:
    from PIL import Image
except ImportError:
    Image = None


@unittest.skipIf(Image is None, "not installed: pillow; nothing was planted")
class Planted(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.images = self.folder / "images"
        for number in range(10):
            path = self.images / ("cats" if number < 5 else "dogs") / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (50, 40), (number * 20, 100, 50)).save(path)

    def test_swapped_photographs_lie_under_the_other_class_alone(self):
        wrong = planted.swapped(self.images, self.folder / "train", 4, 1)
        self.assertEqual(len(wrong.swapped), 4)
        listed = {str(path): (self.folder / "train" / path).resolve() for path in planted.photographs(wrong.folder)}
        self.assertEqual(len(listed), 10)
        for path, original in listed.items():
            self.assertEqual(path in wrong.swapped, path.split("/")[0] != original.parent.name)
        self.assertEqual(planted.swapped(self.images, self.folder / "again", 4, 1).swapped, wrong.swapped)

    def test_copies_are_the_same_bytes_and_those_encoded_anew_are_smaller(self):
        copies = planted.with_copies(self.images, self.images, self.folder / "test", 4, 1)
        self.assertEqual((len(copies.copies), len(copies.reencoded)), (2, 2))
        for path, original in copies.copies.items():
            self.assertEqual((copies.folder / path).read_bytes(), (self.images / original).read_bytes())
        for path in copies.reencoded:
            self.assertLess(Image.open(copies.folder / path).width, 50)
        self.assertEqual(len(planted.photographs(copies.folder)), 14)

    def test_links_are_repeated_under_names_of_their_own(self):
        planted.repeated(self.images, self.folder / "large", 23)
        self.assertEqual(len(planted.photographs(self.folder / "large")), 23)

    def test_a_folder_without_classes_is_refused(self):
        with self.assertRaisesRegex(Failure, "at least two classes"):
            planted.photographs(self.images / "cats")


class Found(unittest.TestCase):
    def test_precision_is_of_what_was_found_and_recall_of_what_was_planted(self):
        self.assertEqual(found.precision_and_recall(["a", "b", "c", "d"], {"a", "x"}), (0.25, 0.5))
        self.assertEqual(found.precision_and_recall([], {"a"}), (0.0, 0.0))

    def test_lists_are_the_same_but_for_the_order_of_equal_confidence(self):
        confidence = {"a": "0.1", "b": "0.2", "c": "0.2", "d": "0.3"}
        self.assertTrue(found.same_lists(["a", "b", "c"], ["a", "c", "b"], confidence))
        self.assertFalse(found.same_lists(["a", "b", "c"], ["b", "a", "c"], confidence))
        self.assertFalse(found.same_lists(["a", "b"], ["a", "d"], confidence))

    def test_twins_belong_to_the_first_of_their_set(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "twins.csv").write_text(
                "set,store,path,label,kind,cosine\n1,1,a,x,first,\n1,2,b,x,same file,1\n2,1,c,x,first,\n"
                "2,1,d,x,similar,0.9\n", encoding="utf-8")
            self.assertEqual(found.twin_pairs(Path(folder)), {
                ("2", "b"): (("1", "a"), "same file", 1.0), ("1", "d"): (("1", "c"), "similar", 0.9)})


if __name__ == "__main__":
    unittest.main()
