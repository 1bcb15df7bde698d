"""Models of several inputs and outputs as people build them, in Keras, with a batch each."""

import json
from typing import NamedTuple

import numpy as np

import scratch

SPARSE = "sparse_categorical_crossentropy"


class Case(NamedTuple):
    """A compiled Keras model, what it is given, and the names of its figures."""

    twin: object
    x: object
    y: object
    figures: list


def siamese(keras, rng):
    """Two inputs through the same layers; one output, of the distance."""
    L = keras.layers
    a, b = keras.Input((6, 5, 2), name="a"), keras.Input((6, 5, 2), name="b")
    image = keras.Input((6, 5, 2))
    tower = keras.Model(image, L.Dense(4)(L.Flatten()(L.Conv2D(3, (2, 3), activation="relu")(
        image))), name="tower")
    apart = L.Subtract()([tower(a), tower(b)])
    twin = keras.Model([a, b], L.Dense(1, activation="sigmoid")(L.Multiply()([apart, apart])))
    twin.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    x = [rng.standard_normal((7, 6, 5, 2)).astype("float32") for _ in "ab"]
    return Case(twin, x, rng.integers(0, 2, (7, 1)).astype("float32"), ["loss", "accuracy"])


def multi_task(keras, rng):
    """A class and a box of the same features, weighted."""
    L = keras.layers
    image = keras.Input((6, 5, 2))
    x = L.Flatten()(L.Conv2D(3, (3, 2))(image))
    kinds = L.Dense(3, activation="softmax", name="kind")(x)
    box = L.Dense(4, name="box", kernel_regularizer="l2")(x)
    twin = keras.Model(image, [kinds, box])
    twin.compile("sgd", [SPARSE, "mse"], loss_weights=[1.0, 0.2],
                 metrics=[["accuracy"], ["mae", "mse"]])
    return Case(twin, rng.standard_normal((7, 6, 5, 2)).astype("float32"),
                [rng.integers(0, 3, 7), rng.standard_normal((7, 4)).astype("float32")],
                ["loss", "kind_loss", "box_loss", "box_mae", "box_mse", "kind_accuracy"])


def autoencoder(keras, rng):
    """An image made again from a code that a classifier reads, too; the code is an output."""
    L = keras.layers
    image = keras.Input((6, 4, 2), name="image")
    code = L.Dense(5, activation="tanh", name="code")(L.Flatten()(image))
    again = L.Reshape((6, 4, 2), name="again")(L.Dense(48)(code))
    label = L.Dense(3, activation="softmax", name="label")(code)
    twin = keras.Model(image, {"again": again, "label": label, "code": code})
    twin.compile("rmsprop", {"label": SPARSE, "again": "mae", "code": "mse"},
                 loss_weights={"again": 2.0, "code": 0.5, "label": 0.1},
                 metrics={"label": ["accuracy"]})
    return Case(twin, rng.standard_normal((7, 6, 4, 2)).astype("float32"),
                {"again": rng.standard_normal((7, 6, 4, 2)).astype("float32"),
                 "label": rng.integers(0, 3, 7), "code": np.zeros((7, 5), "float32")},
                ["loss", "label_loss", "again_loss", "code_loss", "label_accuracy"])


def by_names(keras, rng):
    """Dictionaries in and out, whose keys are neither sorted nor the layers' names."""
    L = keras.layers
    left, right = keras.Input((5,), name="z"), keras.Input((3,), name="a")
    joined = L.Concatenate()([left, L.Dense(4)(right)])
    out = {"y": L.Dense(2, name="first")(joined), "b": L.Dense(3, name="second")(left)}
    twin = keras.Model({"z": left, "a": right}, out)  # one output reads one input alone
    twin.compile("adam", {"b": "mse", "y": "huber"}, metrics={"y": ["mae"]})
    return Case(twin, {"z": rng.standard_normal((7, 5)).astype("float32"),
                       "a": rng.standard_normal((7, 3)).astype("float32")},
                {"y": rng.standard_normal((7, 2)).astype("float32"),
                 "b": rng.standard_normal((7, 3)).astype("float32")},
                ["loss", "b_loss", "y_loss", "y_mae"])


def without_a_loss(keras, rng):
    """Two outputs, one of which has no loss and no trained layer of its own that learns."""
    L = keras.layers
    source = keras.Input((5,))
    shared = L.Dense(4, activation="relu")(source)
    twin = keras.Model(source, [L.Dense(2, name="seen")(shared), L.Dense(3, name="free")(shared)])
    twin.compile(keras.optimizers.AdamW(0.01), ["mse", None], loss_weights=[3.0, None])
    return Case(twin, rng.standard_normal((7, 5)).astype("float32"),
                [rng.standard_normal((7, 2)).astype("float32"), np.zeros((7, 3), "float32")],
                ["loss"])


def nested(keras, rng):
    """A model of two inputs and two outputs inside another, called twice."""
    L = keras.layers
    i, j = keras.Input((4,)), keras.Input((4,))
    inner = keras.Model([i, j], [L.Dense(2)(i), L.Add()([L.Dense(4)(i), j])], name="inner")
    a, b = keras.Input((4,)), keras.Input((4,))
    two, four = inner([a, b])
    _, again = inner([four, a])
    twin = keras.Model([a, b], [L.Concatenate(name="wide")([again, two]), four])
    twin.compile("adam", ["mse", "mae"], loss_weights=[0.5, 2.0])
    x = [rng.standard_normal((7, 4)).astype("float32") for _ in "ab"]
    return Case(twin, x, [np.ones((7, 6), "float32"), np.zeros((7, 4), "float32")],
                ["loss", "wide_loss", "inner_loss"])


CASES = (siamese, multi_task, autoencoder, by_names, without_a_loss, nested)


def plain(config):
    return json.loads(json.dumps(config))


def made(keras, build, seed=3):
    """(the case, the scratch model with the same weights, compiled alike)."""
    keras.utils.set_random_seed(seed)
    case = build(keras, np.random.default_rng(seed))
    model = scratch.model_from_config(plain(case.twin.get_config()))
    model.set_weights(case.twin.get_weights())
    model.compile_from_config(plain(case.twin.get_compile_config()))
    return case, model
