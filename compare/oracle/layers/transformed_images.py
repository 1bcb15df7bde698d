"""Oracles of the layers that turn, move, zoom and shear images, which are told what was drawn."""

import math
from typing import Any

import numpy as np

from compare.oracle.affine_images import FLOAT32, Filling, places, read
from compare.oracle.base import judges
from compare.oracle.inverse_transformation import inverse
from compare.oracle.layers.augmentation import EvenlyDrawn
from compare.oracle.running_error import LIBRARY_ULPS, Bounded, Function
from compare.tracing.types import Config

Matrix = tuple[tuple[Bounded, Bounded, Bounded], ...]


class TransformedImages(EvenlyDrawn):
    """Base: an image read at the places that a matrix says, which follows from what was drawn.

    Its gradient is read by the inverse of the matrix, with 0 in the place of the fill value, as
    TensorFlow has it: that need not be the derivative.
    """

    operation = "reading images at other places"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        if config.get("fill_mode") == "constant" and config["fill_value"] % 1:
            self.exact = False  # it would stand among the whole numbers

    def matrix(self, draws: list[np.ndarray], height: int, width: int) -> Matrix:
        """((a0, a1, a2), (b0, b1, b2)), each (N,), for what was drawn for each image, (N,) each."""
        raise NotImplementedError

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.noise = self.noise_of(weights)
        if self.noise is None:
            return x
        # float32 holds what was drawn, whatever the images are
        drawn = self.noise.value.astype(np.float32).astype(np.float64)[:, 0, 0].T
        size = x.shape[self.image_axes[0]], x.shape[self.image_axes[1]]
        self.matrices = self.forth(np.broadcast_to(drawn, (len(drawn), len(x.value))), *size)
        return self.read(x, self.matrices, self.config["fill_value"])

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        if self.noise is None:
            return dy, {}
        return self.read(dy, self.back(self.matrices), 0.0), {}

    def forth(self, draws: np.ndarray, height: int, width: int) -> Bounded:
        """By which images are read, (N, 2, 3), for (draws, N)."""
        return stacked(self.matrix(list(draws), height, width), draws.shape[1])

    def back(self, matrices: Bounded) -> Bounded:
        """By which the gradient is read."""
        return inverse(matrices)

    @property
    def reads_nearest(self) -> bool:
        """Whether it is the nearest pixel that is read: then places halfway between two matter."""
        return self.config.get("interpolation") == "nearest"

    def places(self, matrices: Bounded, height: int, width: int) -> tuple[Bounded, Bounded]:
        """(columns, rows) at which each pixel is read."""
        return places(matrices, height, width)

    def filling(self, fill_value: float) -> Filling:
        """How pixels are read."""
        return Filling(self.config["interpolation"], self.config["fill_mode"],
                       float(np.float32(fill_value)))

    def read(self, x: Bounded, matrices: Bounded, fill_value: float) -> Bounded:
        """x read by these matrices."""
        filling = self.filling(fill_value)
        first = self.image_axes == (2, 3)
        images = x.rearranged(lambda a: np.moveaxis(a, 1, -1)) if first else x
        made = read(images, *self.places(matrices, *images.shape[1:3]), filling)
        return made.rearranged(lambda a: np.moveaxis(a, -1, 1)) if first else made


@judges("RandomTranslation")
class RandomTranslation(TransformedImages):
    """An image moved to the right and down by so many pixels."""

    def matrix(self, draws: list[np.ndarray], height: int, width: int) -> Matrix:
        right, down = draws
        return (one(), zero(), known(-right)), (zero(), one(), known(-down))

    def admitted_noise(self, noise: np.ndarray) -> np.ndarray:
        """Numbers drawn for the layer; of whole ones, if the nearest pixel is read, their halves,
        so that every other image is moved by half a pixel more."""
        if not (self.reads_nearest and is_whole(noise)):
            return noise
        made = np.floor(noise / 2)
        made[::2] += 0.5
        return made

    def ranges(self, shape: tuple[int, ...]) -> list[tuple[float, float]]:
        height, width = (shape[axis] for axis in self.image_axes)
        rows, columns = (spread(self.config[name]) for name in ("height_factor", "width_factor"))
        return [(columns[0] * width, columns[1] * width), (rows[0] * height, rows[1] * height)]


