"""Style 4: modules as in PyTorch: weights (out, in), gradients beside them that add up until they
are cleared, and an output layer that is softmax and loss in one.

    compare.wrap(Linear(45, 4), kernel="weight.data", bias="bias.data", kernel_layout="OI",
                 gradients={"kernel": "weight.grad", "bias": "bias.grad"}, reset="zero_grad")
"""

import numpy as np


class Parameter:
    """Numbers and their gradient."""

    def __init__(self, data):
        self.data = data
        self.grad = np.zeros_like(data)


class Linear:
    """x weight^T + bias."""

    def __init__(self, inputs, outputs):
        rng = np.random.default_rng(0)
        self.weight = Parameter(rng.normal(0, 0.1, (outputs, inputs)).astype(np.float32))
        self.bias = Parameter(np.zeros(outputs, np.float32))

    def zero_grad(self):
        self.weight.grad, self.bias.grad = (np.zeros_like(p.data)
                                            for p in (self.weight, self.bias))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data.T + self.bias.data

    def backward(self, dy):
        self.weight.grad += dy.T @ self.x
        self.bias.grad += dy.sum(axis=0)
        return dy @ self.weight.data


class Tanh:
    """tanh."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y ** 2)


class CrossEntropy:
    """Softmax and the cross-entropy of class numbers; the gradient is each sample's, without 1/N.
    """

    def forward(self, logits):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.probabilities = e / e.sum(axis=1, keepdims=True)
        return self.probabilities

    def backward(self, one_hot):
        return self.probabilities - one_hot


LINEAR = {"kernel": "weight.data", "bias": "bias.data", "kernel_layout": "OI",
          "gradients": {"kernel": "weight.grad", "bias": "bias.grad"}, "reset": "zero_grad"}


def network(wrap, linear=Linear, loss=CrossEntropy):
    """The layers for rows of 6 numbers, wrapped: 5 units with tanh apart, 4 classes."""
    return [wrap(linear(6, 5), **LINEAR), wrap(Tanh()), wrap(linear(5, 4), **LINEAR),
            wrap(loss(), backward_takes=("labels",), labels="one_hot", divides_by_batch=False)]
