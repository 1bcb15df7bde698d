"""Images made sharper or smoother at random."""

import numpy as np

from scratch.image_filter import filtered
from scratch.layers.augmentation import factor_range, two_numbers
from scratch.layers.random_light import ClippedImages

MIDDLE, AROUND = 5 / 13, 1 / 13  # the weights of a pixel and of each of its neighbours


class RandomSharpness(ClippedImages):
    """In training clip(x + (1 - 2 noise) (s - x)), with s the image smoothed and one number for
    each image, drawn evenly from the factor's range. At inference x.

    Each pixel of s is 5/13 of its own and 1/13 of each of its eight neighbours, which beyond the
    image are 0. So an image stays at 1/2, it is smoothest at 0 and sharpest at 1.

    Args:
        factor: the lowest and the highest number that is drawn, from 0 to 1; one number for 0 and
            that.
        value_range: of the images' values, two numbers, to which what comes out is clipped.
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
        >>> layer = scratch.RandomSharpness(1.0, value_range=(0, 1))
        >>> layer.give_noise(np.zeros((1, 1, 1, 1)))
        >>> layer(np.array([0.0, 1.0]).reshape(1, 1, 2, 1), training=True).round(2).ravel()
        array([0.08, 0.38], dtype=float32)
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (0, 1), self)
        self.value_range = two_numbers(value_range, "value_range", self)

    def draw(self, rng, shape):
        return rng.uniform(*self.factor, (shape[0], 1, 1, 1)).astype(self.dtype)

    def changed(self, x, noise):
        return x + (1 - 2 * noise) * (self.smoothed(x) - x)

    # a pixel has the weight in its neighbour that its neighbour has in it
    changed_backward = changed

    def smoothed(self, x: np.ndarray) -> np.ndarray:
        """Each pixel mixed with its neighbours."""
        kernel = np.full((3, 3), AROUND, x.dtype)
        kernel[1, 1] = MIDDLE
        return filtered(x, kernel, self.image_axes)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
