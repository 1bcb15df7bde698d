"""Networks of scratch that are no mere stacks: forks, merges, statistics, noise and penalties.

`changed` replaces classes, such as norm=MyBatchNormalization, so that a mistake can be put in.
"""

import numpy as np

import scratch
from scratch.regularizers import L1, L1L2, L2

SHAPE, CLASSES, FEATURES = (6, 5, 2), 4, 7


def residual(loss="sparse_categorical_crossentropy", optimizer=None, dtype="float32", seed=1,
             cls=scratch.Model, **changed) -> scratch.Model:
    """A small residual network on images (6, 5, 2), with four classes."""
    make = {"conv": scratch.Conv2D, "norm": scratch.BatchNormalization, "add": scratch.Add,
            "drop": scratch.Dropout, "cat": scratch.Concatenate, "dense": scratch.Dense, **changed}
    source = scratch.Input(SHAPE, dtype=dtype)
    x = make["conv"](4, (3, 2), padding="same", use_bias=False, kernel_regularizer=L2(0.01),
                     name="first", dtype=dtype)(source)
    x = make["norm"](momentum=0.9, name="norm", dtype=dtype)(x)
    x = scratch.ReLU(name="relu", dtype=dtype)(x)
    y = make["conv"](4, 3, padding="same", name="second", dtype=dtype)(x)
    y = make["norm"](gamma_regularizer=L1(0.02), name="other_norm", dtype=dtype)(y)
    x = make["add"](name="add", dtype=dtype)([x, y])
    x = make["drop"](0.3, name="drop", dtype=dtype)(x)
    z = make["conv"](3, 1, activation="elu", activity_regularizer=L2(0.05), name="third",
                     dtype=dtype)(x)
    x = make["cat"](name="cat", dtype=dtype)([x, z])
    x = scratch.GlobalAveragePooling2D(name="mean", dtype=dtype)(x)
    x = make["dense"](CLASSES, activation="softmax", kernel_regularizer=L1L2(0.01, 0.02),
                      name="last", dtype=dtype)(x)
    return finished(cls(source, x, name="residual"), loss, optimizer, seed)


def gated(loss="binary_crossentropy", optimizer=None, dtype="float32", seed=1,
          **changed) -> scratch.Model:
    """Two branches multiplied, noise added, one tensor read twice by one layer; one output."""
    make = {"multiply": scratch.Multiply, "noise": scratch.GaussianNoise,
            "norm": scratch.LayerNormalization, "add": scratch.Add, **changed}
    source = scratch.Input((FEATURES,), dtype=dtype)
    a = scratch.Dense(5, activation="gelu", name="a", dtype=dtype)(source)
    b = scratch.Dense(5, activation="sigmoid", name="b", dtype=dtype)(source)
    x = make["multiply"](name="multiply", dtype=dtype)([a, b])
    x = make["noise"](0.2, name="noise", dtype=dtype)(x)
    x = make["norm"](name="norm", dtype=dtype)(x)
    x = make["add"](name="add", dtype=dtype)([x, x])
    x = scratch.Dense(1, activation="sigmoid", name="last", dtype=dtype)(x)
    return finished(scratch.Model(source, x, name="gated"), loss, optimizer, seed)


def finished(model, loss, optimizer, seed: int):
    """The model with weights and moving statistics of its own, compiled if there is a loss."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for name, weight in layer.params.items():
            drawn = rng.standard_normal(weight.shape) / 2
            weight[...] = np.abs(drawn) + 0.5 if name == "moving_variance" else drawn
    if loss:
        model.compile(optimizer or scratch.SGD(0.1), loss)
    return model


def images(samples=5, seed=2):
    """(x, y) for `residual`."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((samples, *SHAPE)), rng.permutation(samples) % CLASSES


def features(samples=5, seed=2):
    """(x, y, weights of the samples) for `gated`."""
    rng = np.random.default_rng(seed)
    y = (rng.permutation(samples) % 2)[:, None]
    return rng.standard_normal((samples, FEATURES)), y, rng.permutation(samples) * 0.5
