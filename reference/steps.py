"""A layer of a model that a TimeDistributed runs on every step, as an op of its own.

Keras runs the whole model on one step after the other. To run each of its layers on all steps
before the next one computes the same, and shows what each of them makes.
"""

import itertools
from collections.abc import Iterator
from typing import Any

from reference.quiet import keras, tf

# on their inputs one by one, not on a list of them
CALLED_APART = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)


class OnSteps:
    """Runs a layer, or an operation, on each step of (batch, steps, ...), one after the other.

    Attributes:
        layer: what is run, which all weights, penalties and flags are of.
    """

    class_name = "TimeDistributed"

    def __init__(self, layer: Any) -> None:
        self.layer, self.name = layer, layer.name

    weights = property(lambda self: self.layer.weights)
    trainable = property(lambda self: self.layer.trainable)
    compute_dtype = property(lambda self: self.layer.compute_dtype)
    add_loss = property(lambda self: self.layer.add_loss)
    input = None

    @property
    def activity_regularizer(self):
        """Of what is run: a penalty on all steps is the sum of those on each."""
        return self.layer.activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, value):
        if value is not self.layer.activity_regularizer:
            self.layer.activity_regularizer = value

    def __call__(self, x, training=None):
        """The outputs of all steps, (batch, steps, ...), of a tensor or of a list of them."""
        several = isinstance(x, (list, tuple))
        apart = isinstance(self.layer, CALLED_APART)
        made = []
        for t in range((x[0] if several else x).shape[1]):
            step = [each[:, t] for each in x] if several else x[:, t]
            made.append(self.layer(*(step if apart else [step]), training=training))
        return tf.stack(made, axis=1)


STEPWISE = (keras.layers.TimeDistributed, OnSteps)


def around_model(layer: Any) -> bool:
    """Whether it is a TimeDistributed around a model."""
    return isinstance(layer, keras.layers.TimeDistributed) and isinstance(layer.layer, keras.Model)


def inside(layer: Any) -> Any:
    """What runs on each step, or the layer itself."""
    return of_a_step(layer, ())[0]


def of_a_step(layer: Any, shape: tuple) -> tuple[Any, tuple]:
    """(the layer that runs on each step, the shape of a step), or both as they are."""
    while isinstance(layer, STEPWISE):
        layer, shape = layer.layer, (*shape[:1], *shape[2:])
    return layer, shape


def at_step(noise: Any, t: int) -> Any:
    """What is handed to a layer at a step, of all (batch, steps, ...)."""
    return noise[:, t]


def in_turn(tensors: list) -> Iterator[Any]:
    """What each of a layer's calls is handed, over and over: tensors, or functions that give them,
    asked in the graph that uses them, since variables may hold them."""
    for each in itertools.cycle(tensors):
        yield each() if callable(each) else each
