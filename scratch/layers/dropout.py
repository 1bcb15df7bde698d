"""Dropout: in training, some of the inputs are set to zero and the others made larger."""

import numbers

import numpy as np

from scratch.layers.data_format import data_format_name
from scratch.layers.noise import RandomLayer, between_zero_and_one


class Dropout(RandomLayer):
    """In training x * noise, where noise is 0 with probability `rate` and else 1 / (1 - rate).

    At inference, and with a rate of 0, the output is the input; with a rate of 1 it is 0. What is
    dropped is 0 even if it was infinite or NaN, as in Keras.

    Args:
        rate: the share of inputs that are dropped, 0 to 1.
        noise_shape: the shape in which noise is drawn, broadcast to the input's; None within it
            stands for the input's own size on that axis.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: for a rate or a noise_shape that Keras refuses, or that does not fit the input.

    Example:
        >>> layer = scratch.Dropout(0.5, seed=3)
        >>> y = layer(np.ones((20, 50)), training=True)
        >>> np.unique(y).tolist(), bool(0.4 < (y > 0).mean() < 0.6)
        ([0.0, 2.0], True)
        >>> np.unique(layer(np.ones((20, 50)))).tolist()
        [1.0]
    """

    sample_by_sample_at_inference = True

    takes_low_precision = True
    random_inside = True

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.rate = between_zero_and_one(rate, "rate", self)
        self.noise_shape = None if noise_shape is None else self._checked(noise_shape)

    def _checked(self, noise_shape) -> tuple:
        if not isinstance(noise_shape, (tuple, list)) or any(
                size is not None and (isinstance(size, bool) or size <= 0
                                      or not isinstance(size, numbers.Integral))
                for size in noise_shape):
            raise ValueError(f"{self}: expected noise_shape to be a tuple of positive integers or "
                             f"None. Received: noise_shape={noise_shape!r}")
        return tuple(noise_shape)

    def compute_output_shape(self, input_shape):
        if self.noise_shape is not None and len(self.noise_shape) > len(input_shape):
            raise ValueError(f"{self}: expected a noise_shape of at most {len(input_shape)} sizes "
                             f"for the input_shape={tuple(input_shape)}. "
                             f"Received: noise_shape={self.noise_shape}")
        return tuple(input_shape)

    @property
    def active(self):
        return self.rate > 0

    def shape_of_noise(self, shape: tuple) -> tuple:
        """The shape in which noise is drawn for an input of this shape."""
        if self.noise_shape is None:
            return shape
        return tuple(shape[i] if size is None else size
                     for i, size in enumerate(self.noise_shape))

    def draw(self, rng, shape):
        # noise_shape, or the input's shape
        kept = rng.random(self.shape_of_noise(shape), np.float32) >= self.rate
        scale = 1 / (1 - self.rate) if self.rate < 1 else 0.0
        return np.where(kept, self.dtype.type(scale), self.dtype.type(0))

    def combine(self, x, noise):
        # the input's shape, with noise broadcast to it
        return np.multiply(x, noise, out=np.zeros_like(x), where=noise != 0)

    combine_backward = combine

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


class _SpatialDropout(Dropout):
    """Dropout of whole feature maps: a map's pixels are all dropped or all kept."""

    sample_by_sample_at_inference = True

    rank = 0

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(rate, None, seed, **kwargs)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != self.rank:
            raise ValueError(f"{self}: expected an input of {self.rank} axes. "
                             f"Received: input_shape={tuple(input_shape)}")
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        del config["noise_shape"], config["trainable"]  # Keras's constructor takes neither
        return config


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels: all steps of a channel are dropped, or all are kept.

    Args:
        rate: the share of channels that are dropped, 0 to 1.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C).

    Output shape:
        As the input.

    Raises:
        ValueError: for a rate that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.SpatialDropout1D(0.5, seed=3)
        >>> y = layer(np.ones((9, 4, 8)), training=True)
        >>> np.unique(y).tolist(), bool((y == y[:, :1]).all())
        ([0.0, 2.0], True)
    """

    sample_by_sample_at_inference = True

    rank = 3

    def shape_of_noise(self, shape):
        # (N, L, C) -> (N, 1, C)
        return shape[0], 1, shape[2]


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels: all pixels of a channel are dropped, or all are kept.

    Args:
        rate: the share of channels that are dropped, 0 to 1.
        data_format: 'channels_last', the default, or 'channels_first'.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for a rate that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.SpatialDropout2D(0.5, seed=3)
        >>> y = layer(np.ones((9, 4, 3, 8)), training=True)
        >>> np.unique(y).tolist(), bool((y == y[:, :1, :1]).all())
        ([0.0, 2.0], True)
    """

    sample_by_sample_at_inference = True

    rank = 4

    def __init__(self, rate, data_format=None, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.data_format = data_format_name(data_format, self)

    def shape_of_noise(self, shape):
        # (N, H, W, C) -> (N, 1, 1, C); (N, C, H, W) -> (N, C, 1, 1)
        if self.data_format == "channels_first":
            return shape[0], shape[1], 1, 1
        return shape[0], 1, 1, shape[3]

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels: all voxels of a channel are dropped, or all are kept.

    Args:
        rate: the share of channels that are dropped, 0 to 1.
        data_format: 'channels_last', the default, or 'channels_first'.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for a rate that Keras refuses, or an input of another rank.

    Example:
        >>> layer = scratch.SpatialDropout3D(0.5, seed=3)
        >>> y = layer(np.ones((9, 2, 4, 3, 8)), training=True)
        >>> np.unique(y).tolist(), bool((y == y[:, :1, :1, :1]).all())
        ([0.0, 2.0], True)
    """

    sample_by_sample_at_inference = True

    rank = 5

    def __init__(self, rate, data_format=None, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.data_format = data_format_name(data_format, self)

    def shape_of_noise(self, shape):
        # (N, D, H, W, C) -> (N, 1, 1, 1, C); (N, C, D, H, W) -> (N, C, 1, 1, 1)
        if self.data_format == "channels_first":
            return shape[0], shape[1], 1, 1, 1
        return shape[0], 1, 1, 1, shape[4]

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
