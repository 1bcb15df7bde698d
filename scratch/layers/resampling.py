"""One axis of an image brought to another size, by its nearest pixel, its two or its four nearest.

Pixels are squares, and their numbers stand in their middle ("half-pixel centers"): of n pixels,
pixel i of m new ones reads the old image at (i + 0.5) * n / m - 0.5, the middle of the first being
0. Between the outermost middles and the border nothing changes.
"""

from functools import cached_property, reduce

import numpy as np

KINDS = ("bilinear", "nearest", "bicubic")
STEPS = 1024  # TensorFlow knows the cubic's shares at so many places between two pixels


class Resampling:
    """From `size` to `new` pixels along one axis.

    Args:
        size, new: how many pixels there are, and are to be.
        interpolation: one of `KINDS`.

    """

    def __init__(self, size: int, new: int, interpolation: str):
        self.size, self.new, self.interpolation = size, new, interpolation

    @cached_property
    def taps(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Pairs of arrays (new,): which pixel each new one reads, and its share; one such pair for
        each pixel that it reads. Made for the first image: a file may ask for any size."""
        rule = {"nearest": _nearest, "bilinear": _linear, "bicubic": _cubic}[self.interpolation]
        return rule(self.size, self.new)

    def forward(self, x: np.ndarray, axis: int) -> np.ndarray:
        """(..., size, ...) -> (..., new, ...)."""
        if self.size == self.new:
            return x
        return reduce(np.add, [np.take(x, pixels, axis) * self._along(shares, x, axis)
                               for pixels, shares in self.taps])

    def backward(self, dy: np.ndarray, axis: int) -> np.ndarray:
        """(..., new, ...) -> (..., size, ...): each pixel gets its share of all that read it."""
        if self.size == self.new:
            return dy
        dx = np.zeros((self.size, *np.moveaxis(dy, axis, 0).shape[1:]), dy.dtype)
        for pixels, shares in self.taps:
            np.add.at(dx, pixels, np.moveaxis(dy * self._along(shares, dy, axis), axis, 0))
        return np.moveaxis(dx, 0, axis)

    @staticmethod
    def _along(shares: np.ndarray, x: np.ndarray, axis: int) -> np.ndarray:
        # (new,) -> (new, 1, ...), to be multiplied along the axis
        return shares.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))


def _linear(size: int, new: int) -> list[tuple[np.ndarray, np.ndarray]]:
    at = np.clip((np.arange(new) + 0.5) * size / new - 0.5, 0, size - 1)
    low = np.floor(at).astype(int)
    return [(low, 1 - (at - low)), (np.minimum(low + 1, size - 1), at - low)]


def _nearest(size: int, new: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where a middle lies on a border between two pixels, float32 decides, as in TensorFlow."""
    scale = np.float32(size) / np.float32(new)
    at = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale
    return [(np.minimum(np.floor(at).astype(int), size - 1), np.ones(new))]


def _cubic(size: int, new: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Keys's cubic (1981) at the nearest of `STEPS` places; float32 decides, as in TensorFlow.

    Pixels beyond the border have no share; those of the others are made to add up to 1.
    """
    half = np.float32(0.5)
    at = (np.arange(new, dtype=np.float32) + half) * (np.float32(size) / np.float32(new)) - half
    low = np.floor(at)
    between = np.rint((at - low) * np.float32(STEPS)).astype(np.float64) / STEPS
    pixels = [low.astype(int) + k for k in (-1, 0, 1, 2)]
    shares = [keys_cubic(np.abs(k - between)) * ((pixel >= 0) & (pixel < size))
              for k, pixel in zip((-1, 0, 1, 2), pixels)]
    total = reduce(np.add, shares)
    return [(np.clip(pixel, 0, size - 1), share / total) for pixel, share in zip(pixels, shares)]


def keys_cubic(distance: np.ndarray) -> np.ndarray:
    """The share of a pixel at that distance, up to 2: Keys's formula with a = -1/2."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance <= 1, near, far)
