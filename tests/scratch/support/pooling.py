"""What the tests of pooling share: walks for both ranks, arrangements of axes, loops of averages.

An arrangement is (rank, data_format): sequences are images of one column, and channels may come
first. Everything is worked out on images (N, H, W, C) and then arranged.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

import scratch
from tests.scratch.support import oracles
from tests.scratch.support.cases import walks
from tests.scratch.support.oracles import Sums

FORMATS = ["channels_last", "channels_first"]


class Arrangement(NamedTuple):
    """How images (N, H, W, C) are handed over: as sequences, if rank is 1, and in this format."""

    rank: int
    data_format: str

    def given(self, images):
        """Images as a layer of this arrangement has them; of a sequence the one column goes."""
        array = images if self.rank == 2 else np.squeeze(images, 2)
        return array if self.data_format == "channels_last" else np.moveaxis(array, -1, 1)

    def images(self, array):
        """The other way round."""
        array = array if self.data_format == "channels_last" else np.moveaxis(array, 1, -1)
        return array if self.rank == 2 else np.expand_dims(array, 2)

    def sums(self, sums: Sums) -> Sums:
        """The same sums, arranged."""
        arranged = Sums((0,))
        arranged.terms = self.given(sums.terms)
        return arranged

    def argument(self, pair):
        """(rows, columns) as an argument of the layer: one number for sequences."""
        return pair if self.rank == 2 else pair[0]


arrangements = st.builds(Arrangement, st.sampled_from([1, 2]), st.sampled_from(FORMATS))


@st.composite
def arranged_walks(draw, largest_image=7, largest_kernel=4):
    """(walk, arrangement): one column wide for sequences."""
    walk, arrangement = draw(walks(largest_image, largest_kernel)), draw(arrangements)
    if arrangement.rank == 1:
        walk = walk._replace(image=(walk.image[0], 1), kernel=(walk.kernel[0], 1),
                             strides=(walk.strides[0], 1))
    return walk, arrangement


def output_shape(walk):
    """Of the pooled images."""
    size = oracles.output_size(walk.image, walk.kernel, walk.strides, walk.padding)
    return (walk.batch, *size, walk.channels)


def pooling(kind, walk, arrangement, **kwargs):
    """scratch's layer for a walk; `kind` is Max or Average."""
    make = getattr(scratch, f"{kind}Pooling{arrangement.rank}D")
    return make(arrangement.argument(walk.kernel), arrangement.argument(walk.strides), walk.padding,
                arrangement.data_format, **kwargs)


def average_pooling2d(x, dy, pool, strides, padding):
    """(Sums of y, Sums of dx, the number of pixels in each output's window (OH, OW, 1)).

    The terms of y are the pixels, so that its value is their sum over the number of pixels; those
    of dx are quotients, rounded by float64's division.
    """
    n, height, width, channels = x.shape
    size = oracles.output_size((height, width), pool, strides, padding)
    y, dx, number = Sums((n, *size, channels)), Sums(x.shape), np.empty((*size, 1))
    for i, j, pixels in oracles.windows((height, width), pool, strides, padding):
        number[i, j] = len(pixels)
        for b in range(n):
            for c in range(channels):
                for _, _, row, column in pixels:
                    y.add((b, i, j, c), x[b, row, column, c])
                    dx.add((b, row, column, c), dy[b, i, j, c] / len(pixels))
    return y, dx, number


def global_max(x, dy):
    """(y (N, 1, 1, C), dx): the largest of each channel, and dy shared equally by those that tie.
    """
    y, dx = np.empty(dy.shape), np.zeros(x.shape)
    for b, c in np.ndindex(x.shape[0], x.shape[3]):
        y[b, 0, 0, c] = best = max(x[b, :, :, c].flat)
        ties = [(i, j) for i, j in np.ndindex(*x.shape[1:3]) if x[b, i, j, c] == best]
        for i, j in ties:
            dx[b, i, j, c] = dy[b, 0, 0, c] / len(ties)
    return y, dx


def global_average(x, dy):
    """(Sums of y (N, 1, 1, C), whose value is to be divided by H W; dx)."""
    y, dx = Sums(dy.shape), np.empty(x.shape)
    for b, i, j, c in np.ndindex(*x.shape):
        y.add((b, 0, 0, c), x[b, i, j, c])
        dx[b, i, j, c] = dy[b, 0, 0, c] / (x.shape[1] * x.shape[2])
    return y, dx


def gamma(n, dtype):
    """n u / (1 - n u), float64's own roundings in the oracle added."""
    u = np.finfo(dtype).eps / 2
    n = np.asarray(n)
    return n * u / (1 - n * u) + np.finfo(np.float64).eps
