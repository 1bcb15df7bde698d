"""What the tests of the declared differences share: small models of either side, and their runs."""

import warnings

import numpy as np

import scratch

IMAGE, VOLUME = (2, 6, 7, 4), (2, 3, 4, 7, 4)


def sides(keras, name):
    """The class of that name in Keras and in scratch."""
    return getattr(keras.layers, name), getattr(scratch, name)


def real(shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def whole(shape, seed=1):
    """Whole numbers so small that their sums of products are exact in float32."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype("float32")


def dense(library, loss="mse", units=1, activation=None, weights=None):
    """A dense layer for (batch, 3), compiled, made by either side."""
    layers = getattr(library, "layers", library)
    model = library.Sequential([library.Input((3,)), layers.Dense(units, activation=activation)])
    model.compile("sgd", loss)
    if weights is not None:
        model.set_weights(weights)
    return model


def fitted(model, *data, **settings):
    """The history of a silent run, and the warnings that it gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(*data, verbose=0, **settings).history
    return history, [str(warning.message) for warning in caught]


def batches(count):
    for _ in range(count):
        yield np.ones((2, 3), "float32"), np.array([0, 1])
