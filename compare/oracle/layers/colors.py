"""Oracles of images that are made grey, negatives, sharper or smoother, which are told what was
drawn."""

import numpy as np

from compare.oracle.base import judges
from compare.oracle.elementary import constant
from compare.oracle.layers.augmentation import ChosenImages, Clipped
from compare.oracle.layers.piecewise import held, wider
from compare.oracle.masks import chosen
from compare.oracle.running_error import Bounded, bilinear
from compare.tracing.types import Config


class Recoloured(ChosenImages):
    """Base: an image whose noise is not 0 in other colours."""

    def changed(self, x: Bounded) -> Bounded:
        """What an image becomes."""
        raise NotImplementedError

    def changed_back(self, dy: Bounded) -> Bounded:
        """Its gradient."""
        raise NotImplementedError

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.noise = self.noise_of(weights)
        return x if self.noise is None else chosen(self.noise.value != 0, self.changed(x), x)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        if self.noise is None:
            return dy, {}
        return chosen(self.noise.value != 0, self.changed_back(dy), dy), {}


@judges("RandomInvert")
class RandomInvert(Recoloured):
    """The largest value - x."""

    operation = "a difference"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.exact = config["value_range"][1] % 1 == 0

    @property
    def probability(self) -> float:  # type: ignore[override]  # of the layer, not of all its kind
        """That of an image, whose own is drawn between two numbers."""
        return float(np.clip(self.config["factor"], 0, 1).mean())

    def changed(self, x: Bounded) -> Bounded:
        return Bounded(held(float(self.config["value_range"][1]), x.rounding), x.rounding) - x

    def changed_back(self, dy: Bounded) -> Bounded:
        return -dy


@judges("RandomGrayscale")
class RandomGrayscale(Recoloured):
    """A weighted sum of red, green and blue in each of them."""

    exact = False
    operation = "a sum of three products"
    shares = (0.2989, 0.587, 0.114)

    @property
    def probability(self) -> float:  # type: ignore[override]
        """The factor."""
        return float(self.config["factor"])

    def changed(self, x: Bounded) -> Bounded:
        if x.shape[self.channels] == 1:
            return x
        made = bilinear(lambda a, b: (a * b).sum(axis=self.channels, keepdims=True), x,
                        self._weights(x))
        return made.rearranged(lambda a: np.broadcast_to(a, x.shape))

    def changed_back(self, dy: Bounded) -> Bounded:
        if dy.shape[self.channels] == 1:
            return dy
        return dy.sum(axis=self.channels, keepdims=True) * self._weights(dy)

    @property
    def channels(self) -> int:
        """Their axis."""
        return 1 if self.image_axes == (2, 3) else 3

    def _weights(self, x: Bounded) -> Bounded:
        shape = [1, 1, 1, 1]
        shape[self.channels] = 3
        weights = np.array(self.shares).reshape(shape)
        return Bounded(weights, x.rounding, x.rounding.unit * weights)

    def reductions(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]
                   ) -> dict[str, int]:
        return {"output": 3, "input_gradient": 3}


@judges("RandomSharpness")
class RandomSharpness(Clipped):
    """x + (1 - 2 noise) (s - x), clipped, with s the image smoothed: 5/13 of each pixel and 1/13 of
    each of its neighbours, 0 beyond the image."""

    exact = False
    operation = "a mixture with the smoothed image, clipped"

    def ranges(self, shape: tuple[int, ...]) -> list[tuple[float, float]]:
        low, high = self.config["factor"]
        return [(low, high)]

    def changed(self, x: Bounded, noise: Bounded) -> Bounded:
        return self._mixed(x, noise)

    def changed_back(self, dy: Bounded, noise: Bounded) -> Bounded:
        return self._mixed(dy, noise)  # the kernel is the same from the other end

    def _mixed(self, x: Bounded, noise: Bounded) -> Bounded:
        """In one of two ways: as x and a difference, or as two parts."""
        smooth, twice = self.smoothed(x), noise + noise
        share = Bounded(1.0, x.rounding) - twice
        return wider(x + share * (smooth - x), x * twice + smooth * share)

    def smoothed(self, x: Bounded) -> Bounded:
        """Each pixel mixed with its neighbours."""
        kernel = constant(1 / 13, x.rounding)
        weights = np.full((3, 3), kernel.value)
        weights[1, 1] *= 5
        return self.mixed(x, Bounded(weights, x.rounding, x.rounding.unit * weights))

    def reductions(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]
                   ) -> dict[str, int]:
        return {"output": 10, "input_gradient": 10}
