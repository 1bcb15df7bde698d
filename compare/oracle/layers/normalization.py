"""Oracles of batch, group and layer normalization.

With c = x - mean, r = 1 / sqrt(variance + epsilon) and h = gamma * dy, by definition

    y      = gamma * c * r + beta
    dbeta  = sum dy          dgamma = sum dy * c * r
    dx     = r * (h - sum h / n - c * r^2 * sum (h c) / n)     (sums over the n values normalized)

and dx = r * h where mean and variance are given constants. TensorFlow computes the first as
x * g + (beta - mean * g) with g = gamma * r, and by differentiating that gets sum h c as
sum h x - mean * sum h: where the mean is large both lose digits, for x and mean themselves are then
multiplied and rounded, not their difference. Bounds therefore allow a few roundings of
|g| (|x| + |mean|) in y, and of sum |h| (|x| + |mean|) in the gradients, which covers formulas that
start from c as well, since |c| <= |x| + |mean|. An error of g or r itself, in contrast, is the same
number wherever it occurs, so that it multiplies c alone: x * g and mean * g share it.
"""

import math
from typing import Any

import numpy as np

from compare.oracle import masks
from compare.oracle.base import Oracle, judges
from compare.oracle.elementary import constant
from compare.oracle.moments import Moments, inverse_deviation, known, moments, of_counted
from compare.oracle.running_error import Bounded

EPSILON = 1e-7  # keras.config.epsilon(), added to the number of steps that count


