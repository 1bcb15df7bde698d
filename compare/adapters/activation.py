"""Somebody's activation as the one inside another layer."""

import numpy as np

from scratch.activations import Activation


class Inner:
    """A wrapped activation layer, used as the function and the gradient of an `Activation`."""

    def __init__(self, layer):
        self.layer = layer

    def function(self, z: np.ndarray) -> np.ndarray:
        self._build(z)
        return self.layer.forward(z, True)

    def gradient(self, dy: np.ndarray, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        self.function(z.copy())  # the layer may have seen other numbers since
        return self.layer.backward(dy)

    def _build(self, z) -> None:
        shape = (None, *z.shape[1:])
        if not self.layer.built or not self.layer.fits(shape) or self.layer.dtype != z.dtype:
            self.layer.dtype = z.dtype
            self.layer.build(shape)


def as_activation(layer, name: str, config) -> Activation:
    """The activation that a wrapped layer is.

    Args:
        name, config: of the activation that it stands for.
    """
    inner = Inner(layer)
    return Activation(name, inner.function, inner.gradient, config)
