"""Keras on TensorFlow at the tutorial's chapters that compute the base in every epoch: augmentation and fine-tuning."""

import time

BEGUN = time.perf_counter()

import sys

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 3)[0]

import keras
import tensorflow
from safetensors.numpy import load_file

from measurement.peers import work
from measurement.peers.keras_worker import Base

BATCH = 32
PREPARATIONS = {"article": ({"rescale": 1 / 255}, "nearest"),
                "native": ({"preprocessing_function": keras.applications.vgg16.preprocess_input}, "bilinear")}


def augmentation(options, _, begun):
    """A head behind a frozen base, behind layers that draw each photograph anew."""
    keras.utils.set_random_seed(options.seed)
    base = Base(work.network(options), "fp32", BATCH).model
    base.trainable = False
    layers = [keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.1), keras.layers.RandomZoom(0.2)]
    return trained(options, begun, [*layers, base], 2e-5)


def fine_tuning(options, _, begun):
    """The last block of the base and a head that was trained before."""
    keras.utils.set_random_seed(options.seed)
    base = Base(work.network(options), "fp32", BATCH).model
    for layer in base.layers:
        layer.trainable = layer.name.startswith("block5")
    return trained(options, begun, [base], 1e-5)


def trained(options, begun, layers, rate):
    training, validation = (photographs(options, options.images, subset) for subset in ("training", "validation"))
    classes = training.num_classes
    model = keras.Sequential([
        keras.Input((*work.SIZE, 3)), *layers,
        keras.layers.Flatten(),
        keras.layers.Dense(256, activation="relu", name="dense"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(*((1, "sigmoid") if classes == 2 else (classes, "softmax")), name="output"),
    ])
    if options.checkpoint:
        tensors = load_file(options.checkpoint)
        for name in ("dense", "output"):
            model.get_layer(name).set_weights([tensors[f"{name}.weight"].T, tensors[f"{name}.bias"]])
    model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=rate), metrics=["accuracy"],
                  loss="binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy")
    warm(model, training, validation)
    kept = keras.callbacks.ModelCheckpoint(options.out, monitor="val_loss", save_best_only=True,
                                           save_weights_only=True)
    # Last: an epoch ends when its best weights are kept.
    clock = Clock()
    startup = time.perf_counter() - begun
    history = model.fit(training, epochs=options.epochs, validation_data=validation, callbacks=[kept, clock],
                        verbose=0).history
    best = min(range(options.epochs), key=history["val_loss"].__getitem__)
    answer = {"startup": startup, "epoch_seconds": clock.epochs, "rows": training.samples + validation.samples,
              "val_accuracy": history["val_accuracy"][best], "epoch": best + 1}
    if options.test:
        model.load_weights(options.out)
        test = photographs(options, options.test, None)
        answer["test_accuracy"] = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    return answer


def photographs(options, folder, subset):
    """The tutorial's generator: of each class the first share validates."""
    prepared, interpolation = PREPARATIONS[options.recipe]
    generator = tensorflow.keras.preprocessing.image.ImageDataGenerator(validation_split=options.share, **prepared)
    return generator.flow_from_directory(folder, target_size=work.SIZE, batch_size=BATCH, class_mode="sparse",
                                         interpolation=interpolation, subset=subset, shuffle=subset == "training",
                                         seed=options.seed)


def warm(model, training, validation):
    """A step and a look that leave nothing behind: building TensorFlow's graphs is the start, no epoch."""
    variables = [*model.variables, *model.optimizer.variables]
    values = [variable.numpy() for variable in variables]
    model.train_on_batch(*training[0])
    model.test_on_batch(*validation[0])
    for variable, value in zip(variables, values):
        variable.assign(value)


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch with its validation."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_begin(self, *_):
        self.begun = time.perf_counter()

    def on_epoch_end(self, *_):
        self.epochs.append(time.perf_counter() - self.begun)


if __name__ == "__main__":
    work.main("keras", BEGUN, None, {"keras": keras.__version__, "tensorflow": tensorflow.__version__},
              **{"augmentation": augmentation, "fine-tuning": fine_tuning})
