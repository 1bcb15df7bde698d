"""Layers, losses and optimizers with one mistake each, by its name in the catalogue.

Each class is made from a right one by a patch that is written down here in full, so that what a
diagnosis says can be held against what was really done. Nothing of `compare` is used.
"""

import contextlib
from dataclasses import dataclass, field

import numpy as np

import scratch

AFFINE = scratch.layers.AffineLayer
OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
IMAGE = (9, 8, 2)
Conv, Dense, Max, Avg = (scratch.Conv2D, scratch.Dense, scratch.MaxPooling2D,
                         scratch.AveragePooling2D)


@dataclass(frozen=True)
class Fault:
    """A layer with a mistake, and what a diagnosis has to say of it.

    Attributes:
        cause: the identifier that has to be named first.
        make: a function () -> the layer.
        shape: of one input, or a list of shapes for a layer that merges.
        tensor: the first wrong one.
        part: which of the layer's steps: 0 for the layer, 1 for the activation inside it.
        options: further arguments of `diagnose_op`.
        said: a word that the finding's details hold.
    """

    cause: str
    make: object
    shape: tuple | list
    tensor: str = "output"
    part: int = 0
    options: dict = field(default_factory=dict, hash=False)
    said: str = ""

    def __str__(self):
        return f"{self.cause}-{type(self.make()).__mro__[1].__name__}-{self.tensor}-{self.said}"


def altered(base, tensor: str, function):
    """A class like `base` of which one result is function(layer, right result)."""
    affine = issubclass(base, AFFINE)

    def out(self, y):
        return _like(function(self, y), y) if tensor == "output" else y

    def back(self, dx):
        for name in self.grads:
            if tensor == f"{name}_gradient":
                self.grads[name] = _like(function(self, self.grads[name]), self.grads[name])
        return _like(function(self, dx), dx) if tensor == "input_gradient" else dx

    class Altered(base):
        pass

    if affine:
        Altered.affine = lambda self, x: out(self, base.affine(_keep(self, x), x))
        Altered.affine_backward = lambda self, dz, wants: back(
            self, base.affine_backward(_keep(self, dz, "dy"), dz, wants))
    else:
        Altered.forward = lambda self, x, training=False: out(
            self, base.forward(_keep(self, x), x, training))
        Altered.backward = lambda self, dy, wants=True: back(
            self, base.backward(_keep(self, dy, "dy"), dy, wants))
    return Altered


def _keep(layer, array, name="x"):
    setattr(layer, f"seen_{name}", array)
    return layer


def _like(array, right):
    if isinstance(right, (list, tuple)):
        return [np.asarray(a, b.dtype) for a, b in zip(array, right)]
    return np.asarray(array, right.dtype)


@contextlib.contextmanager
def lent(layer, **weights):
    """The layer with other weights for as long as the block lasts."""
    kept = {name: layer.params[name].copy() for name in weights}
    for name, value in weights.items():
        layer.params[name][...] = value
    try:
        yield
    finally:
        for name, value in kept.items():
            layer.params[name][...] = value


def reweighed(base, tensor: str, name: str, function):
    """A class like `base` that uses function(weight) for one result."""
    class Reweighed(base):
        def affine(self, x):
            if tensor != "output":
                return super().affine(x)
            with lent(self, **{name: function(self.params[name])}):
                return super().affine(x)

        def affine_backward(self, dz, wants):
            dx = super().affine_backward(dz, wants)
            if tensor != "input_gradient":
                return dx
            kept = dict(self.grads)
            with lent(self, **{name: function(self.params[name])}):
                dx = super().affine_backward(dz, True)
            self.grads.update(kept)
            return dx

    return Reweighed


MARGIN = 7


def correlate(layer, x, before, strides=None, dilation=None, mode="constant", fill=0.0,
              kernel=None):
    """A convolution in loops, with windows that start where `before` says.

    Args:
        before: how many pixels before the image the first window starts, (rows, columns).
        mode, fill: what lies around the image, as in `np.pad`.
    """
    strides, dilation = strides or layer.strides, dilation or layer.dilation_rate
    kernel = layer.params["kernel"] if kernel is None else kernel
    options = {"constant_values": fill} if mode == "constant" else {}
    image = np.pad(x.astype(np.float64), [(0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)],
                   mode=mode, **options)
    _, height, width, filters = layer.output_shape
    y = np.zeros((len(x), height, width, filters))
    for p, q, i, j in np.ndindex(height, width, *kernel.shape[:2]):
        row = p * strides[0] + i * dilation[0] - before[0] + MARGIN
        column = q * strides[1] + j * dilation[1] - before[1] + MARGIN
        y[:, p, q] += image[:, row, column] @ kernel[i, j].astype(np.float64)
    return (y + layer.params["bias"]).astype(x.dtype)


def windowed(**landing):
    """A Conv2D whose output comes from `correlate` with these arguments."""
    class Windowed(scratch.Conv2D):
        def affine(self, x):
            super().affine(x)
            return correlate(self, x, **landing)

    return Windowed


def conv(cls, filters=3, kernel=(3, 2), **settings):
    return lambda: cls(filters, kernel, **{"padding": "same", **settings})


def flipped(k):
    return k[::-1, ::-1]


def hwio_as_oihw(k):
    return np.ascontiguousarray(k.transpose(3, 2, 0, 1)).reshape(k.shape)


def rows_for_columns(k):
    return k.swapaxes(0, 1)


def in_for_out(k):
    return k.swapaxes(2, 3)
