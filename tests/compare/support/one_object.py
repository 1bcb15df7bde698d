"""Objects of somebody's own that do the work of several of Keras's layers."""

import numpy as np

PER_IMAGE = {"kernel": "weights", "bias": "biases", "backward": "backprop", "batched": False,
             "gradients": "applied", "backward_takes": ("dy", "learning_rate")}


class DenseSoftmax:
    """Flattens one image, a dense layer, softmax; handed dL/dp, of which it takes the first number
    that is not zero, as it is for one label."""

    def __init__(self, inputs, classes):
        self.weights = np.random.default_rng(0).normal(size=(inputs, classes)) / inputs
        self.biases = np.zeros(classes)

    def forward(self, image):
        self.shape, self.x = image.shape, image.flatten()
        powers = np.exp(self.x @ self.weights + self.biases)
        self.p = powers / powers.sum()
        return self.p

    def backprop(self, dp, rate):
        at = np.nonzero(dp)[0][0]
        slope = -self.p[at] * self.p
        slope[at] += self.p[at]
        return self.stepped(dp[at] * slope, rate)

    def from_label(self, label, rate):
        dz = self.p.copy()
        dz[label] -= 1
        return self.stepped(dz, rate)

    def stepped(self, dz, rate):
        dx = self.weights @ dz
        self.weights -= rate * np.outer(self.x, dz)
        self.biases -= rate * dz
        return dx.reshape(self.shape)


class UpdatesFirst(DenseSoftmax):
    def stepped(self, dz, rate):
        self.weights -= rate * np.outer(self.x, dz)
        self.biases -= rate * dz
        return (self.weights @ dz).reshape(self.shape)


class WithoutJacobian(DenseSoftmax):
    def backprop(self, dp, rate):
        return self.stepped(dp, rate)


class DiagonalAlone(DenseSoftmax):
    def backprop(self, dp, rate):
        return self.stepped(dp * self.p * (1 - self.p), rate)


class PaddedConv:
    """A frame of zeros, and a 3 by 3 convolution; channels last, HWIO."""

    frame = ((0, 0), (1, 1), (1, 1), (0, 0))

    def __init__(self):
        self.w, self.b = np.zeros((3, 3, 2, 3)), np.zeros(3)

    def forward(self, x):
        self.x = np.pad(x, self.frame)
        h, w = x.shape[1:3]
        return sum(self.x[:, i:i + h, j:j + w] @ self.w[i, j]
                   for i in range(3) for j in range(3)) + self.b

    def backward(self, dy):
        h, w = dy.shape[1:3]
        dx, self.dw, self.db = np.zeros(self.x.shape), np.zeros(self.w.shape), dy.sum((0, 1, 2))
        for i in range(3):
            for j in range(3):
                part = np.s_[:, i:i + h, j:j + w]
                self.dw[i, j] = np.tensordot(self.x[part], dy, ((0, 1, 2), (0, 1, 2)))
                dx[part] += dy @ self.w[i, j].T
        (_, (top, _), (left, _), _) = self.frame
        return dx[:, top:top + h, left:left + w]


class PadsBelow(PaddedConv):
    frame = ((0, 0), (0, 2), (0, 2), (0, 0))


class LeCunTanh:
    """1.7159 tanh(2 x / 3)."""

    inner = 2 / 3

    def forward(self, x):
        self.y = np.tanh(self.inner * x)
        return 1.7159 * self.y

    def backward(self, dy):
        return 1.7159 * self.inner * dy * (1 - self.y ** 2)


class Halved(LeCunTanh):
    def forward(self, x):
        return super().forward(x) / 2


def pair():
    """For the command line: a dense layer with its softmax that makes its step too early."""
    import keras

    import compare

    keras.utils.set_random_seed(1)
    twin = keras.Sequential([
        keras.Input((6, 5, 2)), keras.layers.Flatten(name="flat"),
        keras.layers.Dense(4, activation="softmax", name="fc")])
    twin.compile("sgd", "sparse_categorical_crossentropy")
    return [compare.wrap(UpdatesFirst(60, 4), layers=2, **PER_IMAGE)], twin
