"""The good files that are spoiled: models, weights and golden traces, all small."""

import numpy as np

import compare
import scratch
from tests.scratch.support import graphs


def network() -> scratch.Sequential:
    """A stack with weights, statistics and an optimizer that has slots."""
    model = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, 2, activation="relu", name="conv"),
        scratch.BatchNormalization(name="norm"), scratch.AveragePooling2D(2, name="pool"),
        scratch.Flatten(name="flat"), scratch.Dense(4, activation="softmax", name="dense")],
        name="net")
    model.compile(scratch.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def write(folder) -> list:
    """Write them all; returns their paths."""
    model = network()
    x, y = np.random.default_rng(0).standard_normal((4, 6, 5, 2)), np.arange(4)
    model.fit(x, y, verbose=0)
    graph = graphs.excited()
    paths = [folder / name for name in ("stack.keras", "graph.keras", "stack.weights.h5",
                                        "stack.npz")]
    model.save(paths[0])
    graph.save(paths[1])
    model.save_weights(paths[2])
    compare.record(model, x, y).save(paths[3])
    return paths
