"""Images turned, moved, zoomed and sheared at random."""

import math

import numpy as np

from scratch.layers.augmentation import factor_range
from scratch.layers.transformed_images import TransformedImages, between, for_each_image, stacked


class RandomTranslation(TransformedImages):
    """In training each image is moved to the right and down, by parts of its width and height that
    are drawn evenly from the factors' ranges. At inference it stays.

    The noise is by how many pixels an image is moved, to the right and down: (batch, 1, 1, 2). For
    the gradient see `TransformedImages`.

    Args:
        height_factor, width_factor: the smallest and the largest part, from -1 to 1; one number for
            its negative and that.
        fill_mode: what lies beyond an image: 'reflect', 'wrap', 'constant' or 'nearest'.
        interpolation: 'bilinear' or 'nearest'.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.RandomTranslation(0.5, 0.5, fill_mode="constant")
        >>> layer.give_noise(np.array([1.0, 0.0]).reshape(1, 1, 1, 2))
        >>> x = np.arange(1.0, 4.0).reshape(1, 1, 3, 1)
        >>> layer(x, training=True).ravel().tolist(), layer(x).ravel().tolist()
        ([0.0, 1.0, 2.0], [1.0, 2.0, 3.0])
    """

    draws = 2

    def __init__(self, height_factor, width_factor, fill_mode="reflect",
                 interpolation="bilinear", seed=None, fill_value=0.0, data_format=None, **kwargs):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._rows = between(height_factor, "height_factor", (-1, 1), self)
        self._columns = between(width_factor, "width_factor", (-1, 1), self)

    def draw(self, rng, shape):
        height, width = (shape[axis] for axis in self.image_axes)
        down = rng.uniform(*self._rows, shape[0]) * height
        right = rng.uniform(*self._columns, shape[0]) * width
        return for_each_image(right, down).astype(self.dtype)

    def matrices(self, draws, height, width):
        right, down = draws
        return stacked((1, 0, -right), (0, 1, -down))

    def get_config(self):
        return {**super().get_config(), "height_factor": self.height_factor,
                "width_factor": self.width_factor}


class RandomRotation(TransformedImages):
    """In training each image is turned about its middle, counterclockwise, by a part of a whole
    turn that is drawn evenly from the factor's range. At inference it stays.

    The noise is the angle in degrees, (batch, 1, 1, 1). For the gradient see `TransformedImages`.

    Args:
        factor: the smallest and the largest part, from -1 to 1; one number for its negative and
            that.
        fill_mode: what lies beyond an image: 'reflect', 'wrap', 'constant' or 'nearest'.
        interpolation: 'bilinear' or 'nearest'.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.RandomRotation(0.25, interpolation="nearest")
        >>> layer.give_noise(np.full((1, 1, 1, 1), 90.0))
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
        >>> layer(x, training=True).reshape(2, 2).tolist()
        [[2.0, 4.0], [1.0, 3.0]]
    """

    def __init__(self, factor, fill_mode="reflect", interpolation="bilinear", seed=None,
                 fill_value=0.0, data_format=None, **kwargs):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (-1, 1), self)

    def draw(self, rng, shape):
        least, most = (360 * end for end in self.factor)
        return for_each_image(rng.uniform(least, most, shape[0])).astype(self.dtype)

    def matrices(self, draws, height, width):
        angle = draws[0] * np.float32(math.pi / 180)
        cos, sin = np.cos(angle), np.sin(angle)
        x, y = (np.float32((size - 1) / 2) for size in (width, height))
        return stacked((cos, -sin, x - x * cos + y * sin), (sin, cos, y - x * sin - y * cos))

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class RandomZoom(TransformedImages):
    """In training as much of each image is seen about its middle as is drawn for it evenly from 1
    and the factors' ranges: it becomes smaller where that is above 1. At inference it stays.

    The noise is by what distances from the middle are multiplied, along the height and along the
    width: (batch, 1, 1, 2). For the gradient see `TransformedImages`.

    Args:
        height_factor, width_factor: how much more than the height and the width is seen, the least
            and the most, from above -1 to 1; one number for its negative and that. None for the
            width's: the draw for the height serves both.
        fill_mode: what lies beyond an image: 'reflect', 'wrap', 'constant' or 'nearest'.
        interpolation: 'bilinear' or 'nearest'.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.RandomZoom(0.5)
        >>> layer.give_noise(np.array([1.0, 0.5]).reshape(1, 1, 1, 2))
        >>> x = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
        >>> layer(x, training=True).ravel().tolist()
        [1.5, 2.0, 2.5]
    """

    draws = 2

    def __init__(self, height_factor, width_factor=None, fill_mode="reflect",
                 interpolation="bilinear", seed=None, fill_value=0.0, data_format=None, **kwargs):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        above = math.nextafter(-1.0, 0.0)  # at -1 nothing would be seen
        self._rows = between(height_factor, "height_factor", (above, 1), self)
        self._columns = (None if width_factor is None
                         else between(width_factor, "width_factor", (above, 1), self))

    def draw(self, rng, shape):
        rows = columns = 1 + rng.uniform(*self._rows, shape[0])
        if self._columns is not None:
            columns = 1 + rng.uniform(*self._columns, shape[0])
        return for_each_image(rows, columns).astype(self.dtype)

    def matrices(self, draws, height, width):
        down, across = draws
        x, y = (np.float32((size - 1) / 2) for size in (width, height))
        return stacked((across, 0, x * (1 - across)), (0, down, y * (1 - down)))

    def get_config(self):
        return {**super().get_config(), "height_factor": self.height_factor,
                "width_factor": self.width_factor}


