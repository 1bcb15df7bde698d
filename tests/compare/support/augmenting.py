"""Networks whose first layers change images at random, and what a check says of wrong draws."""

import numpy as np

import compare
import scratch


def augmenting(*layers):
    """A classifier of images (6, 5, 3) that these layers change first, compiled."""
    scratch.set_random_seed(1)
    model = scratch.Sequential([scratch.Input((6, 5, 3)), *layers,
                                scratch.Conv2D(2, (2, 3), activation="tanh"), scratch.Flatten(),
                                scratch.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def assert_draws_fail(own, right, said):
    """A layer that draws otherwise than the right one fails by its draws alone, and by name."""
    x = np.random.default_rng(0).random((6, 4, 5, 3))
    own.name = right.name = "layer"
    models = [scratch.Sequential([scratch.Input((4, 5, 3)), layer]) for layer in (own, right)]
    report = compare.check(*models, x, upstream=x)
    noise = [row for row in report.rows if row.tensor == "noise"]
    assert [row.passed for row in noise] == [False], report
    assert said in noise[0].note, noise[0].note
    assert report.cause is not None and report.cause.identifier.startswith("noise-")
