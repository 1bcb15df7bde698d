"""What the layers that turn, move, zoom and shear images have in common."""

import numbers

import numpy as np

from scratch.affine_transform import inverse, transformed
from scratch.layers.augmentation import (
    FILL_MODES,
    INTERPOLATIONS,
    DrawnImages,
    factor_range,
    one_of,
)
from scratch.layers.data_format import from_channels_last, to_channels_last


class TransformedImages(DrawnImages):
    """Base: in training each image is read at the places that a matrix says, which follows from
    what was drawn for it; see `scratch.affine_transform`. At inference it stays.

    The gradient is TensorFlow's: the gradient of what came out, read by the inverse of the matrix,
    with the same fill_mode, and 0 for the fill_value. Where pixels only change their places, that
    is the derivative. Where they are mixed, dropped or read twice it is not.

    Args:
        seed, data_format: see `DrawnImages`.
        fill_mode: what lies beyond an image: 'reflect', 'wrap', 'constant' or 'nearest'.
        interpolation: 'bilinear' or 'nearest'.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
    """

    draws = 1  # for each image

    def __init__(self, fill_mode, interpolation, seed, fill_value, data_format, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.fill_mode = one_of(fill_mode, "fill_mode", FILL_MODES, self)
        self.interpolation = one_of(interpolation, "interpolation", INTERPOLATIONS, self)
        if isinstance(fill_value, bool) or not isinstance(fill_value, numbers.Real):
            raise ValueError(f"{self}: expected fill_value to be a number. "
                             f"Received: fill_value={fill_value!r}")
        self.fill_value = fill_value

    def matrices(self, draws: np.ndarray, height: int, width: int) -> np.ndarray:
        """(N, 2, 3), given what was drawn for each image, (draws, N), all in float32."""
        raise NotImplementedError

    def combine(self, x, noise):
        height, width = (x.shape[axis] for axis in self.image_axes)
        drawn = np.broadcast_to(noise, (len(x), 1, 1, self.draws))[:, 0, 0].astype(np.float32)
        self._matrices = self.matrices(drawn.T, height, width)
        return self._read(x, self._matrices, self.fill_value)

    def combine_backward(self, dy, noise):
        try:
            back = inverse(self._matrices)
        except ValueError as error:
            raise ValueError(f"{self}: {error}") from None
        return self._read(dy, back, 0.0)

    def _read(self, x, matrices, fill_value):
        y = transformed(to_channels_last(x, self.data_format), matrices, self.interpolation,
                        self.fill_mode, fill_value)
        return np.ascontiguousarray(from_channels_last(y, self.data_format))

    def _require_fit(self, noise, x):
        self._require_draws(noise, len(x), self.draws)

    def get_config(self):
        return {**super().get_config(), "fill_mode": self.fill_mode,
                "interpolation": self.interpolation, "fill_value": self.fill_value}


def stacked(*rows: tuple) -> np.ndarray:
    """Matrices (N, 2, 3) of float32 from two rows of numbers, or of arrays (N,)."""
    flat = np.broadcast_arrays(*[np.asarray(each, np.float32) for row in rows for each in row])
    return np.stack(flat, axis=-1).reshape(-1, 2, 3)


def for_each_image(*drawn: np.ndarray) -> np.ndarray:
    """(N, 1, 1, draws) of arrays (N,)."""
    return np.stack(drawn, axis=-1)[:, None, None]


def between(factor, name: str, bounds: tuple, owner) -> tuple:
    """(lowest, highest) of a factor, both of which must lie within the bounds; of one number its
    negative and that."""
    low, high = bounds
    given = factor if isinstance(factor, (tuple, list)) else (factor,)
    for value in given:
        factor_range(value, name, bounds, owner)
    factor_range(factor, name, bounds, owner)
    return tuple(sorted(given)) if len(given) == 2 else (-abs(factor), abs(factor))