class RandomShear(TransformedImages):
    """In training each image is sheared about its first pixel: rows are moved sideways by as many
    times their number, columns down by as many times theirs, as is drawn evenly from the factors'
    ranges; for half of the images both are turned round. At inference it stays.

    The noise is (batch, 1, 1, 2): how far to the left of a row the next one is moved, how far up
    from a column the next one. For the gradient see `TransformedImages`.

    Args:
        x_factor, y_factor: the least and the most, from 0 to 1; one number for its negative and
            that.
        interpolation: 'bilinear' or 'nearest'.
        fill_mode: what lies beyond an image: 'reflect', 'wrap', 'constant' or 'nearest'.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        data_format: 'channels_last', the default, or 'channels_first'.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.RandomShear(1.0, fill_mode="constant")
        >>> layer.give_noise(np.array([1.0, 0.0]).reshape(1, 1, 1, 2))
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
        >>> layer(x, training=True).reshape(2, 2).tolist()
        [[1.0, 2.0], [4.0, 0.0]]
    """

    draws = 2

    def __init__(self, x_factor=0.0, y_factor=0.0, interpolation="bilinear", fill_mode="reflect",
                 fill_value=0.0, data_format=None, seed=None, **kwargs):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor = _shear(x_factor, "x_factor", self)
        self.y_factor = _shear(y_factor, "y_factor", self)

    def draw(self, rng, shape):
        turned = np.where(rng.random(shape[0]) > 0.5, -1.0, 1.0)
        down = rng.uniform(*self.y_factor, shape[0])
        right = rng.uniform(*self.x_factor, shape[0])
        return for_each_image(turned * right, turned * down).astype(self.dtype)

    def matrices(self, draws, height, width):
        right, down = draws
        return stacked((1, right, 0), (down, 1, 0))

    def get_config(self):
        return {**super().get_config(), "x_factor": self.x_factor, "y_factor": self.y_factor}


def _shear(value, name, owner) -> tuple:
    """(lowest, highest) of a shear, which lies as far below 0 as above if it is one number, or if
    Keras's config has written such a number as two."""
    low, high = factor_range(value, name, (0, 1), owner)
    two = isinstance(value, (tuple, list))
    if two and (high > 1 or low < 0 and low != -high):
        raise ValueError(f"{owner}: expected {name} to be a number from 0 to 1, or two. "
                         f"Received: {name}={value!r}")
    return (low, high) if two else (-high, high)
