"""Style 2: one image at a time, channels first; the way back makes the step at once.

    compare.wrap(Filters(5, 2, 3, 2), kernel="filters", bias="biases", kernel_layout="OIHW",
                 data_format="channels_first", batched=False,
                 backward="backprop", backward_takes=("dy", "learning_rate"), gradients="applied")

No gradient of a weight is ever shown: they are recovered from the change in the weights.
"""

import itertools

import numpy as np


class Filters:
    """Correlates one image (channels, H, W) with filters (filters, channels, kh, kw), 'valid'."""

    def __init__(self, count, channels, height, width):
        self.filters = np.random.default_rng(0).normal(0, 0.1, (count, channels, height, width))
        self.biases = np.zeros(count)

    def regions(self, image):
        _, _, kh, kw = self.filters.shape
        for i, j in itertools.product(range(image.shape[1] - kh + 1),
                                      range(image.shape[2] - kw + 1)):
            yield i, j, image[:, i:i + kh, j:j + kw]

    def forward(self, image):
        self.image = image
        _, _, kh, kw = self.filters.shape
        out = np.zeros((len(self.filters), image.shape[1] - kh + 1, image.shape[2] - kw + 1))
        for i, j, region in self.regions(image):
            out[:, i, j] = (self.filters * region).sum(axis=(1, 2, 3)) + self.biases
        return out

    def backprop(self, d_out, learning_rate):
        d_filters, d_image = np.zeros(self.filters.shape), np.zeros(self.image.shape)
        _, _, kh, kw = self.filters.shape
        for i, j, region in self.regions(self.image):
            for f in range(len(self.filters)):
                d_filters[f] += d_out[f, i, j] * region
                d_image[:, i:i + kh, j:j + kw] += d_out[f, i, j] * self.filters[f]
        self.filters -= learning_rate * d_filters
        self.biases -= learning_rate * d_out.sum(axis=(1, 2))
        return d_image


class Pool:
    """The largest of each 2x2 pixels of one image."""

    def forward(self, image):
        self.image = image
        channels, height, width = image.shape
        out = np.zeros((channels, height // 2, width // 2))
        for i, j in itertools.product(range(height // 2), range(width // 2)):
            out[:, i, j] = image[:, 2 * i:2 * i + 2, 2 * j:2 * j + 2].max(axis=(1, 2))
        return out

    def backprop(self, d_out, learning_rate):
        d_image = np.zeros(self.image.shape)
        for c, i, j in np.ndindex(d_out.shape):
            region = self.image[c, 2 * i:2 * i + 2, 2 * j:2 * j + 2]
            row, column = np.unravel_index(region.argmax(), region.shape)
            d_image[c, 2 * i + row, 2 * j + column] = d_out[c, i, j]
        return d_image


class Unroll:
    """A column of one image's numbers, channel by channel."""

    def forward(self, image):
        self.shape = image.shape
        return image.reshape(-1, 1)

    def backprop(self, d_out, learning_rate):
        return d_out.reshape(self.shape)


class Output:
    """weights @ column + biases, for weights (outputs, inputs)."""

    def __init__(self, inputs, outputs):
        self.weights = np.random.default_rng(1).normal(0, 0.1, (outputs, inputs))
        self.biases = np.zeros((outputs, 1))

    def forward(self, column):
        self.column = column
        return self.weights @ column + self.biases

    def backprop(self, d_out, learning_rate):
        d_column = self.weights.T @ d_out
        self.weights -= learning_rate * d_out @ self.column.T
        self.biases -= learning_rate * d_out
        return d_column


class Rectify:
    """max(x, 0)."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backprop(self, d_out, learning_rate):
        return np.where(self.x > 0, d_out, 0)


STYLE = {"data_format": "channels_first", "batched": False, "backward": "backprop",
         "backward_takes": ("dy", "learning_rate")}
LEARNS = {**STYLE, "gradients": "applied"}


def network(wrap, filters=Filters, output=Output):
    """The layers for images of (8, 7, 2), wrapped: 5 filters of 3x2, pooling by 2, 4 classes."""
    return [wrap(filters(5, 2, 3, 2), kernel="filters", bias="biases", kernel_layout="OIHW",
                 **LEARNS),
            wrap(Rectify(), **STYLE), wrap(Pool(), **STYLE), wrap(Unroll(), **STYLE),
            wrap(output(45, 4), kernel="weights", bias="biases", kernel_layout="OI",
                 **{**LEARNS, "batched": "one", "batch_axis": -1})]
