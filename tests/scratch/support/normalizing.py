"""Normalization once more, as plain loops over complex numbers, which differentiate themselves.

The gradient is the complex step's: for a function f that is analytic, Im f(x + ih) / h is f'(x) to
the last digits for a tiny h, since nothing is subtracted. No derivative is written down here.
"""

import cmath
import itertools
import math

import numpy as np

STEP = 1e-100


def groups(shape, axes):
    """For each place on the other axes, the indices of the values along `axes`."""
    others = [range(1) if i in axes else range(size) for i, size in enumerate(shape)]
    along = [range(size) if i in axes else range(1) for i, size in enumerate(shape)]
    for place in itertools.product(*others):
        yield [tuple(map(sum, zip(place, step))) for step in itertools.product(*along)]


def moments(values):
    """(mean, biased variance) of a list of numbers."""
    mean = sum(values) / len(values)
    return mean, sum((v - mean) ** 2 for v in values) / len(values)


def normalized(values, epsilon, given=None):
    """The values minus their mean, over their deviation; mean and variance may be given."""
    mean, variance = moments(values) if given is None else given
    return [(v - mean) / cmath.sqrt(variance + epsilon) for v in values]


def normalize(x, dy, gamma, beta, axes, epsilon, given=None):
    """(y, dx, gamma's gradient, beta's), all of x's shape: sum the last two where weights repeat.

    gamma and beta are of x's shape; `given` is a function of the first index of a group.
    """
    y, dx, normal = np.empty(x.shape), np.empty(x.shape), np.empty(x.shape)
    for indices in groups(x.shape, axes):
        values = [complex(x[i]) for i in indices]
        known = None if given is None else given(indices[0])
        for i, value in zip(indices, normalized(values, epsilon, known)):
            normal[i] = value.real
            y[i] = gamma[i] * value.real + beta[i]
        for k, index in enumerate(indices):
            moved = [v + 1j * STEP * (j == k) for j, v in enumerate(values)]
            results = normalized(moved, epsilon, known)
            dx[index] = math.fsum(dy[i] * gamma[i] * r.imag / STEP
                                  for i, r in zip(indices, results))
    return y, dx, dy * normal, dy
