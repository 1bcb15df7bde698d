"""The Keras networks that the wrapped examples stand for, and batches for them."""

import numpy as np

CLASSES = 4


def images(keras, kernel=(3, 2), padding="valid", softmax=True):
    """Of images (8, 7, 2); without a softmax layer the loss takes logits."""
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((8, 7, 2)), layers.Conv2D(5, kernel, padding=padding, name="conv"),
        layers.ReLU(name="relu"), layers.MaxPooling2D(2, name="pool"),
        layers.Flatten(name="flatten"), layers.Dense(CLASSES, name="dense"),
        *[layers.Softmax(name="softmax")] * softmax])
    return compiled(keras, model, keras.losses.SparseCategoricalCrossentropy(
        from_logits=not softmax))


def classifier(keras):
    """Of rows of 6 numbers, with activations inside the layers."""
    layers = keras.layers
    return compiled(keras, keras.Sequential([
        keras.Input((6,)), layers.Dense(5, activation="tanh", name="first"),
        layers.Dense(CLASSES, activation="softmax", name="last")]),
        "sparse_categorical_crossentropy")


def regression(keras):
    """Of rows of 6 numbers."""
    layers = keras.layers
    return compiled(keras, keras.Sequential([
        keras.Input((6,)), layers.Dense(5, name="first"), layers.Dense(CLASSES, name="last")]),
        "mean_squared_error")


def compiled(keras, model, loss):
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(0, 0.4, w.shape) for w in model.get_weights()])
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


def batch(shape, samples=6, classes=CLASSES):
    """(x, labels)."""
    rng = np.random.default_rng(1)
    return (rng.standard_normal((samples, *shape)).astype("float32"),
            rng.permutation(samples) % classes)


def targets(samples=6):
    """For the regression."""
    return np.random.default_rng(2).standard_normal((samples, CLASSES)).astype("float32")


def own_doing(report) -> set:
    """(layer, tensor) of the rows that fail by themselves, of single layers and the loss."""
    return {(row.layer, row.tensor) for row in report.rows
            if not row.passed and row.gate in ("whole numbers", "few terms", "forward", "loss",
                                               "backward", "inference")}