class Normalization(Oracle):
    """Base: a subclass says over which axes the moments are, and which the weights have."""

    exact = False
    in_float32 = True
    operation = "differences from a mean over a deviation"

    def axes(self, rank: int) -> tuple[int, ...]:
        """The axes over which the moments are taken."""
        raise NotImplementedError

    def weight_axes(self, rank: int) -> tuple[int, ...]:
        """The axes that the weights have."""
        raise NotImplementedError

    def by_batch(self) -> bool:
        """Whether the moments are the batch's own."""
        return True

    def arranged(self, array: np.ndarray) -> np.ndarray:
        """An input, or what has its shape, with the axes that `axes` speaks of."""
        return array

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x = x.flushed()
        rank = len(x.shape)
        self.shape = tuple(size if i in self.weight_axes(rank) else 1
                           for i, size in enumerate(x.shape))
        self.weights = {name: w.flushed() for name, w in weights.items()}
        if self.by_batch():
            self.moments = self.of_batch(x, rank)
        else:
            self.moments = known(self._weight("moving_mean"), self._weight("moving_variance"))
        self.inverse = inverse_deviation(self.moments, self.config["epsilon"])
        mean = self.moments.mean
        if not x.rounding.bounds:
            return self._output()
        self.centred = np.abs(x.value - mean.value)
        # how far x - mean can be off before it is rounded, and the magnitudes that are rounded
        self.shift = x.bound + mean.bound
        self.sizes = np.abs(x.value) + x.bound + np.abs(mean.value) + mean.bound
        return self._output()

    def of_batch(self, x: Bounded, rank: int) -> Moments:
        """The batch's own moments."""
        return moments(x, self.axes(rank))

    def _weight(self, name: str) -> Bounded:
        return self.weights[name].reshape(self.shape)

    def _output(self) -> Bounded:
        rounding, mean = self.x.rounding, self.moments.mean
        factor = self.inverse * self._weight("gamma") if "gamma" in self.weights else self.inverse
        beta = (self._weight("beta") if "beta" in self.weights
                else Bounded(np.zeros(self.shape), rounding))
        value = (self.x.value - mean.value) * factor.value + beta.value
        if not rounding.bounds:
            return Bounded(value, rounding)
        largest = np.abs(factor.value) + factor.bound
        error = (self.centred * factor.bound + largest * self.shift + beta.bound
                 + rounding.gamma(4) * (largest * self.sizes + np.abs(beta.value) + beta.bound)
                 + rounding.tiny * (4 + largest))
        return Bounded(value, rounding, error).flushed()

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = dy.flushed()
        if not self.x.rounding.bounds:  # what follows from an input without bounds has none, either
            dy = Bounded(dy.value, self.x.rounding)
        rank = len(dy.shape)
        gradients = {}
        summed = tuple(i for i in range(rank) if i not in self.weight_axes(rank))
        if "gamma" in self.weights:
            gradients["gamma"] = self._gamma_gradient(dy, summed)
        if "beta" in self.weights:
            gradients["beta"] = dy.sum(axis=summed)
        gradients = {name: value.reshape(self.weights[name].shape)
                     for name, value in gradients.items()}
        h = dy * self._weight("gamma") if "gamma" in self.weights else dy
        if not self.by_batch():
            return h * self.inverse, gradients
        return self._input_gradient(h), gradients

    def _gamma_gradient(self, dy: Bounded, axes: tuple[int, ...]) -> Bounded:
        """sum dy * c * r: at most 4 roundings of each term besides those of the sum."""
        inverse, rounding = self.inverse, dy.rounding
        value = (dy.value * (self.x.value - self.moments.mean.value) * inverse.value).sum(axis=axes)
        if not rounding.bounds:
            return Bounded(value, rounding)
        terms = dy.support().sum(axis=axes)
        size = np.abs(dy.value) + dy.bound
        largest = inverse.value + inverse.bound
        passed_on = ((dy.bound * self.centred + size * self.shift) * largest
                     + np.abs(dy.value) * self.centred * inverse.bound).sum(axis=axes)
        rounded = rounding.gamma(terms + 4) * (size * self.sizes * largest).sum(axis=axes)
        flushed = rounding.tiny * 4 * (dy.support() * (1 + largest) * (1 + self.sizes)
                                       ).sum(axis=axes)
        return Bounded(value, rounding, passed_on + rounded + flushed)

    def _input_gradient(self, h: Bounded) -> Bounded:
        """r h - r sum h / n - r^3 c sum (h c) / n, each of the three within 12 roundings."""
        rounding, axes = h.rounding, self.axes(len(h.shape))
        count = math.prod(h.shape[axis] for axis in axes)
        r, slack = self.inverse.value, self.inverse.bound
        most = r + slack
        centred = self.x.value - self.moments.mean.value

        def total(array: np.ndarray) -> np.ndarray:
            return np.asarray(array.sum(axis=axes, keepdims=True))

        plain, spread = h.sum(axis=axes, keepdims=True), total(h.value * centred)
        value = r * (h.value - plain.value / count - centred * r**2 * spread / count)
        if not rounding.bounds:
            return Bounded(value, rounding)
        size = np.abs(h.value) + h.bound
        off = (total(h.bound * self.centred + size * self.shift)
               + rounding.gamma(total(h.support()) + 3) * total(size * self.sizes)
               + 4 * count * rounding.tiny)
        passed_on = (slack * np.abs(h.value) + most * h.bound
                     + (slack * np.abs(plain.value) + most * plain.bound) / count
                     + (most**3 - r**3) * self.centred * np.abs(spread) / count
                     + most**3 * (self.shift * (np.abs(spread) + off) + self.centred * off) / count)
        magnitude = (most * size + most * (np.abs(plain.value) + plain.bound) / count
                     + most**3 * (self.centred + self.shift) * (np.abs(spread) + off) / count)
        flushed = 8 * rounding.tiny * (1 + most)**3 * (1 + self.centred + self.shift)
        return Bounded(value, rounding, passed_on + rounding.gamma(12) * magnitude + flushed)

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        rank = len(input_shape)
        count = math.prod(input_shape[axis] for axis in self.axes(rank))
        summed = math.prod(size for i, size in enumerate(input_shape)
                           if i not in self.weight_axes(rank))
        terms = count if self.by_batch() else 1
        return {"output": terms, "input_gradient": terms, "gamma_gradient": summed,
                "beta_gradient": summed}


