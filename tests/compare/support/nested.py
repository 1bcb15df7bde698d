"""Networks of scratch with models inside models and layers that are called more than once."""

import numpy as np

import scratch
from tests.compare.support.graphs import finished

SHAPE, CLASSES = (6, 5, 2), 4


def shared(loss="sparse_categorical_crossentropy", optimizer=None, cls=scratch.Model, seed=1):
    """A convolution on its own output, and a base with a block in it that sees two images."""
    source = scratch.Input(SHAPE)
    again = scratch.Conv2D(2, 3, padding="same", kernel_regularizer="l2", name="again")
    base = two_deep()
    x = base(again(source))
    y = base(again(again(source)))
    x = scratch.Concatenate(name="both")([x, y])
    x = scratch.Dense(CLASSES, activation="softmax", name="last")(scratch.Flatten(name="row")(x))
    return finished(cls(source, x, name="shared"), loss, optimizer, seed)


def two_deep():
    """A Sequential with a graph in it: base.block.conv, base.block.add, base.norm, base.drop."""
    x = scratch.Input(SHAPE)
    y = scratch.Conv2D(2, (3, 2), padding="same", activation="elu", name="conv")(x)
    block = scratch.Model(x, scratch.Add(name="add")([x, y]), name="block")
    return scratch.Sequential([scratch.Input(SHAPE), block, scratch.BatchNormalization(name="norm"),
                               scratch.Dropout(0.3, name="drop")], name="base")


def images(samples=5, seed=2):
    """(x, y) for `shared`."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((samples, *SHAPE)), rng.permutation(samples) % CLASSES
