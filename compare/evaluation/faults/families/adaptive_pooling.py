"""Faults of pooling to a given size: windows, ties, overlaps."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.injection import half, holding, input_gradient, output, patched
from compare.evaluation.faults.networks import IMAGE, SEQUENCE, around
from scratch.layers.adaptive_pooling import cut

OUT, DX = "output", "input_gradient"
MEAN, MOST, STEPS = ("AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D",
                     "AdaptiveAveragePooling1D")
MEANS = around(MEAN, shape=IMAGE, output_size=(4, 3))
MAXIMA = around(MOST, shape=IMAGE, output_size=(4, 3))
OF_STEPS = around(STEPS, shape=SEQUENCE, output_size=3)


def cutting(windows):
    """The windows along each axis are others: windows(size, number)."""
    def build(self, right, input_shape):
        right(input_shape)
        axes = [along[-1][1] for along in self.windows]
        self.windows = [windows(*pair) for pair in zip(axes, self.output_size)]

    def inject(layer):
        patched(layer, build=build)
        shape = layer.input_shape
        layer.build(shape)

    return inject


def apart(size, number):
    return [(i * size // number, (i + 1) * size // number) for i in range(number)]


def rounded(size, number):
    ends = [round(i * size / number) for i in range(number + 1)]
    return list(zip(ends, ends[1:]))


def largest(self, right, x, axis, along):
    made, way_back = right(x, axis, along)
    return np.stack([cut(x, axis, window).max(axis=axis) for window in along], axis), way_back


def overwritten(self, right, dy, axis, along, way_back):
    dx = np.zeros(way_back, dy.dtype)
    for k, window in enumerate(along):
        cut(dx, axis, window)[...] = cut(dy, axis, (k, k + 1)) / (window[1] - window[0])
    return dx


def last_tie(self, right, dy, axis, along, way_back):
    """The last of those that tie along an axis gets the gradient."""
    turned = [(way_back.shape[axis] - b, way_back.shape[axis] - a) for a, b in reversed(along)]
    return np.flip(right(np.flip(dy, axis), axis, turned, np.flip(way_back, axis)), axis)


TABLE = [
    (MEAN, "windows-apart", "each window ends where the next one begins", MEANS, OUT,
     "adaptive-windows", cutting(apart)),
    (MOST, "windows-apart", "each window ends where the next one begins", MAXIMA, OUT,
     "adaptive-windows", cutting(apart)),
    (STEPS, "windows-rounded", "windows begin at rounded places", OF_STEPS, OUT,
     "adaptive-windows", cutting(rounded)),
    (MEAN, "largest", "the largest in place of the mean", MEANS, OUT, "pool-kind",
     lambda layer: patched(layer, pool=largest)),
    (MEAN, "float16", "the output is rounded to float16", MEANS, OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    (MEAN, "dx-overwritten", "where windows overlap the last one's gradient counts", MEANS, DX,
     "overlap-overwritten", lambda layer: patched(layer, pool_gradient=overwritten)),
    (MEAN, "dx-doubled", "the gradient is twice too large", MEANS, DX,
     "scale", input_gradient(lambda layer, dx, dy: dx * 2)),
    (MOST, "dx-to-all-ties", "each number that ties gets the whole gradient", MAXIMA, DX,
     "pool-ties", holding("pool_gradient", every_tie_wins=True)),
    (MOST, "dx-last-tie", "the last number that ties gets the gradient", MAXIMA, DX, "pool-ties",
     lambda layer: patched(layer, pool_gradient=last_tie)),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
