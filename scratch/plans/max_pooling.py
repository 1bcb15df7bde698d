"""Max pooling over windows that neither overlap nor reach into padding, planned."""

import math

import numpy as np

from scratch.layers import MaxPooling1D, MaxPooling2D
from scratch.layers.max_pooling import INTEGERS
from scratch.plans.planned import Planned, plans
from scratch.side_by_side import memory_order


@plans(MaxPooling1D, MaxPooling2D)
class PlannedMaxPooling(Planned):
    """The largest number of each window; the gradient goes to the first such."""

    def __init__(self, layer, samples, place, workspace):
        super().__init__(layer, samples, place, workspace)
        self._x = None

    @classmethod
    def can_plan(cls, layer):
        return layer.data_format == "channels_last" and not any(
            maxima.overlapping or maxima.padded for maxima in layer.maxima)

    def forward(self, x, training=False):
        if x is not self._x:
            self._bind(x)
        for step in self._steps:
            step.forward()
        return self._y

    def _bind(self, x: np.ndarray) -> None:
        self._x, self._steps = x, []
        for maxima in reversed(self.layer.maxima):
            # only the last of them may write elsewhere
            place = self.output_place if maxima is self.layer.maxima[0] else None
            step = AxisStep(maxima, x, place)
            self._steps.append(step)
            x = step.y
        self._y = x
        self._order = memory_order(x)
        self._aligned = np.empty_like(x)
        self._bits = self._aligned.view(INTEGERS[x.dtype])
        self._dx = None

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        if self._dx is None:
            self._plan_backward()
        self._aligned[...] = dy
        # the sum of squares is finite as a rule, and a quick look
        flat = self._y.transpose(self._order).reshape(-1)  # a copy within another layer's padding
        nans = (not math.isfinite(flat.dot(flat))
                and math.isnan(np.maximum.reduce(self._y, axis=None, initial=0)))
        for step in reversed(self._steps):
            step.backward(nans)
        return self._dx

    def _plan_backward(self) -> None:
        bits = self._bits
        for step in reversed(self._steps):
            bits = step.plan_backward(bits)
        self._dx = bits.view(self._x.dtype)


class AxisStep:
    """Pooling along one axis: from x to y, and the bits of y's gradient back to x's."""

    def __init__(self, maxima, x: np.ndarray, place: np.ndarray | None):
        self.maxima, self.x = maxima, x
        self._parts = [x[part] for part in maxima.parts]
        self.y = np.empty_like(self._parts[0]) if place is None else place

    def forward(self) -> None:
        first, *others = self._parts
        if not others:
            self.y[...] = first
        for part in others:
            np.maximum(first, part, out=self.y)
            first = self.y

    def plan_backward(self, bits: np.ndarray) -> np.ndarray:
        """Where the gradient of x comes, of whose places some may never get any."""
        self._bits = bits
        self._back = np.zeros_like(self.x, bits.dtype)
        self._shares = [self._back[part] for part in self.maxima.parts]
        self._left = np.empty_like(bits)
        self._won = np.empty_like(bits, np.bool_)
        return self._back

    def backward(self, nans: bool) -> None:
        if nans:
            self._back[...] = self.maxima.gradient(self._bits, self.x, self.y, nans)
            return
        bits, last = self._bits, len(self._parts) - 1
        for i, (part, share) in enumerate(zip(self._parts[:-1], self._shares)):
            np.multiply(bits, np.equal(part, self.y, out=self._won), out=share)
            # what is left for the places to come; the last of them takes it
            left = self._shares[last] if i == last - 1 else self._left
            bits = np.subtract(bits, share, out=left)
        if not last:
            self._shares[0][...] = bits
