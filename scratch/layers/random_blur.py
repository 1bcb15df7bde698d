"""Images made less sharp at random, by a Gaussian kernel."""

import numpy as np

from scratch.image_filter import filtered
from scratch.layers.arguments import pair
from scratch.layers.augmentation import factor_range, mean_probability, two_numbers
from scratch.layers.random_light import ClippedImages

LEAST = 1e-6  # is added to a deviation, so that none is 0


class RandomGaussianBlur(ClippedImages):
    """In training some images are blurred by a Gaussian kernel, which is drawn for the batch, and
    all are clipped. At inference they stay.

    The noise is (batch, 1, 1, 3): 1 for an image that is blurred, else 0, and the kernel's two
    deviations, the same for all images. Beyond the image are zeros. As in Keras, the kernel of a
    kernel_size (a, b) is the outer product of b weights of the second deviation and a of the first,
    (b, a), whose numbers are then read row by row as (a, b).

    Args:
        factor: the probability is drawn evenly between two numbers from 0 to 1, for each image;
            one number for 0 and that.
        kernel_size: of the kernel, an odd number or two.
        sigma: its deviations, in pixels, the least and the most from 0 to 1, or one number for 0
            and that.
        value_range: of the images' values, two numbers.
        data_format: 'channels_last', the default, or 'channels_first'.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, an input of another rank, or noise of another
            shape.

    Example:
        >>> layer = scratch.RandomGaussianBlur()
        >>> layer.give_noise(np.array([1.0, 0.5, 0.5]).reshape(1, 1, 1, 3))
        >>> layer(np.array([0.0, 8.0]).reshape(1, 1, 2, 1), training=True).round(2).ravel()
        array([0.67, 4.95], dtype=float32)
    """

    def __init__(self, factor=1.0, kernel_size=3, sigma=1.0, value_range=(0, 255),
                 data_format=None, seed=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (0, 1), self)
        self.kernel_size = pair(kernel_size, "kernel_size", self)
        if not all(size % 2 for size in self.kernel_size):
            raise ValueError(f"{self}: expected kernel_size to be odd. "
                             f"Received: kernel_size={kernel_size!r}")
        self.sigma = factor_range(sigma, "sigma", (0, 1), self)
        two_numbers(value_range, "value_range", self)
        self.value_range = value_range

    def draw(self, rng, shape):
        noise = np.empty((shape[0], 1, 1, 3), self.dtype)
        noise[..., 0] = rng.random((shape[0], 1, 1)) < mean_probability(self.factor)
        noise[..., 1:] = rng.uniform(*self.sigma, 2) + LEAST
        return noise

    def changed(self, x, noise):
        return np.where(noise[..., :1] != 0, self.blurred(x, self.kernel(*noise[0, 0, 0, 1:])), x)

    # the kernel is the same from the other end, and so is the way back
    changed_backward = changed

    def kernel(self, first: float, second: float) -> np.ndarray:
        """The kernel for two deviations, of the kernel_size."""
        across, down = (self._weights(size, deviation)
                        for size, deviation in zip(self.kernel_size, (first, second)))
        return np.outer(down, across).reshape(self.kernel_size)

    def _weights(self, size: int, deviation: float) -> np.ndarray:
        place = np.arange(size, dtype=self.dtype) - (size - 1) // 2
        weights = np.exp(self.dtype.type(-0.5) * (place / deviation) ** 2)
        return weights / weights.sum()

    def blurred(self, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """The images mixed by the kernel."""
        return filtered(x, kernel, self.image_axes)

    def _require_fit(self, noise, x):
        self._require_draws(noise, len(x), 3)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "kernel_size": self.kernel_size,
                "sigma": self.sigma, "value_range": self.value_range}
