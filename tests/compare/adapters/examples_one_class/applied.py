"""A network that holds layers, channels first; each applies its gradients on the way back.

    compare.wrap(SmallCNN(), data_format="channels_first", gradients="applied",
                 backward_takes=("logits_gradient", "learning_rate"))
"""

import numpy as np


class Conv3x3:
    def __init__(self, channels, filters):
        rng = np.random.default_rng(5)
        self.filters = rng.normal(0, 0.1, (filters, channels, 3, 3))
        self.bias = np.zeros(filters)

    def forward(self, x):
        self.x = x
        n, _, h, w = x.shape
        y = np.zeros((n, len(self.filters), h - 2, w - 2))
        for i in range(h - 2):
            for j in range(w - 2):
                y[:, :, i, j] = np.tensordot(x[:, :, i:i+3, j:j+3], self.filters,
                                             ([1, 2, 3], [1, 2, 3]))
        return y + self.bias[:, None, None]

    def backward(self, dy, rate):
        dx, dw = np.zeros_like(self.x, float), np.zeros_like(self.filters)
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                patch = self.x[:, :, i:i+3, j:j+3]
                dw += np.tensordot(dy[:, :, i, j], patch, (0, 0))
                dx[:, :, i:i+3, j:j+3] += np.tensordot(dy[:, :, i, j], self.filters, (1, 0))
        self.filters -= rate * dw
        self.bias -= rate * dy.sum((0, 2, 3))
        return dx


class Linear:
    def __init__(self, inputs, outputs):
        rng = np.random.default_rng(6)
        self.weight, self.bias = rng.normal(0, 0.1, (inputs, outputs)), np.zeros(outputs)

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, dy, rate):
        dx = dy @ self.weight.T
        self.weight -= rate * self.x.T @ dy
        self.bias -= rate * dy.sum(0)
        return dx


class SmallCNN:
    """Convolution, ReLU, flattened channel by channel, dense, softmax."""

    def __init__(self):
        self.conv, self.fc = Conv3x3(2, 3), Linear(3 * 6 * 5, 4)

    def forward(self, x):
        self.z = self.conv.forward(x)
        h = np.maximum(self.z, 0)
        scores = self.fc.forward(h.reshape(len(h), -1))
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, dscores, rate):
        dh = self.fc.backward(dscores, rate).reshape(self.z.shape)
        return self.conv.backward(self.mask(dh), rate)

    def mask(self, dh):
        return dh * (self.z > 0)


def network(wrap, make=SmallCNN, **changed):
    return wrap(make(), **{**dict(
        data_format="channels_first", gradients="applied",
        backward_takes=("logits_gradient", "learning_rate")), **changed})
