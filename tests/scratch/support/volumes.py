"""Pooling of volumes once more, as plain loops over single numbers; see `oracles.py`.

Volumes are (N, D, H, W, C), arguments (planes, rows, columns); no two sizes are equal.
"""

import itertools

import numpy as np
from hypothesis import strategies as st

from tests.scratch.support import convolution_oracles
from tests.scratch.support.convolution_cases import sizes
from tests.scratch.support.oracles import Sums

threes = st.tuples(*[st.integers(1, 3)] * 3)


@st.composite
def pools(draw):
    """(arguments, shape of the volumes); a pool may be larger than a volume that is padded."""
    pool, strides = draw(threes), draw(threes)
    padding = draw(st.sampled_from(["valid", "same"]))
    size = draw(sizes(pool if padding == "valid" else (1, 1, 1)))
    return {"pool_size": pool, "strides": strides, "padding": padding}, (2, *size, 2)


def windows(arguments, shape):
    """For each output voxel, those of the volume under it: (out, [at, ...])."""
    met = convolution_oracles.meetings(shape[1:-1], arguments["pool_size"], arguments["strides"],
                                       arguments["padding"], (1, 1, 1))
    for out, pairs in itertools.groupby(met, key=lambda each: each[0]):
        yield out, [at for _, _, at in pairs]


def output_shape(arguments, shape):
    size = convolution_oracles.output_size(shape[1:-1], arguments["pool_size"],
                                           arguments["strides"], arguments["padding"], (1, 1, 1))
    return (shape[0], *size, shape[-1])


def maxima(arguments, x, dy):
    """(y, Sums of dx): every number that ties for the maximum gets the whole gradient."""
    y, dx = np.empty(dy.shape), Sums(x.shape)
    for out, seen in windows(arguments, x.shape):
        for b, c in np.ndindex(len(x), x.shape[-1]):
            y[(b, *out, c)] = best = max(x[(b, *at, c)] for at in seen)
            for at in seen:
                if x[(b, *at, c)] == best:
                    dx.add((b, *at, c), dy[(b, *out, c)])
    return y, dx


def means(arguments, x, dy):
    """(Sums of y before the division, Sums of dx, how many voxels each window has)."""
    y, dx, number = Sums(dy.shape), Sums(x.shape), np.empty((*dy.shape[1:-1], 1))
    for out, seen in windows(arguments, x.shape):
        number[out] = len(seen)
        for b, c, at in itertools.product(range(len(x)), range(x.shape[-1]), seen):
            y.add((b, *out, c), x[(b, *at, c)])
            dx.add((b, *at, c), dy[(b, *out, c)] / len(seen))
    return y, dx, number
