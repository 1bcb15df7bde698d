"""Layers that are a rectifier and nothing else, planned."""

import numpy as np

from scratch.layers import Activation, ReLU
from scratch.plans.planned import Planned, plans
from scratch.plans.rectifier import PlannedActivation


@plans(ReLU, Activation)
class PlannedRectifier(Planned):
    """The larger one of a number and 0."""

    def __init__(self, layer, samples, place, workspace):
        super().__init__(layer, samples, place, workspace)
        self._activation = PlannedActivation(layer.activation)
        self._y, self._dx = place, None

    @classmethod
    def can_plan(cls, layer):
        return PlannedActivation(layer.activation).rectifies

    def is_current(self):
        return super().is_current() and self.layer.activation is self._activation.activation

    def forward(self, x, training=False):
        if self._y is None:
            self._y = np.empty_like(x)
        return self._activation.forward(x, self._y)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        if self._dx is None:
            self._dx = self.input_gradient_place
            if self._dx is None:
                self._dx = np.empty_like(self._y)
        self._activation.backward(dy, self._y, self._y, self._dx)
        return self._dx
