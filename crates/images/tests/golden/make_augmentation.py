"""Makes augmentation.json and augmentation-*.npy: what Keras' layers make of two drawn images, with the numbers that
they drew. Run with Keras 3.15 on TensorFlow:

    python crates/images/tests/golden/make_augmentation.py

Each image goes through each layer, fill mode and interpolation with numbers that the layer draws itself; its pixels are
rounded once, as the extractor rounds them. A last group goes through all five layers, one after the other.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy

FOLDER = Path(__file__).parent
FILLS = ("reflect", "constant", "nearest", "wrap")
INTERPOLATIONS = ("nearest", "bilinear")
# Height and width: neither is square, one is odd.
SIZES = ((13, 18), (16, 11))
DRAWS = 2
# Large ones, so that much of what is drawn lies outside.
FACTORS = {"rotate": 0.4, "zoom": 0.6, "translate": 0.7, "contrast": 0.8}


def drawn(height, width):
    """Colours that no symmetry hides, with edges."""
    y, x, channel = numpy.meshgrid(range(height), range(width), range(3), indexing="ij")
    smooth = x * (9 + channel) + y * (7 - 2 * channel)
    edges = ((x // 3 + y // 4) % 2) * (60 + 20 * channel)
    return ((smooth + edges + 11 * channel) % 256).astype(numpy.uint8)


def layer(name, fill, interpolation, seed):
    options = {"fill_mode": fill, "interpolation": interpolation, "seed": seed}
    if name == "flip":
        return keras.layers.RandomFlip("horizontal", seed=seed)
    if name == "rotate":
        return keras.layers.RandomRotation(FACTORS[name], **options)
    if name == "zoom":
        return keras.layers.RandomZoom(FACTORS[name], **options)
    if name == "translate":
        return keras.layers.RandomTranslation(FACTORS[name], FACTORS[name], **options)
    return keras.layers.RandomContrast(FACTORS[name], seed=seed)


def numbers(name, transformation):
    """What the layer drew."""
    def number(key, index=0):
        return float(numpy.ravel(transformation[key])[index])

    if name == "flip":
        return {"flips": bool(number("flips"))}
    if name == "rotate":
        return {"degrees": number("angle")}
    if name == "zoom":
        return {"factor": number("height_zoom")}
    if name == "translate":
        return {"right": number("translations", 0), "down": number("translations", 1)}
    return {"factor": number("contrast_factor")}


def apply(pixels, names, fill, interpolation, seed):
    """Float pixels [height, width, 3] after these layers, and what each of them drew."""
    drawn_numbers = []
    for position, name in enumerate(names):
        one = layer(name, fill, interpolation, seed + position)
        transformation = one.get_random_transformation(pixels[None], training=True)
        drawn_numbers.append({"layer": name, **numbers(name, transformation)})
        pixels = numpy.array(one.transform_images(pixels[None], transformation, training=True))[0]
    return pixels, drawn_numbers


def cases():
    for name in ("rotate", "zoom", "translate"):
        for fill in FILLS:
            for interpolation in INTERPOLATIONS:
                for _ in range(DRAWS):
                    yield (name,), fill, interpolation
    for name in ("flip", "flip", "contrast", "contrast"):
        yield (name,), "reflect", "bilinear"
    for fill in FILLS:
        for interpolation in INTERPOLATIONS:
            yield ("flip", "rotate", "zoom", "translate", "contrast"), fill, interpolation


def bounds():
    """What each layer draws from, as its attributes say."""
    rotate, zoom = keras.layers.RandomRotation(0.1), keras.layers.RandomZoom(0.1)
    translate, contrast = keras.layers.RandomTranslation(0.1, 0.1), keras.layers.RandomContrast(0.1)
    return {"rotate": [360 * bound for bound in rotate.factor], "zoom": [1 + zoom.height_lower, 1 + zoom.height_upper],
            "translate": [translate.height_lower, translate.height_upper],
            "contrast": [1 - contrast.factor[0], 1 + contrast.factor[1]]}


def main():
    index = {"keras": keras.__version__, "bounds_of_0.1": bounds(), "images": []}
    seed = 1
    for number, (height, width) in enumerate(SIZES):
        image = drawn(height, width)
        made, entries = [image], []
        for names, fill, interpolation in cases():
            pixels, changes = apply(image.astype(numpy.float32), names, fill, interpolation, seed)
            seed += len(names)
            made.append(numpy.clip(numpy.rint(pixels), 0, 255).astype(numpy.uint8))
            entries.append({"fill": fill, "interpolation": interpolation, "changes": changes})
        name = f"augmentation-{number}.npy"
        numpy.save(FOLDER / name, numpy.stack(made))
        index["images"].append({"file": name, "cases": entries})
    (FOLDER / "augmentation.json").write_text(json.dumps(index) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
