"""Faults of spectral normalization: what the kernel is divided by, what is kept, what goes back."""

from dataclasses import replace

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import OPTIMIZER
from compare.evaluation.faults.injection import (
    gradient,
    half,
    holding,
    input_gradient_with,
    lent,
    output,
    patched,
)
from compare.evaluation.faults.networks import IMAGE, VECTOR, around

OUT, DX, DW, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
NAME = "spectral-norm"
CONV = around("SpectralNormalization", shape=IMAGE, power_iterations=2, layer={
    "class_name": "Conv2D", "config": {"name": "inside", "filters": 3, "kernel_size": (2, 3),
                                       "activation": "tanh"}})
DENSE = around("SpectralNormalization", shape=VECTOR, layer={
    "class_name": "Dense", "config": {"name": "inside", "units": 3,
                                      "bias_initializer": "random_normal"}})


def sizes(size):
    """The kernel is divided by another number, size(layer, matrix, the right one)."""
    def normalized(self, right):
        before = self.params["kernel"]
        kernel, u = right()
        at = np.unravel_index(np.argmax(np.abs(before)), before.shape)
        matrix = before.reshape(-1, before.shape[-1])
        number = size(self, matrix, before[at] / kernel[at])
        return before / before.dtype.type(number), u

    return lambda layer: patched(layer, normalized=normalized)


def never(self, right, x, training=False):
    """Run as at inference: u stays, too."""
    return right(x, False)


def always(self, right, x, training=False):
    if training:
        return right(x, training)
    with lent(self, {"kernel": self.normalized()[0]}):
        return right(x, training)


def kernel_given_back(layer):
    """The divided kernel is used, forth and back, but not kept."""
    def forward(self, right, x, training=False):
        before = self.params["kernel"].copy()
        y = right(x, training)
        self.used = self.params["kernel"].copy()
        self.params["kernel"][...] = before
        return y

    def backward(self, right, dy, wants_input_gradient=True):
        with lent(self, {"kernel": self.used}):
            return right(dy, wants_input_gradient)

    patched(layer, forward=forward, backward=backward)


def vector_stays(self, right, kernel, u):
    right(kernel, self.params["vector_u"].copy())


def through_sigma(layer):
    """The gradient is that of the kernel before it was divided, as PyTorch's: also through sigma.
    """
    def forward(self, right, x, training=False):
        self.before, self.first_u = self.params["kernel"].copy(), self.params["vector_u"].copy()
        return right(x, training)

    def changed(self, g, dy):
        matrix, u = self.before.reshape(-1, self.first_u.size), self.first_u
        for _ in range(self.power_iterations):
            v = u @ matrix.T / np.linalg.norm(u @ matrix.T)
            u = v @ matrix / np.linalg.norm(v @ matrix)
        sigma = (v @ matrix @ u.T).item()
        along = (g * self.params["kernel"]).sum()
        return (g - along * (v.T @ u).reshape(g.shape)) / sigma

    patched(layer, forward=forward)
    gradient("kernel", changed)(layer)


def undivided(layer):
    def forward(self, right, x, training=False):
        self.before = self.params["kernel"].copy()
        return right(x, training)

    patched(layer, forward=forward)
    input_gradient_with(kernel=lambda self: self.before)(layer)


TABLE = [
    ("never-divided", "the kernel is not divided in training", CONV, OUT, NAME,
     lambda layer: patched(layer, forward=never)),
    ("at-inference", "the kernel is divided at inference, too", DENSE, OUT, NAME,
     lambda layer: patched(layer, forward=always), (), "inference"),
    ("frobenius", "the kernel is divided by its Frobenius norm", CONV, OUT, NAME,
     sizes(lambda self, matrix, right: np.linalg.norm(matrix))),
    ("by-decomposition", "the kernel is divided by the singular value itself, not its estimate",
     DENSE, OUT, NAME, sizes(lambda self, matrix, right: np.linalg.svd(matrix)[1][0])),
    ("squared", "the kernel is divided by the square of the singular value", CONV, OUT, NAME,
     sizes(lambda self, matrix, right: right ** 2)),
    ("one-iteration-more", "one step of the power iteration too many", DENSE, OUT, NAME,
     holding("normalized", power_iterations=lambda layer: layer.power_iterations + 1)),
    ("kernel-given-back", "the divided kernel is used, but not kept", CONV, "kernel", NAME,
     kernel_given_back, (), "moving statistics"),
    ("vector-stays", "every pass begins with the first u", DENSE, "vector_u", NAME,
     lambda layer: patched(layer, overwrite=vector_stays), (), "moving statistics"),
    ("float16", "the output is rounded to float16", DENSE, OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("dw-through-sigma", "the kernel's gradient also goes through the singular value", DENSE, DW,
     NAME, through_sigma),
    ("dx-undivided", "the gradient goes back through the kernel before it was divided", DENSE, DX,
     NAME, undivided, ("scale",)),
    ("db-mean", "the bias's gradient is a mean over the batch", DENSE, DB, "scale",
     gradient("bias", lambda layer, g, dy: g / len(dy))),
]


def faults():
    """All of them."""
    for name, sentence, network, tensor, cause, inject, *more in TABLE:
        made = single("SpectralNormalization", f"spectral-norm-{name}", sentence, network,
                      "spectral_normalization", tensor, cause, inject, *more)
        if tensor == "kernel":  # which the optimizer's step changes, too
            made = replace(made, places=(replace(made.places[0], layer=OPTIMIZER),))
        yield made
