"""Flatten, planned."""

import numpy as np

from scratch.layers import Flatten
from scratch.plans.planned import Planned, plans


@plans(Flatten)
class PlannedFlatten(Planned):
    """(n, a, b, ...) -> (n, a b ...), of images whose channels come last."""

    def __init__(self, layer, samples, place, workspace):
        super().__init__(layer, samples, place, workspace)
        self.place = np.empty((samples, *layer.input_shape[1:]), layer.dtype)
        self._y = self.place.reshape(samples, -1)

    @classmethod
    def can_plan(cls, layer):
        return layer.data_format == "channels_last" and len(layer.input_shape) > 2

    def forward(self, x, training=False):
        if x is not self.place:
            self.place[...] = x
        return self._y

    def backward(self, dy, wants_input_gradient=True):
        return dy.reshape(self.place.shape)
