"""Tests of what is measured: photographs, peers, environments."""

import unittest
from types import SimpleNamespace
from unittest.mock import patch

from install import throwaway
from measurement import machine, photographs, ways
from measurement.extraction import pairs
from measurement.graphs import Graphs
from measurement.ground import Ground
from measurement.peers import environment, roster
from measurement.quiet import Quiet
from measurement.stores import Stores, store_paths, training_images
from report import Failure


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
        self.assertEqual(roster.learners("head", "onnxruntime-fp32, torch-bf16, ours-fp32"), ["ours", "torch"])
        with self.assertRaisesRegex(Failure, "found `jax`"):
            roster.chosen("ours,jax")

    def test_another_base_is_extracted_in_fp32_and_int8_by_whoever_knows_it(self):
        self.assertEqual(roster.taking_part("openvino,ours", None, "mobilenet"),
                         {"extraction": ["openvino-fp32", "openvino-int8", "ours-fp32", "ours-int8"]})
        self.assertEqual(roster.taking_part("keras,torch", None, "efficientnet_lite0"), {"extraction": ["torch-fp32"]})

    def test_a_part_is_left_out_where_nobody_takes_part(self):
        self.assertEqual(list(roster.taking_part(None)), list(roster.PARTS))
        self.assertEqual(roster.taking_part("ours,scikit-learn", "probe"), {"probe": ["ours", "scikit-learn"]})
        self.assertEqual(list(roster.taking_part("keras-fp32")), ["extraction", "head", "augmentation", "fine-tuning"])
        # One alone has nobody to be compared with.
        self.assertNotIn("gradients", roster.taking_part("torch"))
        with self.assertRaisesRegex(Failure, "takes part in probe, found `keras`"):
            roster.taking_part("keras", "probe")

    def test_a_store_is_made_once_of_links_to_its_photographs(self):
        made = []

        def extract(images, store, *further, recipe):
            made.append((images.name, store.name, further[-1], recipe))
            return SimpleNamespace(seconds=2.0, log=lambda: [{"embedded": 2}])

        self.touch("train/a/1.jpg", "train/b/2.jpg", "test/a/3.jpg")
        options = SimpleNamespace(images=self.folder / "test", training_images=None, images_limit=None)
        stores = Stores(SimpleNamespace(folder=self.folder, options=options, extract=extract))
        for _ in range(2):
            self.assertEqual(stores.get("training", "native", "block4_pool").seconds, 2.0)
        self.assertEqual(made, [("training-images", "training-native-block4_pool", "block4_pool", "native")])
        with self.assertRaisesRegex(Failure, "^test features: expected 1 rows, found 2"):
            stores.get("test")

    def test_ours_are_divided_by_peers_of_the_same_precision_and_once_across(self):
        self.assertEqual(pairs(["ours-fp32", "ours-bf16", "keras-fp32", "torch-bf16"]),
                         [("ours-fp32", "keras-fp32"), ("ours-bf16", "torch-bf16"), ("ours-bf16", "keras-fp32")])
        self.assertEqual(pairs(["keras-fp32", "ours-bf16"]), [("ours-bf16", "keras-fp32")])
        self.assertEqual(pairs(["ours-fp32", "ours-int8", "openvino-int8"]), [("ours-int8", "openvino-int8")])

    def test_the_machine_says_whether_it_multiplies_bf16(self):
        self.assertTrue(machine.multiplies_bf16({"flags": ["avx2", "amx_bf16"]}))
        self.assertFalse(machine.multiplies_bf16({"flags": ["avx512_bf16"]}))
        for architecture, flag, narrow in (("x86_64", "avx2", True), ("x86_64", "avx512_vnni", False),
                                           ("aarch64", "asimd", False)):
            self.assertEqual(machine.adds_bytes_in_16_bits({"architecture": architecture, "flags": [flag]}), narrow)
        self.assertEqual(machine.field("model name\t: A B\nflags\t\t: x y\n", "flags|Features"), "x y")

    def test_weights_that_are_not_there_are_drawn_or_refused(self):
        self.touch("extractor", "trainer", "evaluator", "mine.safetensors")
        options = SimpleNamespace(programs=self.folder, folder=self.folder / "work", base=None, weights=None)
        with patch("repository.weights", lambda base: self.folder / f"{base}.safetensors"):
            with Ground("way", options, may_draw=True) as ground:
                ground.choose("none")
                self.assertEqual((ground.draws_weights, ground.weights.name), (True, "drawn-none.safetensors"))
                ground.choose("mine")
                self.assertEqual((ground.draws_weights, ground.weights.name), (False, "mine.safetensors"))
            options.base = "none"
            with self.assertRaisesRegex(Failure, "none.safetensors: expected the weights"), Ground("way", options):
                pass
        self.assertEqual(list(options.folder.iterdir()), [])

    def test_who_reads_a_file_is_told_of_it_and_8_bits_are_another_one(self):
        options = SimpleNamespace(base="mobilenet", image_size=96)
        ground = SimpleNamespace(folder=self.folder, options=options, weights="weights")
        graphs = Graphs(ground, None, ["ours-fp32", "openvino-int8"])
        self.assertTrue(graphs.read and graphs.quantised)
        self.assertEqual([graphs.told(name)[6:] for name in ("keras-fp32", "torch-fp32", "openvino-int8")],
                         [[], ["--graph", self.folder / "base.onnx"], ["--graph", self.folder / "base-int8.onnx"]])
        self.assertFalse(Graphs(ground, None, ["ours-fp32", "keras-fp32"]).read)
        self.assertFalse(Graphs(ground, None, ["ours-int8", "openvino-fp32"]).quantised)

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
