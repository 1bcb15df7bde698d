"""Merging written out place by place, and shapes of inputs that go together."""

import numpy as np
from hypothesis import strategies as st

JOINED = {"Add": sum, "Average": lambda v: sum(v) / len(v), "Subtract": lambda v: v[0] - v[1],
          "Multiply": np.prod, "Maximum": max, "Minimum": min}


def shares(kind, values):
    """What each of the values at one place gets of a gradient of 1."""
    n = len(values)
    if kind == "Multiply":
        return [np.prod([v for j, v in enumerate(values) if j != i]) for i in range(n)]
    if kind in ("Maximum", "Minimum"):
        first = values.index(JOINED[kind](values))
        return [1.0 if i == first else 0.0 for i in range(n)]
    return {"Add": [1.0] * n, "Average": [1 / n] * n, "Subtract": [1.0, -1.0]}[kind]


def read_at(inputs, place):
    """For each input the index of the number that goes into one place of the output: an axis of
    length 1, or none, is read again and again."""
    return [(place[0], *(0 if n == 1 else i
                         for n, i in zip(x.shape[1:], place[len(place) - (x.ndim - 1):])))
            for x in inputs]


def by_loops(kind, inputs, dy):
    """(y, gradients), element by element."""
    y, gradients = np.zeros(dy.shape), [np.zeros(x.shape) for x in inputs]
    for place in np.ndindex(dy.shape):
        own = read_at(inputs, place)
        values = [float(x[index]) for x, index in zip(inputs, own)]
        y[place] = JOINED[kind](values)
        for gradient, index, share in zip(gradients, own, shares(kind, values)):
            gradient[index] += dy[place] * share
    return y, gradients


@st.composite
def shapes(draw, inputs):
    """Shapes that broadcast together, without the batch: axes of length 1, or left out in front."""
    full = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    return [tuple(draw(st.sampled_from([n, 1])) for n in full[draw(st.integers(0, len(full) - 1)):])
            for _ in range(inputs)]
