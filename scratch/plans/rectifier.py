"""What a planned layer does with its activation, as a layer or inside of one."""

import numpy as np

from scratch.activations import Activation
from scratch.activations.piecewise import linear_function, relu_function


class PlannedActivation:
    """An activation's function and gradient; the rectifier's in memory that stays the same."""

    def __init__(self, activation: Activation):
        self.activation = activation
        self.linear = activation.function is linear_function
        self.rectifies = activation.function is relu_function
        self._zeros: np.ndarray | None = None
        self._mask: np.ndarray | None = None

    def forward(self, z: np.ndarray, out: np.ndarray) -> np.ndarray:
        """The output for z, in `out` if that is possible."""
        if self.rectifies:
            if self._zeros is None:
                self._zeros = np.zeros_like(z)  # faster than the number 0, with which NumPy is slow
            return np.maximum(z, self._zeros, out=out)
        return self.activation.function(z)

    def backward(self, dy: np.ndarray, z: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
        """The gradient for z, into `out`. A rectifier's z may have been overwritten by its y."""
        if self.rectifies:
            if self._mask is None:
                self._mask = np.empty_like(y, np.bool_)
            # y > 0 wherever z > 0, and nowhere else
            np.multiply(dy, np.greater(y, 0, out=self._mask), out=out)
        else:
            dz = self.activation.gradient(dy, z, y)
            if dz is not out:
                out[...] = dz
