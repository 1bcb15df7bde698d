"""Style 1: classes that take whole batches, channels last, and keep their gradients as attributes.

    compare.wrap(Convolution(3, 3, 2, 5), kernel="W", bias="b",
                 gradients={"kernel": "dW", "bias": "db"})
"""

import numpy as np


class Convolution:
    """Correlates with kernels W (kh, kw, channels, filters), 'valid', step 1."""

    def __init__(self, height, width, channels, filters):
        self.W = np.random.default_rng(0).normal(0, 0.1, (height, width, channels, filters))
        self.b = np.zeros(filters)

    def forward(self, x):
        self.x = x
        kh, kw, _, filters = self.W.shape
        rows, columns = x.shape[1] - kh + 1, x.shape[2] - kw + 1
        y = np.zeros((len(x), rows, columns, filters)) + self.b
        for i in range(kh):
            for j in range(kw):
                y += x[:, i:i + rows, j:j + columns] @ self.W[i, j]
        return y

    def backward(self, dy):
        kh, kw = self.W.shape[:2]
        rows, columns = dy.shape[1:3]
        dx = np.zeros(self.x.shape)
        self.dW = np.zeros(self.W.shape)
        for i in range(kh):
            for j in range(kw):
                seen = self.x[:, i:i + rows, j:j + columns]
                self.dW[i, j] = np.tensordot(seen, dy, axes=([0, 1, 2], [0, 1, 2]))
                dx[:, i:i + rows, j:j + columns] += dy @ self.W[i, j].T
        self.db = dy.sum(axis=(0, 1, 2))
        return dx


class Rectifier:
    """max(x, 0)."""

    def forward(self, x):
        self.positive = x > 0
        return x * self.positive

    def backward(self, dy):
        return dy * self.positive


class Pooling:
    """The largest of each size x size pixels; what is left over at the border is dropped."""

    def __init__(self, size):
        self.size = size

    def forward(self, x):
        self.shape, s = x.shape, self.size
        n, height, width, channels = x.shape
        cut = x[:, :height // s * s, :width // s * s]
        windows = cut.reshape(n, height // s, s, width // s, s, channels)
        self.windows = windows.transpose(0, 1, 3, 5, 2, 4).reshape(
            n, height // s, width // s, channels, s * s)
        self.winner = self.windows.argmax(axis=-1)
        return self.windows.max(axis=-1)

    def backward(self, dy):
        s, (n, rows, columns, channels) = self.size, dy.shape
        spread = np.where(np.arange(s * s) == self.winner[..., None], dy[..., None], 0)
        pixels = spread.reshape(n, rows, columns, channels, s, s).transpose(0, 1, 4, 2, 5, 3)
        dx = np.zeros(self.shape)
        dx[:, :rows * s, :columns * s] = pixels.reshape(n, rows * s, columns * s, channels)
        return dx


class Flattening:
    """One row for each sample."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


class FullyConnected:
    """x W + b, with W of shape (inputs, outputs) and b of shape (1, outputs)."""

    def __init__(self, inputs, outputs):
        self.W = np.random.default_rng(1).normal(0, 0.1, (inputs, outputs))
        self.b = np.zeros((1, outputs))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0, keepdims=True)
        return dy @ self.W.T


class Softmax:
    """exp(x) over the row's sum."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, dy):
        return self.p * (dy - (dy * self.p).sum(axis=1, keepdims=True))


GRADIENTS = {"kernel": "dW", "bias": "db"}


def network(wrap, convolution=Convolution, pooling=Pooling, dense=FullyConnected):
    """The layers for images of (8, 7, 2), wrapped: 5 filters of 3x2, pooling by 2, 4 classes."""
    return [wrap(convolution(3, 2, 2, 5), kernel="W", bias="b", gradients=GRADIENTS),
            wrap(Rectifier()), wrap(pooling(2)), wrap(Flattening()),
            wrap(dense(45, 4), kernel="W", bias="b", gradients=GRADIENTS), wrap(Softmax())]
