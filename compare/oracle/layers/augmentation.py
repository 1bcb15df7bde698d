"""Oracles of the augmentations of images, which are told what was drawn; and of those of which
nothing is drawn."""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.layers.piecewise import choose, held, wider
from compare.oracle.rounded_mean import mean
from compare.oracle.running_error import Bounded, bilinear


class OfImages(Oracle):
    """Base: numbers are drawn for each image."""

    of_images = True

    def noise_of(self, weights: dict[str, Bounded]) -> Bounded | None:
        """(batch, 1, 1, draws), or None for images that stay as they are."""
        return weights.get("noise") if self.training else None

    @property
    def image_axes(self) -> tuple[int, int]:
        """Those of the rows and of the columns of a batch."""
        return (2, 3) if self.config.get("data_format") == "channels_first" else (1, 2)

    def mixed(self, x: Bounded, kernel: Bounded) -> Bounded:
        """Each pixel mixed with its neighbours by a kernel (height, width), zeros beyond the image.
        """
        around = [(0, 0)] * 4
        for axis, size in zip(self.image_axes, kernel.shape):
            around[axis] = (size // 2, size // 2)

        def product(image: np.ndarray, window: np.ndarray) -> np.ndarray:
            framed, made = np.pad(image, around), np.zeros(image.shape)
            for place in np.ndindex(window.shape):
                cut = [slice(None)] * 4
                for axis, start in zip(self.image_axes, place):
                    cut[axis] = slice(start, start + image.shape[axis])
                made += window[place] * framed[tuple(cut)]
            return made

        return bilinear(product, x, kernel)


class ChosenImages(OfImages):
    """Base: an image is changed if its noise is not 0, which it is with a probability."""

    probability = 0.5


@judges("RandomFlip")
class RandomFlip(ChosenImages):
    """An image whose noise is not 0 from the other end, along one axis or both."""

    operation = "turning images over"

    @property
    def axes(self) -> tuple[int, ...]:
        """Along which images are turned over."""
        rows, columns = self.image_axes
        return {"horizontal": (columns,), "vertical": (rows,)}.get(
            self.config.get("mode", ""), (rows, columns))

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.noise = self.noise_of(weights)
        return self._turned(x)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return self._turned(dy), {}

    def _turned(self, x: Bounded) -> Bounded:
        if self.noise is None:
            return x
        turned = self.noise.value != 0
        return x.rearranged(lambda a: np.where(turned, np.flip(a, self.axes), a))


class EvenlyDrawn(OfImages):
    """Base: what is drawn for an image are numbers that are spread evenly.

    Attributes:
        alike: whether one draw stands for all numbers of an image.
        turned: whether half of the images have theirs with the other sign.
    """

    alike = False
    turned = False

    def ranges(self, shape: tuple[int, ...]) -> list[tuple[float, float]]:
        """Between which limits each number for images of that shape is drawn."""
        raise NotImplementedError


class Clipped(EvenlyDrawn):
    """Base: what comes out is clipped to a range of values.

    A number at an end of the range passes its gradient back.
    """

    def changed(self, x: Bounded, noise: Bounded) -> Bounded:
        """What is clipped."""
        raise NotImplementedError

    def changed_back(self, dy: Bounded, noise: Bounded) -> Bounded:
        """The gradient of x, given that of what is clipped."""
        raise NotImplementedError

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.noise = self.noise_of(weights)
        if self.noise is None:
            return x
        self.ends = [held(float(end), x.rounding) for end in self.config["value_range"]]
        self.y = self.changed(x, self.noise)
        return self.y.clip(*self.ends)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        if self.noise is None:
            return dy, {}
        passed = choose(self.y, self.ends, [0, *[lambda y: dy] * 3, 0])
        return self.changed_back(passed, self.noise), {}


@judges("RandomBrightness")
class RandomBrightness(Clipped):
    """x + noise, clipped."""

    operation = "a sum with noise, clipped"

    def ranges(self, shape: tuple[int, ...]) -> list[tuple[float, float]]:
        low, high = self.config["value_range"]
        least, most = (end * (high - low) for end in self.config["factor"])
        return [(least, most)]

    def changed(self, x: Bounded, noise: Bounded) -> Bounded:
        return x + noise

    def changed_back(self, dy: Bounded, noise: Bounded) -> Bounded:
        return dy


@judges("RandomContrast")
class RandomContrast(Clipped):
    """(x - m) noise + m, clipped, with m the mean of each channel of an image."""

    exact = False
    operation = "(x - mean) * noise + mean, clipped"

    def ranges(self, shape: tuple[int, ...]) -> list[tuple[float, float]]:
        below, above = self.config["factor"]
        return [(1 - below, 1 + above)]

    def changed(self, x: Bounded, noise: Bounded) -> Bounded:
        middle = self._mean(x)
        return (x - middle) * noise + middle

    def changed_back(self, dy: Bounded, noise: Bounded) -> Bounded:
        # each pixel's own way, and that by the mean of its channel: as the mean times 1 - noise, or
        # from the two places where the mean stands, in which the sums are added up before or after
        # they are divided
        own, shared = dy * noise, self._mean(dy)
        total = own + shared * (Bounded(1.0, dy.rounding) - noise)
        apart = own + (shared - self._mean(own))
        sizes = self._mean(Bounded(np.abs(dy.value), dy.rounding)).value
        slack = dy.rounding.gamma(4) * sizes * (1 + np.abs(noise.value))
        return wider(total, Bounded(apart.value, dy.rounding, apart.bound + slack))

    def _mean(self, x: Bounded) -> Bounded:
        """Of each channel; of the rows first and then of the columns, or of all at once."""
        def total(array: np.ndarray) -> np.ndarray:
            return np.asarray(array.sum(axis=self.image_axes, keepdims=True))

        x, number = x.flushed(), int(np.prod([x.shape[axis] for axis in self.image_axes]))
        magnitude = total(np.abs(x.value))
        made = mean(total(x.value), magnitude, total(x.bound), total(x.support()), number,
                    x.rounding)
        # two divisions in place of one
        more = x.rounding.gamma(2) * magnitude / number + 2 * x.rounding.tiny
        return Bounded(made.value, x.rounding, made.bound + more * (number > 1))

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        pixels = int(np.prod([input_shape[axis] for axis in self.image_axes]))
        return {"output": pixels, "input_gradient": pixels}


@judges("RandomPerspective", "RandomElasticTransform", "RandomHue", "RandomSaturation",
        "RandomColorDegeneration", "RandomColorJitter", "RandomPosterization", "RandomErasing",
        "RandAugment", "AugMix")
class UndrawnImages(Oracle):
    """x, at inference as Keras does; in training no draw is handed over, and images stay, too."""

    operation = "handing images through"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return x

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy, {}
