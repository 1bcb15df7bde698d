"""What batch, group and layer normalization share: gamma * (x - mean) / deviation + beta."""

import numpy as np

from scratch import initializers, regularizers
from scratch.layers.axes import average, summed
from scratch.layers.base import Layer


class MomentNormalization(Layer):
    """Base of the layers that normalize by moments. A subclass says by which, over which axes.

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

    def _by_own_moments(self, x: np.ndarray, axes: tuple) -> np.ndarray:
        """The output where each place on the other axes has a mean and a variance of its own."""
        # (N, H, W, C) - (N, H, W, 1) -> (N, H, W, C), likewise along other axes
        centred = x - average(x, axes)
        # (N, H, W, C) -> (N, H, W, 1)
        return self._normalize(centred, average(np.square(centred), axes))

    def _own_moments_backward(self, dy: np.ndarray, axes: tuple) -> np.ndarray:
        """The input gradient of `_by_own_moments`."""
        dn = dy  # gradient with respect to the normalized values
        if self.scale:
            # (N, H, W, C) * (1, 1, 1, C) -> (N, H, W, C)
            dn = dy * self.params["gamma"].reshape(self._broadcast)
        # (N, H, W, C) -> (N, H, W, 1), twice
        mean, spread = average(dn, axes), average(dn * self._normal, axes)
        # (N, H, W, 1) * (N, H, W, C) -> (N, H, W, C)
        return self._inverse * (dn - mean - self._normal * spread)

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
