"""A weight by itself, as a custom layer of Keras uses one: added, multiplied with, a matrix."""

import math

import numpy as np

from scratch import initializers
from scratch.layers.arguments import positive
from scratch.layers.base import Layer


class OwnWeight(Layer):
    """The same weight for every sample, whatever the input holds.

    It stands where a custom layer of a live Keras model combines a weight of its own, made by
    `add_weight`, with tensors: a learned position embedding, a scale, a matrix. The input only says
    how many samples there are; its gradient is zero.

    Weights: one, of the name `weight` and of `shape`.

    Args:
        weight: the weight's name.
        shape: the weight's shape.
        output_shape: in which shape it is put out for a sample; as many numbers.
        initializer: how the first weight is made, a name or an object of `scratch.initializers`.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...).

    Output shape:
        (batch, *output_shape).

    Raises:
        ValueError: for shapes that are none, or do not hold as many numbers.

    Example:
        >>> layer = scratch.layers.OwnWeight("gain", (2,), (1, 2), initializer="ones")
        >>> layer(np.zeros((3, 5))).shape, layer.params["gain"].tolist()
        ((3, 1, 2), [1.0, 1.0])
    """

    keras_module = "reference.own_weight"
    sample_by_sample = True

    def __init__(self, weight, shape, output_shape, initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.weight = str(weight)
        self.shape, self.sample = (tuple(positive(size, "shape", self) for size in sizes)
                                   for sizes in (shape, output_shape))
        if math.prod(self.shape) != math.prod(self.sample):
            raise ValueError(f"{self}: expected output_shape to hold as many numbers as shape. "
                             f"Received: shape={self.shape} and output_shape={self.sample}")
        self.initializers = {self.weight: initializers.get(initializer)}

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.sample)

    def build(self, input_shape):
        super().build(input_shape)
        self.add_weight(self.weight, self.shape, self.initializers[self.weight])

    def forward(self, x, training=False):
        self._read = x.shape
        # (...) -> (N, ...)
        return np.repeat(self.params[self.weight].reshape(1, *self.sample), len(x), axis=0)

    def backward(self, dy, wants_input_gradient=True):
        # (N, ...) -> (...)
        self.grads = {self.weight: dy.sum(axis=0).reshape(self.shape)}
        return np.zeros(self._read, dy.dtype) if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "weight": self.weight, "shape": list(self.shape),
                "output_shape": list(self.sample),
                "initializer": initializers.serialize(self.initializers[self.weight])}
