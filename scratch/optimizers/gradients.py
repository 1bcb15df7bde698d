"""Gradients before the rule sees them: they are scaled back, gathered over calls, clipped."""

import math
from typing import Any

import numpy as np

from scratch.optimizers import clipping
from scratch.optimizers.neighbours import Flat, Places, Runs


class PreparesGradients:
    """Makes of the gradients of a call those that a step is made by."""

    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    gradient_accumulators: list[np.ndarray]
    _calls: int
    _flat: Flat
    _clipped_places: Places
    _clipped_runs: Runs

    @property
    def loss_scale(self) -> float:
        """What the loss is multiplied by before the way back."""
        return 1.0 if self.loss_scale_factor is None else float(self.loss_scale_factor)

    def unscaled(self, gradients: list) -> list:
        """The gradients of the loss itself, from those of the scaled one."""
        if self.loss_scale_factor is None:
            return gradients
        return [gradient / gradient.dtype.type(self.loss_scale_factor) for gradient in gradients]

    def _gathered(self, gradients: list, positions) -> list:
        """The mean of the gradients of all calls since the last step; none until these are enough.
        """
        sums = [self.gradient_accumulators[position] for position in positions]
        if (self._calls + 1) % self.gradient_accumulation_steps:
            for total, gradient in zip(sums, gradients):
                total += gradient
            return []
        means = [(gradient + total) / total.dtype.type(self.gradient_accumulation_steps)
                 for total, gradient in zip(sums, gradients)]
        for total in self.gradient_accumulators:
            total[...] = 0
        return means

    def _clipped(self, gradients: list) -> list:
        """The gradients after clipping; as in Keras, a limit of 0 or below limits nothing."""
        limits = (self.clipnorm, self.global_clipnorm, self.clipvalue)
        if not any(limit and limit > 0 for limit in limits):
            return gradients
        places = self._clipped_places.like(gradients)
        if self.clipnorm:  # a norm is of one gradient
            for gradient, place in zip(gradients, places):
                clipping.by_norm(gradient, self.clipnorm, place)
            return places
        if self.global_clipnorm:
            scale = clipping.global_scale(gradients, self.global_clipnorm)
            for gradient, place in self._clipped_runs.pairs(gradients, places):
                np.multiply(gradient, scale, out=place)
            return places
        for gradient, place in self._clipped_runs.pairs(gradients, places):
            np.clip(gradient, -self.clipvalue, self.clipvalue, out=place)
        return places

    def can_use(self, gradients: list) -> bool:
        """Whether none of these would make its weight NaN or infinite.

        Infinity may be clipped to a largest magnitude, NaN stays what it is.
        """
        # the sum of squares is the fastest look at all entries; it may overflow where none has
        squares = 0.0
        for entries in self._flat.vectors(gradients):
            squares += float(entries.dot(entries))
        if math.isfinite(squares):
            return True
        if self.clipvalue and self.clipvalue > 0:
            return not any(np.isnan(gradient).any() for gradient in gradients)
        return all(np.isfinite(gradient).all() for gradient in gradients)
