"""Normal noise, added to the input in training."""

from scratch.layers.noise import RandomLayer, between_zero_and_one


class GaussianNoise(RandomLayer):
    """In training x + noise, normal around 0; at inference x.

    Args:
        stddev: the noise's standard deviation, 0 to 1.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: for a stddev that Keras refuses.

    Example:
        >>> layer = scratch.GaussianNoise(0.5, seed=3)
        >>> y = layer(np.zeros((100, 100)), training=True)
        >>> round(float(y.std()), 1), float(layer(np.zeros((100, 100))).std())
        (0.5, 0.0)
    """

    sample_by_sample_at_inference = True
    takes_low_precision = True
    random_inside = True

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.stddev = between_zero_and_one(stddev, "stddev", self)

    @property
    def active(self):
        return self.stddev > 0

    def draw(self, rng, shape):
        return rng.normal(0.0, self.stddev, shape)

    def combine(self, x, noise):
        return x + noise

    def combine_backward(self, dy, noise):
        return dy

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}
