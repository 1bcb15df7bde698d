"""Alpha dropout (Klambauer et al., 2017): a dropout that keeps the mean and variance of a selu.
"""

import numpy as np

from scratch.layers.dropout import Dropout

# -alpha * scale of selu: the value that it approaches far below zero
SATURATED = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(Dropout):
    """In training a * (x where it is kept, else -1.7581) + b; at inference x.

    What is dropped is set to the value that selu approaches far below zero; a and b then bring
    numbers of mean 0 and variance 1 back to these: with q = 1 - rate and s = -1.7581

        a = 1 / sqrt(q * (1 + rate * s^2)),    b = -a * rate * s.

    The layer's noise is 1 where the input is kept and 0 where it is dropped.

    Args:
        rate: the share of inputs that are dropped, 0 to 1; with 1 there is no a, and training
            fails.
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
        ValueError: for a rate or a noise_shape that Keras refuses, or that does not fit the input;
            in training for a rate of 1.

    Example:
        >>> layer = scratch.AlphaDropout(0.5, seed=3)
        >>> y = layer(np.zeros((20, 50)), training=True)
        >>> np.unique(y.astype(float).round(4)).tolist()  # dropped, kept
        [-0.7792, 0.7792]
        >>> np.unique(layer(np.zeros((20, 50)))).tolist()
        [0.0]
    """

    sample_by_sample_at_inference = True

    def draw(self, rng, shape):
        if self.rate == 1:
            raise ValueError(f"{self}: expected a rate below 1 in training, for with 1 nothing is "
                             "left to be scaled. Received: rate=1")
        # noise_shape, or the input's shape
        kept = rng.random(self.shape_of_noise(shape), np.float32) >= self.rate
        return kept.astype(self.dtype)

    def _scale_and_shift(self) -> tuple[float, float]:
        scale = ((1 - self.rate) * (1 + self.rate * SATURATED**2)) ** -0.5
        return scale, -scale * SATURATED * self.rate

    def combine(self, x, noise):
        scale, shift = self._scale_and_shift()
        # the input's shape, with noise broadcast to it
        return scale * (x * noise + SATURATED * (1 - noise)) + shift

    def combine_backward(self, dy, noise):
        return dy * self._scale_and_shift()[0] * noise
