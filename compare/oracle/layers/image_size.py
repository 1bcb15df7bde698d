"""Oracles of the layers that give all images one size: cut or framed, then resampled."""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.data_format import Layout
from compare.oracle.layers.scaling import exactly
from compare.oracle.resampling import in_single, resampled, resampled_backward, shares
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config


class ImageSize(Oracle):
    """Base: a subclass says by `frame` what is put on or, below 0, cut off before."""

    operation = "a change of an image's size"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.layout = Layout(2, config.get("data_format"))
        self.to = int(config["height"]), int(config["width"])
        self.interpolation = config.get("interpolation", "bilinear")
        self.exact = self.interpolation == "nearest"

    def frame(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """((top, bottom), (left, right)) for an image of that size."""
        raise NotImplementedError

    def kept(self, images: Bounded) -> Bounded:
        """Images that have the right size already."""
        return images

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        images = x.rearranged(self.layout.image)
        self.widths = ((0, 0), *self.frame(*images.shape[1:3]), (0, 0))
        fill = exactly(np.asarray(float(self.config.get("fill_value") or 0.0)), x).value
        images = self._framed(images, self.widths, float(fill))
        sizes = images.shape[1:3]
        self.resized = sizes != self.to
        self.rows, self.columns = (shares(old, new, self.interpolation)
                                   for old, new in zip(sizes, self.to))
        images = (resampled(images, self.rows, self.columns, self.interpolation) if self.resized
                  else self.kept(images))
        return images.rearranged(self.layout.given)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        images = dy.rearranged(self.layout.image)
        images = (resampled_backward(images, self.rows, self.columns, self.interpolation)
                  if self.resized else self.kept(images))
        back = tuple((-before, -after) for before, after in self.widths)
        return self._framed(images, back, 0.0).rearranged(self.layout.given), {}

    @staticmethod
    def _framed(x: Bounded, widths: tuple[tuple[int, int], ...], fill: float) -> Bounded:
        def change(array: np.ndarray, value: float) -> np.ndarray:
            cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(array.shape, widths))
            return np.pad(array[cut], [(max(a, 0), max(b, 0)) for a, b in widths],
                          constant_values=value)

        error = None if x.error is None else change(x.error, 0.0)
        return Bounded(change(x.value, fill), x.rounding, error)

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        def image(shape: Any) -> tuple[int, ...]:
            return self.layout.image_shape(tuple(shape))[1:3]

        ratios = [-(-new // max(old, 1)) + 1 for old, new in zip(image(input_shape), self.to)]
        return {"output": 4, "input_gradient": 4 * int(np.prod(ratios))}


def middle(size: int, kept: int) -> tuple[int, int]:
    """What to cut off before and behind, more behind where it is odd."""
    before = (size - kept) // 2
    return -before, kept - size + before


@judges("CenterCrop")
class CenterCrop(ImageSize):
    """The middle of the image; of one too small, the largest part of that aspect ratio, resized."""

    def frame(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        high, wide = self.to
        if height < high or width < wide:
            high, wide = (max(1, min(height, int(width * self.to[0] / self.to[1]))),
                          max(1, min(width, int(height * self.to[1] / self.to[0]))))
        return middle(height, high), middle(width, wide)


@judges("Resizing")
class Resizing(ImageSize):
    """The image at another size: cut or framed to the aspect ratio if asked for, then resampled."""

    def frame(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        high = int(np.float32(width * self.to[0]) / np.float32(self.to[1]))
        wide = int(np.float32(height * self.to[1]) / np.float32(self.to[0]))
        if self.config.get("crop_to_aspect_ratio"):
            return (middle(height, max(1, min(height, high))),
                    middle(width, max(1, min(width, wide))))
        if self.config.get("pad_to_aspect_ratio"):
            rows, columns = max(0, high - height) // 2, max(0, wide - width) // 2
            return (rows, rows), (columns, columns)
        return (0, 0), (0, 0)

    def kept(self, images: Bounded) -> Bounded:
        return images if self.interpolation == "nearest" else in_single(images)
