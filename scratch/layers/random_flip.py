"""Images turned over at random."""

import numpy as np

from scratch.layers.augmentation import DrawnImages, one_of

MODES = {"horizontal": (1,), "vertical": (0,), "horizontal_and_vertical": (0, 1)}


class RandomFlip(DrawnImages):
    """In training each image is turned over with probability 1/2; at inference it stays.

    With 'horizontal_and_vertical' one draw decides on both, as in Keras: an image is turned over
    along both axes or along neither. The noise is 1 for an image that is turned over, else 0.

    Args:
        mode: 'horizontal' (left for right), 'vertical' (top for bottom) or
            'horizontal_and_vertical'.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for another mode, which Keras takes for none, or an input of another rank.

    Example:
        >>> x = np.arange(3.0).reshape(1, 1, 3, 1)
        >>> layer = scratch.RandomFlip("horizontal")
        >>> layer.give_noise(np.ones((1, 1, 1, 1)))
        >>> layer(x, training=True).ravel().tolist(), layer(x).ravel().tolist()
        ([2.0, 1.0, 0.0], [0.0, 1.0, 2.0])
    """

    takes_low_precision = True

    def __init__(self, mode="horizontal_and_vertical", seed=None, data_format=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.mode = one_of(mode, "mode", tuple(MODES), self)

    def draw(self, rng, shape):
        return (rng.random((shape[0], 1, 1, 1), np.float32) <= 0.5).astype(self.dtype)

    def combine(self, x, noise):
        axes = [self.image_axes[axis] for axis in MODES[self.mode]]
        # (N, H, W, C), where (N, 1, 1, 1) says so from the other end
        return np.where(noise != 0, np.flip(x, axes), x)

    combine_backward = combine

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}