@judges("BatchNormalization")
class BatchNormalization(Normalization):
    """Channel by channel: by the batch's moments in training, else by the moving averages."""

    mixes_samples = True

    def axes(self, rank: int) -> tuple[int, ...]:
        return tuple(i for i in range(rank) if i not in self.weight_axes(rank))

    def weight_axes(self, rank: int) -> tuple[int, ...]:
        return (self.config.get("axis", -1) % rank,)

    def by_batch(self) -> bool:
        return self.training and self.config.get("trainable", True)

    def admitted_inputs(self, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return masks.admitted(x)

    def of_batch(self, x: Bounded, rank: int) -> Moments:
        if self.counts is None:
            return super().of_batch(x, rank)
        counts = np.broadcast_to(self.counts[..., None], x.shape).astype(np.float64)
        self.number = counts.sum(axis=self.axes(rank), keepdims=True) + EPSILON
        return of_counted(x, counts, self.axes(rank), self.number)

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        dx, gradients = super().backward(dy)
        return masks.with_mask(dx, self.counts), gradients

    def _input_gradient(self, h: Bounded) -> Bounded:
        """Of a masked batch r (h - w (sum h - c r^2 ...) / n), where w is 1 where a step counts and
        n a little more than the number of those: see `_counted_gradient`."""
        return super()._input_gradient(h) if self.counts is None else self._counted_gradient(h)

    def _counted_gradient(self, h: Bounded) -> Bounded:
        """r h - w / n (r sum h + r^3 (c - l) sum (h c)), where the sums are over all values and
        l = sum (w c) / n is what the epsilon in n leaves of the mean of the counted ones; each
        within 16 roundings."""
        assert self.counts is not None
        rounding, axes, n = h.rounding, self.axes(len(h.shape)), self.number
        w = np.broadcast_to(self.counts[..., None], h.shape).astype(np.float64)
        r, slack = self.inverse.value, self.inverse.bound
        most, centred = r + slack, self.x.value - self.moments.mean.value

        def total(array: np.ndarray) -> np.ndarray:
            return np.asarray(array.sum(axis=axes, keepdims=True))

        plain, spread = h.sum(axis=axes, keepdims=True), total(h.value * centred)
        left = total(w * centred) / n
        value = r * h.value - w / n * (r * plain.value + r**3 * (centred - left) * spread)
        if not rounding.bounds:
            return Bounded(value, rounding)
        size = np.abs(h.value) + h.bound
        off = (total(h.bound * self.centred + size * self.shift)
               + rounding.gamma(total(h.support()) + 3) * total(size * self.sizes)
               + 4 * h.value.size * rounding.tiny)
        left_off = (total(w * self.shift) + rounding.gamma(n + 3) * total(w * self.sizes)) / n
        away, shift = np.abs(centred - left), self.shift + left_off
        passed_on = (slack * np.abs(h.value) + most * h.bound
                     + w / n * (slack * np.abs(plain.value) + most * plain.bound
                                + (most**3 - r**3) * away * np.abs(spread)
                                + most**3 * (shift * (np.abs(spread) + off) + away * off)))
        magnitude = (most * size + w / n * (
            most * (np.abs(plain.value) + plain.bound)
            + most**3 * (self.sizes + np.abs(left) + left_off) * (np.abs(spread) + off)))
        flushed = 8 * rounding.tiny * (1 + most)**3 * (1 + self.centred + shift)
        return Bounded(value, rounding, passed_on + rounding.gamma(16) * magnitude + flushed)

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        shape = input_shape[0] if isinstance(input_shape[0], (list, tuple)) else input_shape
        return super().reductions(shape, output_shape)

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        x, self.counts = masks.parted(x)
        y = super().forward(x, weights)
        self.updated = {}
        if self.by_batch():
            momentum = float(self.config["momentum"])
            keep, take = (constant(c, x.rounding) for c in (momentum, 1.0 - momentum))
            for name, batch in (("moving_mean", self.moments.mean),
                                ("moving_variance", self.moments.variance)):
                self.updated[name] = self.weights[name] * keep + batch.reshape(-1) * take
        return y


@judges("LayerNormalization")
class LayerNormalization(Normalization):
    """Each sample by its own moments over the named axes, which gamma and beta have too."""

    def axes(self, rank: int) -> tuple[int, ...]:
        axis = self.config.get("axis", -1)
        return tuple(a % rank for a in (axis if isinstance(axis, (list, tuple)) else [axis]))

    weight_axes = axes


@judges("GroupNormalization")
class GroupNormalization(Normalization):
    """Each sample and group of neighbouring channels by its own moments; gamma and beta by channel.

    Inside, the channels have two axes: that of the groups and that within them.
    """

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.given = x.shape
        return super().forward(x.rearranged(self.arranged), weights).reshape(x.shape)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dx, gradients = super().backward(dy.rearranged(self.arranged))
        return dx.reshape(self.given), gradients

    def arranged(self, array: np.ndarray) -> np.ndarray:
        """An input with its channels in groups."""
        shape, axis = array.shape, self._axis(array.ndim)
        groups = shape[axis] if self.config["groups"] == -1 else self.config["groups"]
        return array.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1:])

    def _axis(self, rank: int) -> int:
        """That of the channels, of an input of so many axes."""
        return int(self.config.get("axis", -1)) % rank

    def axes(self, rank: int) -> tuple[int, ...]:
        groups = self._axis(rank - 1)
        return tuple(i for i in range(1, rank) if i != groups)

    def weight_axes(self, rank: int) -> tuple[int, ...]:
        groups = self._axis(rank - 1)
        return groups, groups + 1

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        grouped = self.arranged(np.empty(input_shape, bool)).shape
        return super().reductions(grouped, grouped)
