"""Stochastic depth: in training, the branch of a residual block is left out for some samples."""

import numpy as np

from scratch.layers.noise import RandomLayer, between_zero_and_one


class StochasticDepth(RandomLayer):
    """In training x * noise, with one number for each sample: 0 with probability
    `drop_path_rate`, else 1 / (1 - drop_path_rate). At inference x (Huang et al., Deep Networks
    with Stochastic Depth, 2016).

    Keras keeps this layer with its ConvNeXt networks, not in `keras.layers`. What is dropped is
    multiplied by 0: it is NaN if it was infinite.

    Args:
        drop_path_rate: the share of samples that are dropped, from 0 to below 1; at 1 Keras
            divides by zero.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: for another rate.

    Example:
        >>> scratch.set_random_seed(0)
        >>> y = scratch.layers.StochasticDepth(0.5)(np.ones((9, 4, 3)), training=True)
        >>> np.unique(y).tolist(), bool((y == y[:, :1, :1]).all())
        ([0.0, 2.0], True)
    """

    sample_by_sample_at_inference = True
    # in training Keras multiplies by noise of float32, which TensorFlow refuses
    takes_low_precision = False

    keras_module = "keras.src.applications.convnext"

    def __init__(self, drop_path_rate, **kwargs):
        super().__init__(**kwargs)
        self.drop_path_rate = between_zero_and_one(drop_path_rate, "drop_path_rate", self)
        if self.drop_path_rate == 1:
            raise ValueError(f"{self}: expected drop_path_rate to be below 1. Received: "
                             f"drop_path_rate={drop_path_rate!r}, for which Keras divides by 0")

    @property
    def active(self):
        return self.drop_path_rate > 0

    def draw(self, rng, shape):
        # (N, H, W, C) -> (N, 1, 1, 1)
        drawn = rng.random((shape[0], *[1] * (len(shape) - 1)), np.float32)
        kept = drawn >= self.drop_path_rate
        return np.where(kept, self.dtype.type(1 / (1 - self.drop_path_rate)), self.dtype.type(0))

    def combine(self, x, noise):
        # (N, H, W, C) * (N, 1, 1, 1) -> (N, H, W, C)
        return x * noise

    combine_backward = combine

    def get_config(self):
        config = {**super().get_config(), "drop_path_rate": self.drop_path_rate}
        del config["seed"]  # Keras's draws from the common generator alone
        return config
