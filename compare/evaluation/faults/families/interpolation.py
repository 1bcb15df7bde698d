"""Faults of UpSampling2D where it interpolates."""

import numpy as np

from compare.evaluation.faults.families.convolution import WINDOWS
from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import cousin, input_gradient, moved, output
from compare.evaluation.faults.networks import around

OUT, DX, LAYER = "output", "input_gradient", "up_sampling2d"
BILINEAR = around("UpSampling2D", size=(2, 3), interpolation="bilinear")
BICUBIC = around("UpSampling2D", size=(3, 2), interpolation="bicubic")
LANCZOS = around("UpSampling2D", size=(2, 1), interpolation="lanczos3")


def by_kind(kind: str):
    """Another kind of interpolation."""
    return output(lambda layer, y, x: cousin(layer, x.shape, interpolation=kind).forward(x))


def by_kind_back(kind: str):
    """The gradient is that of another kind of interpolation."""
    def change(layer, dx, dy):
        other = cousin(layer, dx.shape, interpolation=kind)
        other.forward(np.zeros_like(dx))
        return other.backward(dy)

    return input_gradient(change)


def at(place):
    """Bilinear, the output's pixels at other places: a function (numbers, size, factor)."""
    def change(layer, y, x):
        for axis, factor in enumerate(layer.factors, start=1):
            size = x.shape[axis]
            where = place(np.arange(size * factor), size, factor).clip(0, size - 1)
            before = np.floor(where).astype(int)
            after = np.minimum(before + 1, size - 1)
            part = (where - before).reshape(-1, *[1] * (x.ndim - axis - 1))
            x = x.take(before, axis) * (1 - part) + x.take(after, axis) * part
        return x

    return output(change)


# name, sentence, network, tensor, cause, injection, causes that are the same
TABLE = [
    ("corners-aligned", "the centres of the corners lie on each other", BILINEAR, OUT,
     "interpolation", at(lambda o, size, factor: o * (size - 1) / (size * factor - 1))),
    ("half-pixel-forgotten", "output pixel o lies at o / size", BILINEAR, OUT, "interpolation",
     at(lambda o, size, factor: o / factor)),
    ("bilinear-nearest", "repeats pixels where it should interpolate", BILINEAR, OUT,
     "interpolation", by_kind("nearest")),
    ("bicubic-bilinear", "interpolates linearly where a cubic belongs", BICUBIC, OUT,
     "interpolation", by_kind("bilinear")),
    ("lanczos-radius", "looks at five pixels on either side in place of three", LANCZOS, OUT,
     "interpolation", by_kind("lanczos5")),
    ("dx-nearest", "the gradient is that of repeated pixels", BILINEAR, DX, "interpolation",
     by_kind_back("nearest")),
    ("dx-bicubic-bilinear", "the gradient is that of linear interpolation", BICUBIC, DX,
     "interpolation", by_kind_back("bilinear")),
    ("bicubic-shifted", "the output comes one row late", BICUBIC, OUT, "shifted",
     output(lambda layer, y, x: moved(y, 1, 1)), WINDOWS),
    ("dx-divided", "the gradient is divided by the number of pixels that a pixel becomes", BILINEAR,
     DX, "scale", input_gradient(lambda layer, dx, dy: dx / np.prod(layer.size))),
]


def faults():
    """All of them."""
    for name, sentence, network, tensor, cause, inject, *also in TABLE:
        yield single("Interpolation", f"up-sampling2d-{name}", sentence, network, LAYER, tensor,
                     cause, inject, *also)
