"""Oracles of layers that move numbers and leave them as they are, or repeat or omit them.

UpSampling2D, which repeats them as a rule, may also interpolate between them.
"""

import math
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.data_format import Layout
from compare.oracle.interpolation import Weights, resampled, weights
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config


class Moving(Oracle):
    """Base of them all."""

    operation = "a change of place or shape"


@judges("Flatten")
class Flatten(Moving):
    """The same numbers in one row per sample, row-major, the channels last."""

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        matters = len(x.shape) > 2  # in (batch, features) the channels come last in any case
        self.layout = Layout(2, self.config.get("data_format") if matters else "channels_last")
        images = x.rearranged(self.layout.image)
        self.shape = images.shape
        return images.reshape(x.shape[0], int(np.prod(x.shape[1:])))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy.reshape(self.shape).rearranged(self.layout.given), {}


@judges("Identity")
class Identity(Moving):
    """The input."""

    operation = "nothing"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return x

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy, {}


@judges("RepeatVector")
class RepeatVector(Moving):
    """The input n times, along a new axis behind the batch; its gradient is its copies' sum."""

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return x.rearranged(lambda a: np.stack([a] * self.config["n"], axis=1))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy.sum(axis=1), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": 1, "input_gradient": self.config["n"]}


@judges("Reshape")
class Reshape(Moving):
    """The same numbers in another shape, row-major."""

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.shape = x.shape
        return x.reshape(x.shape[0], *self._target(x.shape))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy.reshape(self.shape), {}

    def _target(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The target shape with its -1 resolved: a batch may be empty."""
        target = list(self.config["target_shape"])
        if -1 in target:
            others = np.prod([n for n in target if n != -1], dtype=int)
            target[target.index(-1)] = int(np.prod(shape[1:], dtype=int) // others)
        return tuple(target)


@judges("Permute")
class Permute(Moving):
    """Axis i of the output is axis dims[i - 1] of the input."""

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return x.rearranged(lambda a: np.moveaxis(a, self.config["dims"], range(1, a.ndim)))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy.rearranged(lambda a: np.moveaxis(a, range(1, a.ndim), self.config["dims"])), {}


class Border(Moving):
    """Base: a border of (before, after) along each spatial axis, put on or taken off."""

    rank = 2
    argument = ""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.layout = Layout(2, config.get("data_format"))  # sequences, too, keep their axes
        border = config[self.argument]
        border = [border] if self.rank == 1 else border
        self.widths = [(0, 0), *(tuple(width) for width in border), (0, 0)]  # N, (D,) H, W, C

    def put_on(self, x: Bounded) -> Bounded:
        """x within a border of zeros."""
        def padded(array: np.ndarray) -> np.ndarray:
            return self.layout.given(np.pad(self.layout.image(array), self.widths))

        return x.rearranged(padded)

    def taken_off(self, x: Bounded) -> Bounded:
        """What the border surrounds."""
        def cut(array: np.ndarray) -> np.ndarray:
            image = self.layout.image(array)
            inside = (slice(before, size - after)
                      for (before, after), size in zip(self.widths, image.shape))
            return self.layout.given(image[tuple(inside)])

        return x.rearranged(cut)


@judges("ZeroPadding2D")
class ZeroPadding2D(Border):
    """Zeros around the image."""

    argument = "padding"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return self.put_on(x)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return self.taken_off(dy), {}


@judges("Cropping2D")
class Cropping2D(Border):
    """The image without its border."""

    argument = "cropping"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return self.taken_off(x)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return self.put_on(dy), {}


@judges("ZeroPadding1D")
class ZeroPadding1D(ZeroPadding2D):
    """Zeros before and after a sequence."""

    rank = 1


@judges("Cropping1D")
class Cropping1D(Cropping2D):
    """A sequence without its ends."""

    rank = 1


class UpSampling(Moving):
    """Base: every pixel repeated along all axes; its gradient is the sum of its copies'."""

    rank = 2

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.layout = Layout(self.rank, config.get("data_format"))
        size = config["size"]
        self.size = self.layout.per_axis((size,) if self.rank == 1 else size)

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        def repeated(array: np.ndarray) -> np.ndarray:
            image = self.layout.image(array)
            for axis, times in enumerate(self.size, start=1):
                image = image.repeat(times, axis)
            return self.layout.given(image)

        return x.rearranged(repeated)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = dy.rearranged(self.layout.image)
        n, *sizes, channels = dy.shape
        apart = [part for size, times in zip(sizes, self.size) for part in (size // times, times)]
        copies = dy.reshape(n, *apart, channels).sum(axis=tuple(range(2, len(apart) + 1, 2)))
        return copies.rearranged(self.layout.given), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": 1, "input_gradient": int(np.prod(self.size))}


@judges("UpSampling2D")
class UpSampling2D(UpSampling):
    """Every pixel repeated, or others interpolated between them.

    Bilinear weights are whole multiples of a power of two where both factors are such powers. Then
    whole numbers come out with nothing rounded.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.kind = config.get("interpolation", "nearest")
        if self.kind != "nearest":
            self.operation = "weighted sums of pixels"
            self.exact = self.kind == "bilinear" and all(n & (n - 1) == 0 for n in self.size)

    def weights(self, sizes: tuple[int, ...]) -> list[Weights]:
        """Those of the rows and of the columns of images of these sizes."""
        return [weights(n, factor, self.kind) for n, factor in zip(sizes, self.size)]

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        if self.kind == "nearest":
            return super().forward(x, weights)
        x = x.rearranged(self.layout.image)
        self.rows, self.columns = self.weights(x.shape[1:3])
        return resampled(self.rows, self.columns, x).rearranged(self.layout.given)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        if self.kind == "nearest":
            return super().backward(dy)
        dx = resampled(self.rows.turned, self.columns.turned, dy.rearranged(self.layout.image),
                       back=True)
        return dx.rearranged(self.layout.given), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        if self.kind == "nearest":
            return super().reductions(input_shape, output_shape)
        # bilinear weights count in units of 1 / (4 rows columns), of which they hold that many
        units = 4 * math.prod(self.size)
        return {"output": 4 * units, "input_gradient": units * units}


@judges("UpSampling1D")
class UpSampling1D(UpSampling):
    """Every step repeated."""

    rank = 1


@judges("ZeroPadding3D")
class ZeroPadding3D(ZeroPadding2D):
    """Zeros around a volume."""

    rank = 3


@judges("Cropping3D")
class Cropping3D(Cropping2D):
    """A volume without its border."""

    rank = 3


@judges("UpSampling3D")
class UpSampling3D(UpSampling):
    """Every voxel repeated."""

    rank = 3
