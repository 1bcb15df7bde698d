"""Normal noise around 1, with which the input is multiplied in training."""

import math

import numpy as np

from scratch.layers.noise import RandomLayer, between_zero_and_one


class GaussianDropout(RandomLayer):
    """In training x * noise, normal around 1 with variance rate / (1 - rate); at inference x.

    Mean and variance of the noise are those of a dropout with that rate.

    Args:
        rate: of the dropout that it stands for, 0 to 1; with 1 the variance is infinite, and
            training fails.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: for a rate that Keras refuses, and in training for a rate of 1.

    Example:
        >>> layer = scratch.GaussianDropout(0.2, seed=3)
        >>> y = layer(np.ones((100, 100)), training=True)
        >>> round(float(y.mean()), 1), round(float(y.std()), 1)  # sqrt(0.2 / 0.8) is 0.5
        (1.0, 0.5)
    """

    sample_by_sample_at_inference = True
    takes_low_precision = True
    random_inside = True

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.rate = between_zero_and_one(rate, "rate", self)

    @property
    def active(self):
        return self.rate > 0

    def draw(self, rng, shape):
        if self.rate == 1:
            raise ValueError(f"{self}: expected a rate below 1 in training, for the noise's "
                             "variance is rate / (1 - rate). Received: rate=1")
        return rng.normal(1.0, math.sqrt(self.rate / (1 - self.rate)), shape)

    def combine(self, x, noise):
        return np.multiply(x, noise)

    combine_backward = combine

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
