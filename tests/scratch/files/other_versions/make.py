"""Makes the archives beside it: small models, as one version of Keras saves them.

Run it with the version whose files are wanted, in an environment of its own:

    python make.py FOLDER

It writes FOLDER/keras-VERSION.tar.xz, in which are, for each network below, its files, as that
Keras writes them, and a batch with what that Keras predicts for it, from the model as it loads it
again, and with the model that it saved after one more step of training. It imports nothing of this
project.
"""

import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

try:
    import keras

    VERSION = keras.__version__
except ImportError:
    VERSION = tf.keras.__version__
if VERSION.startswith("2"):
    keras = tf.keras
L = keras.layers


def stack():
    """A stack: activations by several names, BatchNormalization, a slope, a layer that draws."""
    model = keras.Sequential([
        keras.Input((6, 5, 2)),
        L.Conv2D(3, (3, 2), padding="same", activation="swish", kernel_regularizer="l2"),
        L.BatchNormalization(),
        L.LeakyReLU(),
        L.DepthwiseConv2D((2, 3)),
        L.MaxPooling2D((2, 1)),
        L.Activation("softplus"),
        L.Dropout(0.25),
        L.Flatten(),
        L.Dense(4, activation="softmax"),
    ], name="stack")
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model, np.array([0, 3, 1])


def nested():
    """A graph with a frozen stack inside, a layer that is called twice, and merging layers."""
    base = keras.Sequential([keras.Input((6, 5, 3)), L.Conv2D(3, (2, 3), name="inside"),
                             L.BatchNormalization(name="norm"), L.ReLU(6.0)], name="base")
    base.trainable = False
    source = keras.Input((6, 5, 3), name="image")
    tied = L.Conv2D(3, 3, padding="same", name="tied", activation="tanh")
    x = L.Add(name="sum")([tied(tied(source)), source])
    x = base(x, training=False)
    left = L.GlobalAveragePooling2D(name="left")(x)
    right = L.GlobalMaxPooling2D(name="right")(x)
    x = L.Concatenate(name="both")([left, right])
    model = keras.Model(source, L.Dense(2, name="head")(x), name="nested")
    model.compile(keras.optimizers.Adam(0.01), keras.losses.MeanSquaredError())
    return model, np.arange(6, dtype="float32").reshape(3, 2) / 4


def arithmetic():
    """A graph with operators between layers, if this Keras has them as layers."""
    source = keras.Input((4, 5, 2), name="image")
    x = L.Conv2D(2, 3, padding="same", name="conv")(source)
    x = L.ReLU(6.0, name="clipped")(x + 3.0) * (1.0 / 6.0)
    model = keras.Model(source, L.Dense(3, name="head")(L.Flatten()(x * source)), name="arithmetic")
    model.compile("rmsprop", "mean_squared_error")
    return model, np.arange(9, dtype="float32").reshape(3, 3) / 8


def write(folder: Path, build) -> None:
    """The files of one network, trained for two steps."""
    name = build.__name__
    tf.random.set_seed(7)
    model, y = build()
    rng = np.random.default_rng(7)
    x = rng.normal(size=(3, *model.input_shape[1:])).astype("float32")
    for weight in model.weights:  # none is the 0 or 1 that it begins with
        weight.assign(rng.uniform(0.1, 0.6, weight.shape).astype("float32"))
    for _ in range(2):
        model.train_on_batch(x, y)
    for ending in (".keras", ".h5", ".weights.h5"):
        try:
            if ending == ".weights.h5":
                model.save_weights(folder / f"{name}{ending}")
            else:
                model.save(folder / f"{name}{ending}")
        except (ValueError, NotImplementedError, TypeError) as error:
            print(f"{VERSION} {name}{ending}: {error}", file=sys.stderr)
            (folder / f"{name}{ending}").unlink(missing_ok=True)
    # Keras 3.2.1 runs another graph than it saves: what it makes of its file is what counts
    saved = np.array(keras.models.load_model(folder / f"{name}.keras")(x, training=False))
    model.train_on_batch(x, y)
    np.savez(folder / f"{name}.npz", x=x, y=y, predictions=saved,
             continued=np.array(model(x, training=False)))


def main(target: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for build in (stack, nested, arithmetic):
            write(folder, build)
        with tarfile.open(Path(target) / f"keras-{VERSION}.tar.xz", "w:xz", preset=9) as archive:
            for file in sorted(folder.iterdir()):
                if file.is_file():
                    archive.add(file, file.name)


if __name__ == "__main__":
    main(sys.argv[1])
