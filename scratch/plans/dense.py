"""The fully connected layer, planned."""

import numpy as np

from scratch.layers import Dense
from scratch.plans.planned import Planned, plans
from scratch.plans.rectifier import PlannedActivation


@plans(Dense)
class PlannedDense(Planned):
    """activation(x @ kernel + bias) of inputs (n, in)."""

    def __init__(self, layer, samples, place, workspace):
        super().__init__(layer, samples, place, workspace)
        self._activation = PlannedActivation(layer.activation)
        self._z = np.empty((samples, layer.units), layer.dtype)
        self._dz = np.empty_like(self._z)
        self._dx = None

    @classmethod
    def can_plan(cls, layer):
        return len(layer.input_shape) == 2

    def is_current(self):
        return super().is_current() and self.layer.activation is self._activation.activation

    def forward(self, x, training=False):
        params = self.layer.params
        self._x = x
        # (n, in) @ (in, units) -> (n, units)
        z = np.matmul(x, params["kernel"], out=self._z)
        if self.layer.use_bias:
            z += params["bias"]
        self._y = self._activation.forward(z, z)
        return self._y

    def backward(self, dy, wants_input_gradient=True):
        self._activation.backward(dy, self._z, self._y, self._dz)
        return self.backward_from_logits(self._dz, wants_input_gradient)

    @property
    def logits(self):
        return self._z if self.logits_kind else None

    def backward_from_logits(self, dz, wants_input_gradient=True):
        kernel = self.grads["kernel"].T
        # (units, n) @ (n, in) -> (units, in), as the layer does it
        (np.matmul if self.samples > 1 else np.multiply)(dz.T, self._x, out=kernel)
        if self.layer.use_bias:
            np.add.reduce(dz, axis=0, out=self.grads["bias"])
        if not wants_input_gradient:
            return None
        if self._dx is None:
            self._dx = np.empty_like(self._x)
        # (n, units) @ (units, in) -> (n, in)
        return np.matmul(dz, self.layer.params["kernel"].T, out=self._dx)
