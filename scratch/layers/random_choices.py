"""Some images, chosen at random, made grey or negatives."""

import numbers

import numpy as np

from scratch.layers.augmentation import DrawnImages, factor_range, mean_probability, two_numbers

GREY = (0.2989, 0.587, 0.114)  # of red, green and blue in what is grey, as Keras has them


class ChosenImages(DrawnImages):
    """Base: in training each image is changed with a probability, at inference it stays.

    The noise is 1 for an image that is changed, else 0: (batch, 1, 1, 1).
    """

    @property
    def probability(self) -> float:
        """With which an image is changed."""
        raise NotImplementedError

    def changed(self, x: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def changed_backward(self, dy: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def draw(self, rng, shape):
        return (rng.random((shape[0], 1, 1, 1)) < self.probability).astype(self.dtype)

    def combine(self, x, noise):
        return np.where(noise != 0, self.changed(x), x)

    def combine_backward(self, dy, noise):
        return np.where(noise != 0, self.changed_backward(dy), dy)


class RandomGrayscale(ChosenImages):
    """In training some images are made grey: 0.2989 red + 0.587 green + 0.114 blue in each of the
    three channels. Images of one channel stay, and so do all at inference.

    Args:
        factor: the probability, from 0 to 1.
        data_format: 'channels_last', the default, or 'channels_first'.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts; no config keeps it.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, an input of another rank, or in training of
            other than one or three channels.

    Example:
        >>> layer = scratch.RandomGrayscale()
        >>> layer.give_noise(np.ones((1, 1, 1, 1)))
        >>> layer(np.array([100.0, 10.0, 0.0]).reshape(1, 1, 1, 3), training=True).round(2).ravel()
        array([35.76, 35.76, 35.76], dtype=float32)
    """

    def __init__(self, factor=0.5, data_format=None, seed=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        factor_range(factor, "factor", (0, 1), self)
        if not isinstance(factor, numbers.Real):
            raise ValueError(f"{self}: expected factor to be a number from 0 to 1. "
                             f"Received: factor={factor!r}")
        self.factor = factor

    @property
    def probability(self):
        return self.factor

    def changed(self, x):
        if self._is_grey(x):
            return x
        # (N, H, W, C) -> (N, H, W, 1)
        return np.broadcast_to((x * self._shares(x)).sum(axis=self._channels, keepdims=True),
                               x.shape)

    def changed_backward(self, dy):
        if self._is_grey(dy):
            return dy
        return dy.sum(axis=self._channels, keepdims=True) * self._shares(dy)

    @property
    def _channels(self) -> int:
        return 3 if self.data_format == "channels_last" else 1

    def _is_grey(self, x) -> bool:
        number = x.shape[self._channels]
        if number not in (1, 3):
            raise ValueError(f"{self}: expected images of 1 or 3 channels in training. "
                             f"Received: {number} channels")
        return number == 1

    def _shares(self, x) -> np.ndarray:
        shape = [1, 1, 1, 1]
        shape[self._channels] = 3
        return np.array(GREY, x.dtype).reshape(shape)

    def get_config(self):
        config = {**super().get_config(), "factor": self.factor}
        del config["seed"]  # which Keras leaves out
        return config


class RandomInvert(ChosenImages):
    """In training some images are made negatives, the largest value - x. At inference all stay.

    Args:
        factor: the probability is drawn evenly between two numbers from 0 to 1, for each image;
            one number for 0 and that.
        value_range: of the images' values, two numbers.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.RandomInvert(value_range=(0, 1))
        >>> layer.give_noise(np.ones((1, 1, 1, 1)))
        >>> layer(np.array([0.25, 1.0]).reshape(1, 1, 2, 1), training=True).ravel().tolist()
        [0.75, 0.0]
    """

    def __init__(self, factor=1.0, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (0, 1), self)
        two_numbers(value_range, "value_range", self)
        self.value_range = value_range

    @property
    def probability(self):
        return mean_probability(self.factor)

    def changed(self, x):
        return self.dtype.type(self.value_range[1]) - x

    def changed_backward(self, dy):
        return -dy

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
