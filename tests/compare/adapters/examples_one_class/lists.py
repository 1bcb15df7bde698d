"""Lists of weights and biases, a column for each sample, one sample at a time.

    compare.wrap(Sigmoids([6, 5, 4]), forward="feedforward", backward="backprop",
                 backward_takes=("x", "labels"), backward_gives=("gradients", "gradients"),
                 batched="one", batch_axis=-1)
"""

import numpy as np


class Sigmoids:
    """Layers of sigmoids, with half the squared distance from the targets as the loss."""

    def __init__(self, sizes):
        rng = np.random.default_rng(4)
        self.num_layers = len(sizes)
        self.biases = [rng.normal(size=(n, 1)) for n in sizes[1:]]
        self.weights = [rng.normal(size=(n, m)) for m, n in zip(sizes[:-1], sizes[1:])]

    def feedforward(self, a):
        for w, b in zip(self.weights, self.biases):
            a = 1 / (1 + np.exp(-(w @ a + b)))
        return a

    def backprop(self, x, y):
        activations = [x]
        for w, b in zip(self.weights, self.biases):
            activations.append(1 / (1 + np.exp(-(w @ activations[-1] + b))))
        delta = self.cost_derivative(activations[-1], y) * self.prime(activations[-1])
        nabla_w, nabla_b = [], []
        for i in reversed(range(len(self.weights))):
            nabla_b.insert(0, delta)
            nabla_w.insert(0, delta @ activations[i].T)
            delta = (self.weights[i].T @ delta) * self.prime(activations[i])
        return nabla_b, nabla_w

    def cost_derivative(self, a, y):
        return (a - y) / 2  # Keras's mean over 4 outputs, of squares: 2 / 4

    def prime(self, a):
        return a * (1 - a)


def network(wrap, make=Sigmoids, **changed):
    return wrap(make([6, 5, 4]), **{**dict(
        forward="feedforward", backward="backprop", backward_takes=("x", "labels"),
        backward_gives="gradients", batched="one", batch_axis=-1), **changed})
