"""The layers once more, as plain loops: what scratch is measured against, sharing nothing with it.

Every entry of a result is kept as the list of products that add up to it. From that list come its
exact value (`math.fsum` rounds once), the number of products and the sum of their magnitudes, and
so a bound on what rounding alone can do, in any order of summation. The inputs should be float64
arrays of numbers that float32 holds too: their products are then exact.
"""

import math

import numpy as np


class Sums:
    """An array of `shape` whose entries are sums, term by term."""

    def __init__(self, shape):
        self.terms = np.empty(shape, object)
        for index in np.ndindex(*self.terms.shape):
            self.terms[index] = []

    def add(self, index, term) -> None:
        self.terms[index].append(float(term))

    def _each(self, function) -> np.ndarray:
        result = np.empty(self.terms.shape)
        for index in np.ndindex(*result.shape):
            result[index] = function(self.terms[index])
        return result

    @property
    def value(self) -> np.ndarray:
        return self._each(math.fsum)

    def bound(self, dtype) -> np.ndarray:
        """gamma_n sum |term|, gamma_n = n u / (1 - n u): Higham, Accuracy and Stability, ch. 3.

        One more u |value| is for the oracle's own rounding, which matters in float64 only.
        """
        u = np.finfo(dtype).eps / 2
        count = self._each(len)
        magnitude = self._each(lambda terms: math.fsum(map(abs, terms)))
        return (count * u / (1 - count * u) + np.finfo(np.float64).eps / 2) * magnitude


def walk(size, kernel, stride, padding):
    """(number of windows, padding before) along one axis."""
    if padding == "valid":
        return len(range(0, size - kernel + 1, stride)), 0
    count = len(range(0, size, stride))
    missing = (count - 1) * stride + kernel - size
    return count, missing // 2 if missing > 0 else 0


def windows(image, kernel, strides, padding):
    """For each output pixel (i, j), the image pixels under it: (i, j, [(p, q, row, column), ...]).

    (p, q) counts within the kernel, row by row; positions on the padding are left out.
    """
    (height, width), (kh, kw), (sh, sw) = image, kernel, strides
    down, top = walk(height, kh, sh, padding)
    across, left = walk(width, kw, sw, padding)
    for i in range(down):
        for j in range(across):
            yield i, j, [(p, q, i * sh - top + p, j * sw - left + q)
                         for p in range(kh) for q in range(kw)
                         if 0 <= i * sh - top + p < height and 0 <= j * sw - left + q < width]


def output_size(image, kernel, strides, padding):
    return tuple(walk(*axis, padding)[0] for axis in zip(image, kernel, strides))


def conv2d(x, kernel, bias, dy, strides, padding):
    """Correlation and all its gradients: Sums of y, dx, dkernel and dbias.

    x (N, H, W, C), kernel (kh, kw, C, F), bias (F,), dy (N, OH, OW, F).
    """
    (n, height, width, channels), (kh, kw, _, filters) = x.shape, kernel.shape
    size = output_size((height, width), (kh, kw), strides, padding)
    y, dx = Sums((n, *size, filters)), Sums(x.shape)
    dkernel, dbias = Sums(kernel.shape), Sums(bias.shape)
    for i, j, pixels in windows((height, width), (kh, kw), strides, padding):
        for b in range(n):
            for f in range(filters):
                y.add((b, i, j, f), bias[f])
                dbias.add(f, dy[b, i, j, f])
                for p, q, row, column in pixels:
                    for c in range(channels):
                        y.add((b, i, j, f), x[b, row, column, c] * kernel[p, q, c, f])
                        dx.add((b, row, column, c), dy[b, i, j, f] * kernel[p, q, c, f])
                        dkernel.add((p, q, c, f), dy[b, i, j, f] * x[b, row, column, c])
    return y, dx, dkernel, dbias


def max_pooling2d(x, dy, pool, strides, padding):
    """The maxima (an array), and Sums of dx: each dy goes to the first of the largest pixels."""
    n, height, width, channels = x.shape
    size = output_size((height, width), pool, strides, padding)
    y, dx = np.empty((n, *size, channels)), Sums(x.shape)
    for i, j, pixels in windows((height, width), pool, strides, padding):
        for b in range(n):
            for c in range(channels):
                _, _, *best = pixels[0]
                for _, _, row, column in pixels[1:]:
                    if x[b, row, column, c] > x[b, best[0], best[1], c]:
                        best = [row, column]
                y[b, i, j, c] = x[b, best[0], best[1], c]
                dx.add((b, *best, c), dy[b, i, j, c])
    return y, dx


def dense(x, kernel, bias, dy):
    """Sums of y, dx, dkernel and dbias: x (..., in), kernel (in, units), dy (..., units)."""
    y, dx = Sums(dy.shape), Sums(x.shape)
    dkernel, dbias = Sums(kernel.shape), Sums(bias.shape)
    for where in np.ndindex(*x.shape[:-1]):
        for unit in range(kernel.shape[1]):
            y.add((*where, unit), bias[unit])
            dbias.add(unit, dy[(*where, unit)])
            for feature in range(kernel.shape[0]):
                y.add((*where, unit), x[(*where, feature)] * kernel[feature, unit])
                dx.add((*where, feature), dy[(*where, unit)] * kernel[feature, unit])
                dkernel.add((feature, unit), dy[(*where, unit)] * x[(*where, feature)])
    return y, dx, dkernel, dbias


def relu(x, dy):
    """(y, dx), element by element; nothing goes back at 0."""
    y, dx = np.zeros(x.shape), np.zeros(x.shape)
    for where in np.ndindex(*x.shape):
        if x[where] > 0:
            y[where], dx[where] = x[where], dy[where]
    return y, dx


def softmax_row(row):
    """The probabilities of one row of logits, a list."""
    largest = max(row)
    exponentials = [math.exp(z - largest) for z in row]
    return [e / math.fsum(exponentials) for e in exponentials]


def cross_entropy_row(row, target):
    """-sum target log softmax(row), for one row of logits."""
    largest = max(row)
    log_sum = math.log(math.fsum(math.exp(z - largest) for z in row))
    return math.fsum(t * (log_sum - (z - largest)) for z, t in zip(row, target))
