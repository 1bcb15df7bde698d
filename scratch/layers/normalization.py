"""What batch and layer normalization have in common: gamma * (x - mean) / deviation + beta."""

import numbers

import numpy as np

from scratch import initializers, regularizers
from scratch.layers.base import Layer


class Normalization(Layer):
    """Base of the layers that normalize. A subclass says over which axes, and by what moments.

    Weights: gamma, with `scale`, and beta, with `center`; of the shape that a subclass gives them.
    """

    neutral = {"beta_constraint": (None,), "gamma_constraint": (None,)}

    def __init__(self, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = float(epsilon)
        self.center, self.scale = bool(center), bool(scale)
        self.initializers = {"gamma": initializers.get(gamma_initializer),
                             "beta": initializers.get(beta_initializer)}
        self.regularizers = {name: regularizers.get(value) for name, value in (
            ("gamma", gamma_regularizer), ("beta", beta_regularizer)) if value is not None}

    def _add_scale_and_center(self, shape: tuple, broadcast: tuple) -> None:
        """Make gamma and beta, of `shape`; an input is multiplied with them as of `broadcast`."""
        self._broadcast = broadcast
        if self.scale:
            self.add_weight("gamma", shape, self.initializers["gamma"])
        if self.center:
            self.add_weight("beta", shape, self.initializers["beta"])

    def _normalize(self, centred: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """The output, from x - mean, which is overwritten, and a variance that fits it."""
        # of the variance's shape: (1, 1, 1, C) or (N, H, W, 1), which (N, H, W, C) is multiplied by
        self._inverse = 1 / np.sqrt(variance + self.epsilon)
        centred *= self._inverse
        self._normal = y = centred
        if self.scale:
            # (N, H, W, C) * (1, 1, 1, C)
            y = y * self.params["gamma"].reshape(self._broadcast)
        if self.center:
            # (N, H, W, C) + (1, 1, 1, C)
            y = y + self.params["beta"].reshape(self._broadcast)
        return y

    def _weight_gradients(self, dy: np.ndarray, axes: tuple):
        """Fill `grads` with sums over `axes`; returns those of dy * normal and of dy."""
        # (N, H, W, C) -> (1, 1, 1, C) -> (C,)
        scaled, plain = summed(dy * self._normal, axes), summed(dy, axes)
        self.grads = {name: total.reshape(self.params[name].shape)
                      for name, total in (("gamma", scaled), ("beta", plain))
                      if name in self.params}
        return scaled, plain

    def get_config(self):
        return {
            **super().get_config(), "epsilon": self.epsilon, "center": self.center,
            "scale": self.scale,
            **{f"{name}_initializer": initializers.serialize(initializer)
               for name, initializer in self.initializers.items()},
            **{f"{name}_regularizer": regularizers.serialize(self.regularizers.get(name))
               for name in ("gamma", "beta")},
        }


def summed(x: np.ndarray, axes: tuple) -> np.ndarray:
    """The sum over `axes`, which are kept with size 1.

    One axis after the other: sums of few terms round less than a single one of them all.
    """
    # (N, H, W, C) -> (1, H, W, C) -> (1, 1, W, C) -> (1, 1, 1, C) where axes is (0, 1, 2)
    for axis in axes:
        x = x.sum(axis=axis, keepdims=True)
    return x


def average(x: np.ndarray, axes: tuple) -> np.ndarray:
    """The mean over `axes`, which are kept with size 1."""
    total = summed(x, axes)
    return total / (x.size // total.size)


def whole_axis(axis, owner) -> int:
    """An axis, counted from the front or, below zero, from the back."""
    if isinstance(axis, bool) or not isinstance(axis, numbers.Integral):
        raise TypeError(f"{owner}: expected axis to be an integer. Received: axis={axis!r}")
    return int(axis)


def axis_of(axis: int, shape: tuple, owner) -> int:
    """The axis counted from the front: any of the input's but the batch, and of known size."""
    rank = len(shape)
    if not -rank <= axis < rank or axis % rank == 0 or shape[axis] is None:
        raise ValueError(f"{owner}: expected an axis of the input other than the batch, of known "
                         f"size. Received: axis={axis}, input_shape={tuple(shape)}")
    return axis % rank