@judges("RandomRotation")
class RandomRotation(TransformedImages):
    """An image turned counterclockwise, about its middle, by an angle in degrees."""

    exact = False

    def matrix(self, draws: list[np.ndarray], height: int, width: int) -> Matrix:
        angle = known(draws[0]) * Bounded(math.pi / 180, FLOAT32, FLOAT32.unit * math.pi / 180)
        cos, sin = (self._of_angle(angle, function) for function in (np.cos, np.sin))
        x, y = ((size - 1) / 2 for size in (width, height))
        return ((cos, -sin, known(x) - cos * x + sin * y), (sin, cos, known(y) - sin * x - cos * y))

    @staticmethod
    def _of_angle(angle: Bounded, function: Function) -> Bounded:
        made = angle.through(function, lambda low, high: np.ones_like(low), 2 * LIBRARY_ULPS)
        # next to a zero what is left after whole turns has lost digits
        return Bounded(made.value, FLOAT32, made.bound + FLOAT32.unit * np.minimum(
            1, np.abs(angle.value)))

    def admitted_noise(self, noise: np.ndarray) -> np.ndarray:
        """Numbers drawn for the layer as angles that turn an image round."""
        return 50 * noise

    def ranges(self, shape: tuple[int, ...]) -> list[tuple[float, float]]:
        low, high = self.config["factor"]
        return [(360 * low, 360 * high)]


@judges("RandomZoom")
class RandomZoom(TransformedImages):
    """An image read at distances from its middle that are so many times as large."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.exact &= self.reads_nearest

    def matrix(self, draws: list[np.ndarray], height: int, width: int) -> Matrix:
        down, across = draws
        return ((known(across), zero(), offset(width, across)),
                (zero(), known(down), offset(height, down)))

    def admitted_noise(self, noise: np.ndarray) -> np.ndarray:
        """Numbers drawn for the layer as zooms: by a half, by 1 or by 2 of whole ones, else from
        1/2 to 2."""
        made = 2.0 ** (np.mod(noise + 1, 3) - 1) if is_whole(noise) else 2.0 ** np.tanh(noise)
        return np.asarray(made, noise.dtype)

    def ranges(self, shape: tuple[int, ...]) -> list[tuple[float, float]]:
        rows, columns = self.config["height_factor"], self.config["width_factor"]
        found = [spread(rows), spread(rows if columns is None else columns)]
        return [(1 + low, 1 + high) for low, high in found]

    @property
    def alike(self) -> bool:  # type: ignore[override]  # of the layer, not of all its kind
        """Whether one draw serves both axes."""
        return self.config["width_factor"] is None


@judges("RandomShear")
class RandomShear(TransformedImages):
    """An image whose rows are read further to the right and whose columns further down, the more
    the further they are from the first."""

    turned = True

    def matrix(self, draws: list[np.ndarray], height: int, width: int) -> Matrix:
        right, down = draws
        return (one(), known(right), zero()), (known(down), one(), zero())

    def admitted_noise(self, noise: np.ndarray) -> np.ndarray:
        """Numbers drawn for the layer as shears that can be undone: of whole ones only one of the
        two, and that 1, 0 or -1, so that the way back is whole, too, or half of it if the nearest
        pixel is read; else less than 1."""
        made = np.tanh(noise) * 0.75
        if is_whole(noise):
            made = np.sign(noise) / (2 if self.reads_nearest else 1)
            made[::2, ..., 0], made[1::2, ..., 1] = 0, 0
        return np.asarray(made, noise.dtype)

    def ranges(self, shape: tuple[int, ...]) -> list[tuple[float, float]]:
        return [spread(self.config[name]) for name in ("x_factor", "y_factor")]


def is_whole(noise: np.ndarray) -> bool:
    """Whether there are whole numbers alone."""
    return bool((noise == np.round(noise)).all())


def one() -> Bounded:
    return Bounded(1.0, FLOAT32)


def zero() -> Bounded:
    return Bounded(0.0, FLOAT32)


def known(value: np.ndarray | float) -> Bounded:
    """What float32 holds exactly."""
    return Bounded(value, FLOAT32)


def offset(size: int, zoom: np.ndarray) -> Bounded:
    """(size - 1) / 2 (1 - zoom), exact where float32 holds both steps."""
    half, step = (size - 1) / 2, 1 - zoom
    made = known(half) * (known(1.0) - known(zoom))
    exact = (step.astype(np.float32) == step) & ((half * step).astype(np.float32) == half * step)
    return Bounded(half * step, FLOAT32, np.where(exact, 0.0, made.bound))


def spread(factor: Any) -> tuple[float, float]:
    """(lowest, highest) of a factor, which may be one number for its negative and that."""
    low, high = sorted(factor) if isinstance(factor, (tuple, list)) else (-abs(factor), abs(factor))
    return low, high


def stacked(matrix: Matrix, number: int) -> Bounded:
    """So many matrices, (number, 2, 3); one for all may be given."""
    flat = [each for row in matrix for each in row]
    values, errors = (np.stack([np.broadcast_to(array, (number,)) for array in arrays], axis=-1)
                      for arrays in ([each.value for each in flat], [each.bound for each in flat]))
    return Bounded(values.reshape(-1, 2, 3), FLOAT32, errors.reshape(-1, 2, 3))
