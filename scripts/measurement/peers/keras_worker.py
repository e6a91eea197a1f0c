"""Keras on TensorFlow, as its tutorial has it: a generator and `predict` in the loop; `fit` with a checkpoint."""

import time

BEGUN = time.perf_counter()

import sys

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 3)[0]

import keras
import numpy
import tensorflow

from measurement.peers import work

# Names of keras.applications; it has no other of the bases.
MODELS = {"vgg16": "VGG16", "vgg19": "VGG19", "resnet50": "ResNet50", "inception_v3": "InceptionV3",
          "xception": "Xception", "mobilenet": "MobileNet"}


class Base:
    def __init__(self, network, precision, setting):
        self.photographs = int(setting)
        keras.mixed_precision.set_dtype_policy("mixed_bfloat16" if precision == "bf16" else "float32")
        make = getattr(keras.applications, MODELS[network.name])
        self.model = make(weights=None, include_top=False, input_shape=(*network.size, 3))
        arrays = work.arrays(network.name, network.weights)
        for layer in self.model.layers:
            if layer.weights:
                layer.set_weights([arrays[f"{layer.name}/{weight.name}"].reshape(weight.shape)
                                   for weight in layer.weights])

    @staticmethod
    def settings(batch_sizes):
        return [str(size) for size in batch_sizes]

    def features(self, pixels):
        return self.predict(pixels.astype(numpy.float32) / 255)

    def predict(self, images):
        return numpy.asarray(self.model.predict(images, verbose=0)).astype(numpy.float32)


def extract(options, _, begun):
    known = work.network(options)
    base = Base(known, options.precision, options.setting)
    clock = work.Clock(begun)
    generator = tensorflow.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255).flow_from_directory(
        options.images, target_size=known.size, batch_size=base.photographs, class_mode="sparse", shuffle=False)
    features, rows = None, 0
    for _ in range(len(generator)):
        with clock.decoding():
            images, _ = next(generator)
        with clock.convolving(len(images)):
            found = base.predict(images)
        if features is None:
            features = numpy.zeros((generator.samples, *found.shape[1:]), dtype=numpy.float32)
        features[rows:rows + len(found)] = found
        rows += len(found)
    numpy.save(options.out, features)
    return {**clock.answer(rows), "order": work.order_digest(generator.filenames)}


def fit(options, _, begun):
    keras.utils.set_random_seed(options.seed)
    training, validation = work.split_store(options.features)
    classes = int(training[1].max()) + 1
    model = keras.Sequential([
        keras.Input(training[0].shape[1:]),
        keras.layers.Flatten(),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(*((1, "sigmoid") if classes == 2 else (classes, "softmax"))),
    ])
    model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=2e-5), metrics=["accuracy"],
                  loss="binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy")
    kept = keras.callbacks.ModelCheckpoint(options.out, monitor="val_loss", save_best_only=True)
    ready = time.perf_counter()
    history = model.fit(*training, epochs=options.epochs, batch_size=32, validation_data=validation,
                        callbacks=[kept], verbose=0).history
    fitted = time.perf_counter()
    best = min(range(options.epochs), key=history["val_loss"].__getitem__)
    return {"startup": ready - begun, "fit": fitted - ready, "rows": len(training[0]) + len(validation[0]),
            "val_accuracy": history["val_accuracy"][best], "epoch": best + 1}


if __name__ == "__main__":
    work.main("keras", BEGUN, Base, {"keras": keras.__version__, "tensorflow": tensorflow.__version__},
              extract=extract, fit=fit)
