"""Images made lighter or darker, and of more or less contrast, at random."""

import numpy as np

from scratch.layers.augmentation import DrawnImages, factor_range, two_numbers


class ClippedImages(DrawnImages):
    """Base: what comes out in training is clipped to the range of values that images have.

    A subclass says by `changed` what is clipped, and by `changed_backward` how its gradient comes
    back. A number that lies on an end of the range passes its gradient on, as in Keras.
    """

    value_range: tuple | list

    def changed(self, x: np.ndarray, noise: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def changed_backward(self, dy: np.ndarray, noise: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def combine(self, x, noise):
        y = self.changed(x, noise)
        low, high = (self.dtype.type(end) for end in self.value_range)
        self._inside = (low <= y) & (y <= high)
        return np.maximum(np.minimum(y, high), low)  # in TensorFlow's order, should low be larger

    def combine_backward(self, dy, noise):
        return self.changed_backward(np.where(self._inside, dy, self.dtype.type(0)), noise)


class RandomBrightness(ClippedImages):
    """In training clip(x + noise), with one number for each image, drawn evenly from the factor's
    range and multiplied by the length of the value range. At inference x.

    Args:
        factor: the lowest and the highest number that is drawn, from -1 to 1; one number for that
            and its negative.
        value_range: of the images' values, to which what comes out is clipped.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for a factor or a value_range that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.RandomBrightness(0.2, value_range=(0, 1))
        >>> layer.give_noise(np.full((1, 1, 1, 1), 0.25))
        >>> layer(np.array([0.5, 1.0]).reshape(1, 1, 2, 1), training=True).ravel().tolist()
        [0.75, 1.0]
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.factor = factor_range(factor, "factor", (-1, 1), self)
        self.value_range = two_numbers(value_range, "value_range", self)

    def draw(self, rng, shape):
        low, high = self.value_range
        # one number for an image: (N, 1, 1, 1)
        return (rng.uniform(*self.factor, (shape[0], 1, 1, 1)) * (high - low)).astype(self.dtype)

    def changed(self, x, noise):
        # (N, H, W, C) + (N, 1, 1, 1)
        return x + noise

    def changed_backward(self, dy, noise):
        return dy

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomContrast(ClippedImages):
    """In training clip((x - m) noise + m), with m the mean of each channel of an image and one
    number for each image, drawn evenly from 1 - factor[0] to 1 + factor[1]. At inference x.

    Args:
        factor: how far below 1 and above 1 is drawn, two numbers from 0 to 1; one number for 0 and
            that, as Keras takes it.
        value_range: of the images' values, to which what comes out is clipped.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for a factor or a value_range that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.RandomContrast(0.5, value_range=(0, 1))
        >>> layer.give_noise(np.full((1, 1, 1, 1), 1.5))
        >>> layer(np.array([0.25, 0.75]).reshape(1, 1, 2, 1), training=True).ravel().tolist()
        [0.125, 0.875]
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.factor = factor_range(factor, "factor", (0, 1), self)
        two_numbers(value_range, "value_range", self)
        self.value_range = tuple(value_range)

    def draw(self, rng, shape):
        below, above = self.factor
        return rng.uniform(1 - below, 1 + above, (shape[0], 1, 1, 1)).astype(self.dtype)

    def changed(self, x, noise):
        # (N, H, W, C) -> (N, 1, 1, C)
        mean = x.mean(axis=self.image_axes, keepdims=True)
        return (x - mean) * noise + mean

    def changed_backward(self, dy, noise):
        # what reaches a pixel by itself, and by the mean of its channel
        return dy * noise + (1 - noise) * dy.mean(axis=self.image_axes, keepdims=True)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
