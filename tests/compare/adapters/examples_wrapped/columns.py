"""Style 5: a column for each sample, weights (out, in), gradients that the layer divides by N.

    compare.wrap(Layer(6, 5), kernel="W", bias="b", kernel_layout="OI", batch_axis=-1,
                 backward_gives=("input_gradient", "kernel_gradient", "bias_gradient"),
                 divides_by_batch=True)
"""

import numpy as np


class Layer:
    """W X + b for X of shape (inputs, N)."""

    def __init__(self, inputs, outputs):
        self.W = np.random.default_rng(0).normal(0, 0.1, (outputs, inputs))
        self.b = np.zeros((outputs, 1))

    def forward(self, X):
        self.X = X
        return self.W @ X + self.b

    def backward(self, dZ):
        m = self.X.shape[1]
        return (self.W.T @ dZ, 1 / m * (dZ @ self.X.T),
                1 / m * dZ.sum(axis=1, keepdims=True))


class PerSample:
    """x W, with a gradient of W for each sample of its own, to be added up."""

    def __init__(self, inputs, outputs):
        self.W = np.random.default_rng(0).normal(0, 0.1, (inputs, outputs))
        self.b = np.zeros(outputs)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.each_dW = self.x[:, :, None] * dy[:, None, :]
        self.each_db = dy
        return dy @ self.W.T


RETURNED = ("input_gradient", "kernel_gradient", "bias_gradient")


def network(wrap, layer=Layer, per_sample=PerSample):
    """The layers for rows of 6 numbers, wrapped: 5 units, then 4."""
    return [wrap(layer(6, 5), kernel="W", bias="b", kernel_layout="OI", batch_axis=-1,
                 backward_gives=RETURNED, divides_by_batch=True),
            wrap(per_sample(5, 4), kernel="W", bias="b", per_sample=True,
                 gradients={"kernel": "each_dW", "bias": "each_db"})]
