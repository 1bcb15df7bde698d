"""How a fault is put into one layer, loss, optimizer or model, and into nothing else.

The object gets a class of its own, derived from the one it had, in which some methods are wrong.
Copies of the object, and what is made again from its config, keep the fault.
"""

import contextlib

import numpy as np

from compare.tracing.model_kinds import kind
from scratch.layers import LAYERS, AffineLayer


def patched(thing, **methods):
    """Replace methods of one object.

    Args:
        methods: by name, functions (self, right, *arguments), `right` being the method as it was.
    """
    base = type(thing)
    members = {name: _method(base, name, wrong) for name, wrong in methods.items()}
    thing.__class__ = type(base.__name__, (base,), members)


def patching(**methods):
    """A function that replaces methods of one object, as `patched` has it."""
    return lambda thing: patched(thing, **methods)


def holding(method: str, /, **settings):
    """A function that has a method of one object run with other settings than its config says.

    Args:
        settings: numbers, or functions of the object.
    """
    def held(self, right, *given, **named):
        kept = {key: getattr(self, key) for key in settings}
        vars(self).update({key: value(self) if callable(value) else value
                           for key, value in settings.items()})
        try:
            return right(*given, **named)
        finally:
            vars(self).update(kept)

    return patching(**{method: held})


def remembering(inject):
    """An injection into a layer that also keeps its input, as `seen`."""
    def into(layer):
        def affine(self, right, x):
            self.seen = x
            return right(x)

        patched(layer, affine=affine)
        inject(layer)

    return into


def _method(base, name: str, wrong):
    def method(self, *arguments, **named):
        def right(*given, **more):
            return getattr(base, name)(self, *given, **more)

        return wrong(self, right, *arguments, **named)

    return method


@contextlib.contextmanager
def lent(layer, weights: dict):
    """The layer with other weights for as long as the block lasts."""
    kept = {name: layer.params[name].copy() for name in weights}
    for name, value in weights.items():
        layer.params[name][...] = value
    try:
        yield
    finally:
        for name, value in kept.items():
            layer.params[name][...] = value


def cousin(layer, shape, **changes):
    """A right layer of the same class with other arguments, for inputs of that shape, with the same
    weights where they fit."""
    other = LAYERS[kind(layer)].from_config({**layer.get_config(), **changes})
    other.dtype = layer.dtype
    other.build((None, *shape[1:]))
    for name, weight in layer.params.items():
        if name in other.params and other.params[name].shape == weight.shape:
            other.params[name][...] = weight
    return other


# Each of these makes a function that puts a fault into a layer.


def output(change):
    """The output y of an input x is change(layer, y, x)."""
    def inject(layer):
        if isinstance(layer, AffineLayer):
            patched(layer, affine=lambda self, right, x: like(change(self, right(x), x), x))
        else:
            patched(layer, forward=lambda self, right, x, training=False:
                    like(change(self, right(x, training), x), x))

    return inject


def output_with(**changes):
    """The output is computed with weights changed by functions of the weight, by their names."""
    def inject(layer):
        def affine(self, right, x):
            with lent(self, {name: change(self.params[name]) for name, change in changes.items()}):
                return right(x)

        patched(layer, affine=affine)

    return inject


def input_gradient(change):
    """The input gradient dx of an upstream gradient dy is change(layer, dx, dy)."""
    def inject(layer):
        def backward(self, right, dy, wants_input_gradient=True):
            dx = right(dy, wants_input_gradient)
            return None if dx is None else like(change(self, dx, dy), dx)

        patched(layer, **{_backward(layer): backward})

    return inject


def input_gradient_with(**changes):
    """The input gradient is computed with weights changed by functions of the layer."""
    def inject(layer):
        def backward(self, right, dy, wants_input_gradient=True):
            right(dy, False)
            grads = dict(self.grads)
            with lent(self, {name: change(self) for name, change in changes.items()}):
                dx = right(dy, True)
            self.grads = grads
            return dx

        patched(layer, **{_backward(layer): backward})

    return inject


def gradient(name: str, change):
    """The gradient g of a weight is change(layer, g, dy)."""
    def inject(layer):
        def backward(self, right, dy, wants_input_gradient=True):
            dx = right(dy, wants_input_gradient)
            changed = like(change(self, self.grads[name], dy), self.grads[name])
            self.grads = {**self.grads, name: changed}
            return dx

        patched(layer, **{_backward(layer): backward})

    return inject


def activation(function=None, slope=None):
    """The activation is another function of z; or its gradient another function (dy, z, y)."""
    def inject(layer):
        right = layer.activation
        changes = {}
        if function is not None:
            changes["function"] = lambda z: like(function(z, right), z)
        if slope is not None:
            changes["gradient"] = lambda dy, z, y: like(slope(dy, z, y), z)
        layer.activation = right._replace(**changes)

    return inject


def _backward(layer) -> str:
    return "affine_backward" if isinstance(layer, AffineLayer) else "backward"


def like(array, other) -> np.ndarray | list[np.ndarray]:
    """An array in the precision of another, a list of them for a list."""
    if isinstance(array, list):
        return [np.asarray(each, other[0].dtype) for each in array]
    dtype = other[0].dtype if isinstance(other, list) else other.dtype
    return np.asarray(array, dtype)


# What is done to numbers.


def half(a: np.ndarray) -> np.ndarray:
    """Rounded to float16."""
    return a.astype(np.float16).astype(a.dtype)


def brain(a: np.ndarray) -> np.ndarray:
    """Rounded to bfloat16: the upper half of a float32, to nearest, ties to even."""
    bits = a.astype(np.float32).view(np.uint32)
    bits = (bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return bits.view(np.float32).astype(a.dtype)


def moved(a: np.ndarray, steps: int, axis: int) -> np.ndarray:
    """Shifted along an axis, zeros coming in."""
    b = np.zeros_like(a)
    here, there = [slice(None)] * a.ndim, [slice(None)] * a.ndim
    here[axis] = slice(max(steps, 0), a.shape[axis] + min(steps, 0))
    there[axis] = slice(max(-steps, 0), a.shape[axis] - max(steps, 0))
    b[tuple(here)] = a[tuple(there)]
    return b


def rotated(a: np.ndarray) -> np.ndarray:
    """The samples in another order: each in the place of the one before."""
    return np.roll(a, 1, axis=0)


def cropped(a: np.ndarray, shape: tuple) -> np.ndarray:
    """The beginning of an array, as large as `shape`."""
    return a[tuple(slice(n) for n in shape)]
