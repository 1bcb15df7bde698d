"""A function of (weights, x) as an object with a forward and a backward pass on NumPy's arrays."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np


class JaxLayer:
    """One layer: JAX's own function, and its gradients by `jax.vjp`.

    Args:
        function: takes (weights, x), the weights by name, and gives one array.
        weights: arrays by name.
        title: what people know it by.

    Attributes:
        grads: after `backward`, by the weight's name.
    """

    def __init__(self, function: Callable[..., Any], weights: dict[str, np.ndarray], title: str):
        self.function, self.title = function, title
        self.weights = {name: np.array(array) for name, array in weights.items()}
        self.grads: dict[str, np.ndarray] = {}

    def __deepcopy__(self, memo):
        return type(self)(self.function, self.weights, self.title)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = np.array(x)
        return np.array(self.function(self.weights, self._x))

    def backward(self, dy: np.ndarray) -> np.ndarray:
        y, back = jax.vjp(self.function, self.weights, self._x)
        weights, dx = back(np.asarray(dy, y.dtype))
        self.grads = {name: np.array(gradient) for name, gradient in weights.items()}
        return np.array(dx)


def named(layer: JaxLayer) -> JaxLayer:
    """The same of a class that reports call as the layer is titled."""
    cls: type[JaxLayer] = type(layer.title, (JaxLayer,), {"__doc__": JaxLayer.__doc__})
    return cls(layer.function, layer.weights, layer.title)


def place(name: str, turn=None, back=None) -> tuple:
    """(get, set) of a weight, for `compare.wrap`.

    Args:
        turn, back: the weight as the conventions have it from the function's own, and back.
    """
    return functools.partial(_get, name=name, turn=turn), \
        functools.partial(_set, name=name, back=back)


def gradient_place(name: str, turn=None):
    """The getter of its gradient."""
    return functools.partial(_gradient, name=name, turn=turn)


def _get(layer: JaxLayer, name: str, turn) -> np.ndarray:
    return layer.weights[name] if turn is None else turn(layer.weights[name])


def _set(layer: JaxLayer, array: np.ndarray, name: str, back) -> None:
    held = layer.weights[name]
    own = array if back is None else back(array)
    layer.weights[name] = np.array(own).reshape(held.shape).astype(held.dtype)


def _gradient(layer: JaxLayer, name: str, turn) -> np.ndarray:
    return layer.grads[name] if turn is None else turn(layer.grads[name])
